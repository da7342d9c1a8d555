"""Stories by chance: what hypothesis makes them of."""

from __future__ import annotations

import re

from acts import (
    COMMITS,
    COPIES,
    HOLDS,
    KINDS,
    LANDS,
    LIFTS,
    RESTARTS,
    RESTORES,
    SUPERVISES,
    arrives,
    asks,
    enforces,
    fills,
    interferes,
    leaves,
    misjudges,
    returns,
)
from cluster import PILLAR
from hypothesis import strategies as st
from simulated_nodes import TROUBLES, Nodes
from simulated_site import Act, Call

_anywhere = [
    *(
        st.sampled_from(sorted(PILLAR["nodes"])).map(what)
        for what in (leaves, returns, fills, enforces, misjudges)
    ),
    st.integers(0, 25).map(arrives),
    st.sampled_from([LANDS, COMMITS, HOLDS, LIFTS, RESTARTS]),
]
_meanwhile = st.one_of(
    st.sampled_from(TROUBLES), st.sampled_from(KINDS).map(interferes), *_anywhere
)
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
def _asks(draw: st.DrawFn) -> Act:
    """A request, and up to three things that happen meanwhile; a release more often than others."""
    kind = draw(st.sampled_from(("release", "release", "rollback", *KINDS)))
    meanwhile: dict[Call, str | Act] = {}
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 2, 3, 0)))):
        functions = draw(st.sampled_from((_delicate, _delicate, _functions)))
        call = (draw(st.sampled_from(functions)), draw(st.sampled_from((0, 0, 0, 1, 1, 2, 3, 4))))
        trouble = draw(st.booleans())
        meanwhile[call] = draw(st.sampled_from(TROUBLES) if trouble else _meanwhile)
    return asks(kind, *meanwhile.items())


@st.composite
def _act(draw: st.DrawFn) -> Act:
    """An act; as many requests as all the rest together."""
    if draw(st.booleans()):
        return draw(_asks())
    return draw(st.one_of(st.sampled_from([COPIES, RESTORES, SUPERVISES]), *_anywhere))


stories = st.lists(_act(), min_size=1, max_size=8)
