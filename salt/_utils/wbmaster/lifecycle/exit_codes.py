"""What the process of a run that did not end well ends with; Salt itself knows 0 and 1 alone.

Scripts that start runs decide by it what to do next: see ``docs/daily-use.md``.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys

from wbcore.errors import Away, Busy, Interrupted, ReleaseError, StepFailed

from ..ledger import Ledger

# Salt's own codes end at 20, those of sysexits.h at 78.
REFUSED, FAILED, NOT_PUT_BACK, HELD, GOES_ON = range(80, 85)


def of_begin(error: ReleaseError) -> int:
    """The code of a request that began no run; the error may be that of a run that was joined."""
    if isinstance(error, Busy):
        return HELD
    return FAILED if isinstance(error, StepFailed) else REFUSED


def of_end(error: ReleaseError, ledger: Ledger) -> int:
    """The code of a run that ended with an error, by what it left behind."""
    if isinstance(error, Interrupted | Away):
        return GOES_ON
    return NOT_PUT_BACK if ledger.known().switch else FAILED


def leave(code: int, sentence: str = "") -> None:
    """End salt-run with this code, once it has printed everything; the sentence is its last line,
    which is what is read. In a process of anybody else nothing is done."""
    if os.path.basename(sys.argv[0]) == "salt-run":
        atexit.register(_leave, code, sentence)


def _leave(code: int, sentence: str) -> None:
    if sentence:
        print(sentence, file=sys.stderr)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing else changes the code of a process that is on its way out.
    os._exit(code)
