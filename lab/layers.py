"""Layers that every node's root file system is stacked from, made once and shared.

Each layer is a directory named after a hash of what went into it, so a changed
recipe makes a new one and old labs keep theirs.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from .place import CACHE, held


def digest(paths: Iterable[Path], *words: str) -> str:
    """Twelve hexadecimal digits for the content of files and folders, and for words."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        for file in sorted([path] if path.is_file() else path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(path.parent)).encode() + b"\0")
                total.update(file.read_bytes())
    return total.hexdigest()[:12]


def made(name: str, make: Callable[[Path], None]) -> Path:
    """The cached directory ``name``, made by ``make(directory)`` when it is not there.

    What is half made when the maker dies has another name and is thrown away by the
    next one.
    """
    place = CACHE / name
    with held(CACHE / f"{name}.lock"):
        if not place.is_dir():
            fresh = CACHE / f"{name}.making"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            make(fresh)
            fresh.rename(place)
    return place
