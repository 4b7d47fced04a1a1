#!/usr/bin/env python
"""Command line of the project; starts the local PostgreSQL and Valkey when no other is configured."""

import sys

from django.core.management import call_command, execute_from_command_line

from momo.local.bootstrap import load_settings, set_defaults, use_local_services

# These answer without a database, so nothing is started for them.
WITHOUT_SERVICES = {"help", "--help", "-h", "--version", "version", "collectstatic", "compilemessages"}
FILL_THEMSELVES = {"migrate", "restore"}  # these make the tables of a new database


def needs_services(command: str) -> bool:
    """Whether the command asks a database: `check` does with --database only."""
    return command not in WITHOUT_SERVICES and (
        command != "check" or any(word.startswith("--database") for word in sys.argv)
    )


def main() -> None:
    """Run a command of Django with the settings of a local machine, on embedded servers if there are no others."""
    set_defaults()
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    created = needs_services(command) and use_local_services(crawls=command == "crawl")
    load_settings()
    if created and command not in FILL_THEMSELVES:
        import django

        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
