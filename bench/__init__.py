"""Measurements on the lab.

Its commands run in the project's own environment, which has what they import: whoever starts one
with the machine's Python is taken there.
"""

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PYTHON = _HERE.parent / ".venv/bin/python"

if Path(sys.argv[0]).resolve().parent == _HERE and Path(sys.prefix) != _PYTHON.parents[1]:
    if not _PYTHON.exists():
        sys.exit("bench: there is no .venv here; bin/test tests/unit/wbcore makes it")
    os.execv(_PYTHON, [str(_PYTHON), *sys.argv])
