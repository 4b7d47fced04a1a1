"""What a deployment does, in which order, and what Telegram hears of it; ssh, docker and the others only note it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.steps import TREE

# Each notes its name, arguments and standard input; ssh does on this machine what it is asked to do on the other one.
NOTE = """#!/bin/sh
printf '%s %s\\n' "$(basename "$0")" "$*" >>"$NOTES"
"""
PROGRAMS = {
    "rsync": NOTE,
    "docker": NOTE,
    "git": "#!/bin/sh\necho abc1234\n",
    "ssh": NOTE + 'shift; exec sh -c "$*"\n',
    "curl": NOTE + 'case "$*" in *--config*) cat >/dev/null ;; *) [ -e "$HEALTHY" ] ;; esac\n',
}


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A tree on a server, with programs before those of the machine."""
    tree = tmp_path / "tree"
    (tree / "requirements").mkdir(parents=True)
    for name in ("Dockerfile", ".dockerignore", "requirements/base.txt"):
        shutil.copy(TREE / name, tree / name)
    shutil.copytree(TREE / "deploy", tree / "deploy", ignore=shutil.ignore_patterns("k8s", "__pycache__"))
    (tmp_path / "bin").mkdir()
    for name, text in PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return tree


def release(server: Path, *, healthy: bool = True) -> tuple[int, list[str]]:
    """Exit status, and what the programs noted."""
    notes, sign = server.parent / "notes", server.parent / "healthy"
    notes.write_text("")
    sign.touch() if healthy else sign.unlink(missing_ok=True)
    env = os.environ | {
        "PATH": f"{server.parent}/bin:{os.environ['PATH']}",
        "NOTES": str(notes),
        "HEALTHY": str(sign),
        "DEPLOY_TO": "momo@server",
        "DEPLOY_PATH": str(server),
        "HEALTH_URL": "https://shop/health",
        "HEALTH_PAUSE": "0",
        "TELEGRAM_BOT_TOKEN": "123:secret",
        "TELEGRAM_CHAT_ID": "-100",
    }
    done = subprocess.run([server / "deploy" / "release"], env=env, capture_output=True, text=True, check=False)
    assert "123:secret" not in notes.read_text() + done.stdout + done.stderr
    return done.returncode, notes.read_text().splitlines()


def said(notes: list[str]) -> list[str]:
    return [note.partition("text=MOMO Pro ")[2] for note in notes if note.startswith("curl --config")]


def built(notes: list[str]) -> bool:
    return any(note.startswith("docker compose") and " build " in note for note in notes)


def test_a_deployment(server: Path) -> None:
    code, notes = release(server)

    assert (code, said(notes)) == (0, ["abc1234：開始部署", "abc1234：部署完成"])
    assert built(notes), "the first time"
    kinds = [note.split()[0] for note in notes]
    assert kinds[:3] == ["curl", "rsync", "ssh"]
    commands = [note.split("compose.server.yaml ")[1] for note in notes if note.startswith("docker")]
    assert [command.split()[0] for command in commands] == ["build", "run", "up", "run", "run", "up"]
    assert commands[3:5] == ["run --rm migrate python manage.py check_upgrade", "run --rm migrate"]
    assert commands[5].endswith(" web worker-crawl worker-imports worker-messages worker-bot worker-default beat")

    assert not built(release(server)[1]), "nothing of the image changed"
    (server / "requirements" / "base.txt").write_text("django==5.2.99\n")
    assert built(release(server)[1])


def test_a_site_that_does_not_become_healthy(server: Path) -> None:
    code, notes = release(server, healthy=False)

    assert (code, said(notes)) == (1, ["abc1234：開始部署", "abc1234：部署失敗（健康檢查 https://shop/health）"])
    assert sum("https://shop/health" in note and "--config" not in note for note in notes) == 5


def test_a_step_that_fails(server: Path) -> None:
    (server.parent / "bin" / "docker").write_text(NOTE + "exit 3\n")
    code, notes = release(server)

    assert code != 0
    assert said(notes) == ["abc1234：開始部署", "abc1234：部署失敗（更新服務）"]
    assert not any("health" in note for note in notes if "--config" not in note)
