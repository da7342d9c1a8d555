"""What happens on the lab while the pictures are taken."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

from .browser import Board, board
from .terminal import Terminal, draw

CHECKOUT = Path(__file__).resolve().parents[1]
PICTURES = CHECKOUT / "docs/pictures"
LAB = str(CHECKOUT / "bin/lab")
OPERATOR, PASSWORD = "olga", "only on the lab"
PEOPLE = "/etc/salt/people"
AUTH = f"""external_auth:
  file:
    ^filename: {PEOPLE}
    {OPERATOR}:
      - "@wb_release": [status, history, plan, landings, drift, start, hold, accept]
"""


def main() -> None:
    """A new lab, a release on the terminal, a build that the gate holds; pictures of all of it."""
    PICTURES.mkdir(exist_ok=True)
    lab("down")
    lab("up")
    let_in()
    lab("build", "WS221")
    with board(f"https://{address('salt')}:8443", OPERATOR, PASSWORD) as shown:
        on_terminal("plan", "plan", "WS221")
        release("WS221", shown)
        on_terminal("status", "status")
        on_terminal("history", "history")
        (run,) = json.loads(
            lab("exec", "salt", "salt-run", "--out=json", "wb_release.history", "limit=1")
        )
        shown.show(f"/runs?name={run['run']}", PICTURES / "board-run.png", "Steps over time")
        lab("build", "WS222", "--lose-genes", "50", "--land")
        shown.show("/landings", PICTURES / "board-landings.png", "is further from")
    lab("down")


def release(build: str, shown: Board) -> None:
    """Release a build on the terminal, and look at it on the board meanwhile."""
    bars = {"moment": "s left"}
    thread = threading.Thread(target=on_terminal, args=("release", "release", build), kwargs=bars)
    thread.start()
    shown.show("/", PICTURES / "board-now.png", "s left")
    thread.join()


def on_terminal(picture: str, *words: str, moment: str = "") -> None:
    """Draw what a command of ``wb`` shows last, or when most lines of its screen have the words
    of a moment."""
    file, most = PICTURES / f"{picture}.svg", 0
    command = Terminal([LAB, "exec", "salt", "wb", *words])
    for screen in command:
        count = sum(moment in line for line in screen.display)
        if not moment or count > most:
            draw(screen, file)
            most = count
    if command.code:
        raise SystemExit(f"wb {' '.join(words)} ended with {command.code}")


def let_in() -> None:
    """Let an operator log in to the board."""
    commands = (
        f"cat > /etc/salt/master.d/people.conf <<'X'\n{AUTH}X\n"
        f"echo '{OPERATOR}:{PASSWORD}' > {PEOPLE} && chown salt: {PEOPLE} && chmod 600 {PEOPLE}"
        " && systemctl restart salt-master wormbase-board"
    )
    lab("exec", "salt", "sh", "-c", commands)


def address(node: str) -> str:
    """Address of a node of the lab."""
    rows = [line.split() for line in lab("exec", node, "cat", "/etc/hosts").splitlines()]
    return next(row[0] for row in rows if row[1:] == [node])


def lab(*words: str) -> str:
    """Run ``bin/lab``, which has to succeed; what it printed."""
    return subprocess.run([LAB, *words], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
