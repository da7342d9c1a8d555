"""What every execution module of a node shares: settings, paths, errors, commands."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from salt.exceptions import CommandExecutionError
from wbcore.errors import ReleaseError, StepFailed
from wbcore.layout import Layout
from wbcore.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

# Lines of a failed program's output that an error quotes.
_LAST_WORDS = 3


def layout_of(opts: Mapping[str, Any]) -> Layout:
    """The paths of this node, below Salt's own ``root_dir``."""
    return Layout(Path(opts.get("root_dir") or "/"))


def settings_of(pillar: Mapping[str, Any]) -> Settings:
    """The settings in the pillar of this node."""
    return Settings.parse(pillar.get("wormbase", {}))


def salt_errors(function: F) -> F:
    """Turn our errors of a public function into Salt's own, which it prints without a traceback."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ReleaseError as error:
            raise CommandExecutionError(str(error)) from error

    return wrapper  # type: ignore[return-value]


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock, waiting for it: Salt goes on with a job whose salt-run was killed, and the
    same command may be given again meanwhile."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def held(lock: Path) -> bool:
    """Whether somebody holds a lock at this moment."""
    if not lock.exists():
        return False
    with lock.open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def command(
    argv: Sequence[str | Path], todo: str, *, ok: Sequence[int] = (0,), **options: Any
) -> str:
    """Standard output of a command given as a list; StepFailed with its last words.

    ``options`` go to :func:`subprocess.run` (``cwd``, ``env``, ``input``, ``timeout``).
    """
    words = [str(word) for word in argv]
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            words, capture_output=True, text=True, check=False, **options
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepFailed(f"{words[0]} could not be run: {error}", todo) from error
    if done.returncode not in ok:
        # Many a program says why, and then, in a line of its own, that it gives up.
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()[-_LAST_WORDS:]
        said = "; ".join(line.strip() for line in lines) or "nothing"
        raise StepFailed(f"{words[0]} ended with {done.returncode} and said {said!r}", todo)
    return done.stdout
