"""Runs the steps of the Dockerfile in a folder, on a machine without a builder: `python3 deploy/steps.py FOLDER`.

The stages `build` and `run` become FOLDER.build and FOLDER, with the same commands; packages of the stage `system` are
left to the machine. The tree of FOLDER ends without write permissions. Prints, as JSON, what starts it: command,
environment, working directory, user. Only the instructions that our Dockerfile has are known.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

TREE = Path(__file__).resolve().parents[1]
SYSTEM = "system"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # of the images that we start from


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Word and rest of each instruction."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n", " ", lines).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


@dataclass
class Stage:
    """A stage while it is made; `root` is its ROOT."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: Path = Path("/")
    user: str = "0:0"
    command: list[str] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """What its commands find: the package index of this machine, and what the stage sets."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {**kept, "PATH": PATH, "HOME": "/nonexistent", "ROOT": str(self.root), **self.env}

    def expand(self, text: str) -> str:
        """`text` with the values of its variables."""
        return string.Template(text).substitute(self.variables())

    def do(self, word: str, rest: str) -> None:
        """Carry out an instruction. Raises KeyError for one that is not known."""
        steps: dict[str, Any] = {
            "ARG": lambda: None,  # ROOT alone, which is given
            "EXPOSE": lambda: None,
            "ENV": lambda: self.env.update(part.split("=", 1) for part in shlex.split(self.expand(rest))),
            "WORKDIR": lambda: self._work_in(Path(self.expand(rest))),
            "COPY": lambda: self._copy(*shlex.split(self.expand(rest))),
            "RUN": lambda: self._run(rest),
            "USER": lambda: setattr(self, "user", rest),
            "CMD": lambda: setattr(self, "command", json.loads(rest)),
        }
        steps[word]()

    def _work_in(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.workdir = folder

    def _run(self, command: str) -> None:
        subprocess.run(["/bin/sh", "-c", command], cwd=self.workdir, env=self.variables(), check=True)

    def _copy(self, *words: str) -> None:
        *options, source, target = words
        goal = self.workdir / target
        if options == ["--from=build"]:
            built = Path(f"{self.root}.build") / Path(source).relative_to(self.root)
            shutil.copytree(built, goal, symlinks=True, dirs_exist_ok=True)
        elif source == ".":
            copy_tree(goal)
        else:
            (goal if target.endswith("/") else goal.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(TREE / source, goal)


def copy_tree(goal: Path) -> None:
    """What `.dockerignore` leaves of the tree."""
    lines = [line for line in (TREE / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    never = [line.removeprefix("**/") for line in lines if line.startswith("**/")]

    def ignored(_: str, names: list[str]) -> list[str]:
        return [name for name in names if any(fnmatch(name, pattern) for pattern in never)]

    for line in (line[1:] for line in lines if line.startswith("!")):
        (goal / line).parent.mkdir(parents=True, exist_ok=True)
        if (TREE / line).is_dir():
            shutil.copytree(TREE / line, goal / line, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(TREE / line, goal / line)


def make(root: Path) -> Stage:
    """Run all stages but `system`. Raises FileExistsError if there is something at `root`, CalledProcessError."""
    stage, name = Stage(root), ""
    for word, rest in instructions((TREE / "Dockerfile").read_text()):
        if word == "FROM":
            if name == "build":
                root.rename(f"{root}.build")
            name = rest.rpartition(" AS ")[2]
            if name != SYSTEM:
                root.mkdir(mode=0o755)
                stage = Stage(root)
        elif name != SYSTEM:
            print(f"==> {name}: {word} {rest}"[:150], file=sys.stderr, flush=True)
            stage.do(word, rest)
    media = Path(stage.variables()["MEDIA_ROOT"])
    for folder in (child for child in root.iterdir() if child != media):
        subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True)
    return stage


if __name__ == "__main__":
    made = make(Path(sys.argv[1]).resolve())
    print(json.dumps({"command": made.command, "env": made.env, "workdir": str(made.workdir), "user": made.user}))
