"""What becomes live is looked at, file by file, before it does, also in going back."""

import pytest
from cluster import World, release, request, settings
from rehearsal import Desk, scratch, staged
from wbcore.errors import BadRequest
from wbcore.settings import WAYS
from wbmaster import run

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]
OLD, SHARED = "mysql/c_elegans_WS220", "mysql/clustal_WS219"


@pytest.fixture(scope="module", params=WAYS)
def before(request):
    """A desk with WS221 live, WS220 as its way back, and WS222 staged."""
    chosen = settings(golive={"way": request.param})
    with scratch() as root:
        yield staged(World(chosen), root / "before", "WS219", "WS220", "WS221", "WS222")


@pytest.fixture
def desk(before, tmp_path):
    desk = before.again(tmp_path / "desk")
    yield desk
    run.set_current(None)
    desk.wire.close()


def shown(desk: Desk) -> set[str]:
    return {str(desk.nodes.version(node).get("release"))[:5] for node in desk.nodes.pool}


def test_a_way_back_that_was_emptied_is_fetched_again_before_anything_moves(desk):
    desk.nodes.emptied = {"wb-web2": {OLD}, "canopus": {OLD}}
    desk.run(request("rollback"))

    asked = [function for _, function in desk.nodes.asked]
    moves = {"wb_proxy.set_pool", "wb_proxy.maintain", "wb_live.switch"}
    first = next(place for place, function in enumerate(asked) if function in moves)
    assert asked.index("wb_dataset.verify") < first
    assert desk.nodes.wrong == [] and shown(desk) == {"WS220"}
    assert sorted(desk.nodes.pool) == sorted(WEB)


def test_a_node_that_can_not_fetch_it_again_is_left_out(desk):
    desk.nodes.emptied = {"wb-web2": {OLD}}
    desk.nodes.can_not_mend = {"wb-web2"}
    said = desk.run(request("rollback"))

    assert "left out: wb-web2" in said
    assert desk.nodes.wrong == [] and shown(desk) == {"WS220"}
    assert sorted(desk.nodes.pool) == sorted(set(WEB) - {"wb-web2"})
    assert desk.ledger.away() == ["wb-web2"]
    steps = desk.ledger.steps(desk.ledger.runs(1)[0]["id"])
    assert "no source has it" in steps[0]["figures"]["left_out"]["wb-web2"]


def test_nothing_moves_when_too_few_nodes_are_whole(desk):
    bad = {"wb-web1", "wb-web2", "canopus"}
    desk.nodes.emptied = {node: {OLD} for node in bad}
    desk.nodes.can_not_mend = bad
    with pytest.raises(BadRequest, match=r"only 1 of 4 web nodes answer .*no source has it"):
        desk.run(request("rollback"))

    assert shown(desk) == {"WS221"} and desk.live.same_content(release("WS221"))
    assert not {"wb_live.switch", "wb_proxy.set_pool"} & {f for _, f in desk.nodes.asked}


def test_a_release_that_shares_a_database_looks_at_it_too(desk):
    desk.nodes.emptied = {"wb-web1": {SHARED}}
    desk.nodes.wrong.clear()
    desk.run(request("release", "WS222"))

    assert desk.nodes.emptied == {"wb-web1": set()} and shown(desk) == {"WS222"}
