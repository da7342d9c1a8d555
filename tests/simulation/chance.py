"""Stories by chance: what hypothesis makes them of."""

from __future__ import annotations

import re

from cluster import PILLAR
from hypothesis import strategies as st
from simulated_nodes import TROUBLES, Nodes
from stories import (
    KINDS,
    Act,
    Arrives,
    Asks,
    Call,
    Commits,
    Copies,
    Enforces,
    Fills,
    Holds,
    Interferes,
    Lands,
    Leaves,
    Lifts,
    Misjudges,
    Restarts,
    Restores,
    Returns,
    Supervises,
)

_machines = st.sampled_from(sorted(PILLAR["nodes"]))
_kinds = st.sampled_from(KINDS)
_anywhere = [
    _machines.map(Leaves),
    _machines.map(Returns),
    _machines.map(Fills),
    _machines.map(Enforces),
    _machines.map(Misjudges),
    st.integers(0, 25).map(Arrives),
    st.sampled_from([Lands(), Commits(), Holds(), Lifts(), Restarts()]),
]
_meanwhile = st.one_of(st.sampled_from(TROUBLES), _kinds.map(Interferes), *_anywhere)
_functions = sorted(
    re.sub(r"^(wb_[a-z]+)_", r"\1.", name) for name in vars(Nodes) if name.startswith("wb_")
)
# Where a run changes what visitors get, more happens than elsewhere.
_delicate = [
    *("wb_live.switch", "wb_live.heed", "wb_proxy.set_pool", "wb_proxy.change_over"),
    *("wb_proxy.maintain", "wb_proxy.open", "wb_proxy.reports", "wb_proxy.watch"),
    *("wb_download.follow", "wb_proxy.read"),
]


@st.composite
def _asks(draw: st.DrawFn) -> Asks:
    """A request, and up to three things that happen meanwhile; a release more often than others."""
    kind = draw(st.sampled_from(("release", "release", "rollback", *KINDS)))
    meanwhile: dict[Call, str | Act] = {}
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 2, 3, 0)))):
        functions = draw(st.sampled_from((_delicate, _delicate, _functions)))
        call = (draw(st.sampled_from(functions)), draw(st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4))))
        trouble = draw(st.booleans())
        meanwhile[call] = draw(st.sampled_from(TROUBLES) if trouble else _meanwhile)
    return Asks(kind, tuple(meanwhile.items()))


@st.composite
def _act(draw: st.DrawFn) -> Act:
    """An act; as many requests as all the rest together."""
    if draw(st.booleans()):
        return draw(_asks())
    return draw(st.one_of(st.sampled_from([Copies(), Restores(), Supervises()]), *_anywhere))


stories = st.lists(_act(), min_size=1, max_size=8)
