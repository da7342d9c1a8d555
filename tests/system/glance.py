"""What tests look at again and again, read where it is written.

A question to the automation has every node look at what it serves; asked every other second, that
takes the processors from what is being waited for.
"""

from __future__ import annotations

import json

from labclient import Lab
from wbcore.layout import Layout
from wbcore.model import proxy_pools

_PYTHON = "/opt/saltstack/salt/bin/python3"
_SQL = """
import json, sqlite3, sys
ledger = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(json.dumps(ledger.execute(sys.argv[2]).fetchall()))
"""
_LIVE = "select release from live where gone_back is null order by number desc limit 1"
_AT_WORK = "select id from run where ended is null union all select node from resting"

_BEGUN = "select step from step where run in (select id from run where ended is null)"


def live(lab: Lab) -> str:
    """The release that the ledger calls live."""
    ((release,),) = _ledger(lab, _LIVE)
    return release


def at_work(lab: Lab) -> bool:
    """Whether a run is under way, or a node out of the pool for a restart."""
    return bool(_ledger(lab, _AT_WORK))


def begun(lab: Lab) -> set[str]:
    """The steps that the run at work has begun."""
    return {step for (step,) in _ledger(lab, _BEGUN)}


def pool(lab: Lab) -> set[str]:
    """The web nodes in the live pool."""
    proxy = Layout().proxy
    entries = proxy_pools.parse_map(_text(lab, f"{proxy}/site.map"))
    return set(proxy_pools.parse(_text(lab, f"{proxy}/pool_{entries['live']}.cfg")))


def _ledger(lab: Lab, question: str) -> list[tuple[str, ...]]:
    done = lab.exec("salt", _PYTHON, "-c", _SQL, str(Layout().ledger), question)
    assert done.returncode == 0, done.stderr
    return [tuple(row) for row in json.loads(done.stdout)]


def _text(lab: Lab, path: str) -> str:
    done = lab.exec("fe", "cat", path)
    assert done.returncode == 0, done.stderr
    return done.stdout
