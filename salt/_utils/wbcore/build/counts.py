"""How much is in a file, from what its own programs write at its beginning.

Sources: MyISAM's ``storage/myisam/myisamdef.h`` (``MI_STATE_INFO``); the index of a BLAST
database, formats 4 and 5, as ``makeblastdb`` 2.12 writes it; tace of AceDB 4.9.39.
"""

from __future__ import annotations

import re
import struct

MYISAM_HEAD = 36
# A BLAST index begins with its title, which may be long.
BLAST_HEAD = 1 << 16
_MYISAM = b"\xfe\xfe\x07\x01"
_CLASSES = "These are the known classes"
_CLASS = re.compile(r"^ *(\S+) (\d+)$", re.MULTILINE)
# Classes of AceDB's own, which say how a database was made, not what is in it.
_OWN = frozenset({"Session", "UserSession", "Class", "Model", "Tag", "System"})


def rows(head: bytes) -> int:
    """Rows of a MyISAM table, from the beginning of its index; ValueError for anything else."""
    if len(head) < MYISAM_HEAD or not head.startswith(_MYISAM):
        raise ValueError("it is not the index of a MyISAM table")
    return int.from_bytes(head[28:36], "big")


def sequences(head: bytes) -> tuple[int, int]:
    """Sequences and letters of a volume of a BLAST database, from the beginning of its index;
    ValueError for anything else."""
    try:
        version, _ = struct.unpack_from(">2I", head)
        if version not in (4, 5):
            raise ValueError(f"it is not the index of a BLAST database in format 4 or 5: {version}")
        # Title and date; format 5 has a number before them and a file's name between.
        at, texts = (8, 2) if version == 4 else (12, 3)
        for _ in range(texts):
            at += 4 + struct.unpack_from(">I", head, at)[0]
        (number,) = struct.unpack_from(">I", head, at)
        (letters,) = struct.unpack_from("<Q", head, at + 4)
    except struct.error:
        raise ValueError("it is not the index of a BLAST database: it is too short") from None
    return number, letters


def classes(said: str) -> dict[str, int]:
    """Objects of each class that has any, from tace's answer to ``classes``; ValueError when
    it did not answer."""
    _, heard, answer = said.partition(_CLASSES)
    if not heard:
        raise ValueError("tace did not list the classes")
    answer = answer.partition("\n//")[0]
    return {name: int(number) for name, number in _CLASS.findall(answer) if name not in _OWN}
