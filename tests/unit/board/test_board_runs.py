"""What happened in a run, as its page tells it from the ledger of a whole run."""

import time

import pytest
from cluster import World, request, settings
from rehearsal import staged
from simulated_nodes import FAIL
from wbcore.errors import ReleaseError
from wbmaster.reporting import tree

from board import runs


@pytest.fixture(scope="module")
def before(memory):
    return staged(World(settings()), memory / "before", "WS220", "WS221")


def told(desk):
    """What is told of the newest run."""
    (row,) = desk.ledger.runs(1)
    return runs.happened(tree.of(desk.ledger, row, time.time()))


def test_a_release_is_told_in_order_with_its_nodes_and_who_was_left_out(desk):
    real = desk.nodes._ask

    def ask(node, function, kwargs):
        if function == "wb_dataset.pull" and node == "canopus":
            desk.nodes.world.absent = ("canopus",)
        return real(node, function, kwargs)

    desk.nodes._ask = ask
    desk.run(request("release", "WS221"))
    happened = told(desk)
    words = [text for _, text in happened]

    assert [stamp for stamp, _ in happened] == sorted(stamp for stamp, _ in happened)
    assert (words[0], words[-1]) == ("the run begins", "the run ends: done")
    assert "push acedb: wb-web1 has everything" in words
    assert "push acedb: canopus is left out, since it does not answer" in words
    assert words.index("seal begins") < words.index("go live is done")


def test_a_run_that_failed_ends_with_why(desk):
    with pytest.raises(ReleaseError):
        desk.run(request("release", "WS221"), {8: FAIL})
    *_, failed, ended = (text for _, text in told(desk))
    assert " failed: " in failed and ended == "the run ends: failed"
