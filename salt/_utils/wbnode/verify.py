"""Whether files are what was sealed: the one place where a tree is read against its manifest."""

from pathlib import Path

from wbcore.build.manifest import Contents

import wbnode.files


def verify(root: Path, contents: Contents) -> tuple[list[str], list[str]]:
    """Files that are missing below ``root``, and files that hold something else than was sealed;
    every byte is read. What else lies there is not looked at."""
    there = [path for path in contents.files if (root / path).is_file()]
    found = wbnode.files.digests(root, there, lambda path, count: None)
    wrong = [path for path in there if found.get(path) != contents.files[path].sha256]
    return sorted(contents.files.keys() - set(there)), sorted(wrong)
