"""Shows what runners of this project answer as compact tables, instead of nested YAML.

A runner asks for it by itself. It can be asked for as well, which leaves out Salt's own report of
an orchestration:

.. code-block:: bash

    salt-run state.orch orch.release pillar='{build: WS221}' --out=wb_table
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

from wbmaster.reporting import tables

# Salt gives it to the module.
__opts__: dict[str, Any]

__virtualname__ = "wb_table"
# Without a terminal there is nothing that a line would have to fit.
_WIDE = 160


def __virtual__() -> str:
    return __virtualname__


def output(data: Any, **_: Any) -> str:
    """The answer of the function that ``salt-run`` was called with, as text."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    colour = bool(__opts__.get("color")) and not os.environ.get("NO_COLOR")
    return tables.render(str(__opts__.get("fun", "")), data, width, colour)
