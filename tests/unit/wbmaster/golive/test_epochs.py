"""The epoch: late orders, and a ledger that was put back from an older copy.

A copy is taken after every write to the ledger, so of every state that it can be in.
"""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from cluster import World, release, request, settings
from rehearsal import Desk, staged
from wbcore.errors import BadData, ReleaseError, StepFailed
from wbcore.golive import epoch
from wbcore.model import desired
from wbcore.settings import MAINTENANCE, WAYS
from wbmaster import run
from wbmaster.commands import recovery
from wbmaster.ledger import Ledger
from wbmaster.unattended import landings, launcher, supervisor

CHOSEN = settings(landing={"start": "release", "minor": True})


@pytest.mark.parametrize(
    ("held", "reached"),
    [
        ({}, 0),
        ({"fe": 4, "wb-web1": 3, "wb-web2": 3}, 4),
        # One node alone is not believed, two are; and the proxy is.
        ({"fe": 4, "wb-web1": 9, "wb-web2": 4}, 4),
        ({"fe": 4, "wb-web1": 9, "wb-web2": 8}, 8),
        ({"wb-web1": 9}, 0),
    ],
)
def test_the_cluster_is_where_the_proxy_is_or_two_others(held, reached):
    assert epoch.reached(held, settings()) == reached


def test_an_order_of_an_earlier_epoch_is_late():
    epoch.check_order(4, 4)
    epoch.check_order(4, 5)
    with pytest.raises(StepFailed, match=r"of epoch 3, and epoch 4 has begun.*recover_ledger"):
        epoch.check_order(4, 3)


def test_a_ledger_behind_the_nodes_is_an_old_copy():
    epoch.check_ledger(4, {"fe": 4}, settings())
    with pytest.raises(BadData, match="it ends at epoch 3, and the nodes are at 4"):
        epoch.check_ledger(3, {"fe": 4}, settings())


# A ledger that was put back


@pytest.fixture(scope="module", params=WAYS)
def before(request, memory):
    """A desk with WS220 live and WS221 staged."""
    chosen = settings(landing={"start": "release", "minor": True}, golive={"way": request.param})
    return staged(World(chosen), memory / request.param, "WS219", "WS220", "WS221")


def _release(desk):
    desk.run(request("release", "WS221"))


def _minor(desk):
    _release(desk)
    desk.nodes.world.webapp.update(revision=1351, tip=1351)
    desk.run(request("release", "WS221", minor=True))


def _rollback(desk):
    _release(desk)
    desk.run(request("rollback"))


def _push(desk):
    desk.run(request("push", "WS221"))


def _failed(desk):
    """A release that was on nodes already when it failed, and went back."""
    if desk.settings.golive.way == MAINTENANCE:
        desk.nodes.wb_live_switch = _does_not_start(desk.nodes.wb_live_switch)
    else:
        answers = {"answers": 1000, "errors": 0}
        failing = {"before": answers, "after": {**answers, "errors": 900}, "bad": True}
        desk.nodes.wb_proxy_watch = lambda node, seconds, percent: failing
    with pytest.raises(ReleaseError):
        _release(desk)


def _does_not_start(real):
    def switch(node, links, **order):
        answer = real(node, links=links, **order)
        bad = node == "canopus" and links["acedb"] == "wormbase_WS221"
        return {**answer, "version": {"error": "no answer"}} if bad else answer

    return switch


def _three(desk):
    """A release, back from it, and one of the build after."""
    _rollback(desk)
    desk.nodes.world.stage("WS222")
    desk.run(request("release", "WS222"))


STORIES = [_release, _minor, _rollback, _push, _failed, _three]


class Copies:
    """Copies of a ledger, one after each write."""

    def __init__(self, monkeypatch, folder):
        self.paths = []
        real = Ledger._open

        @contextlib.contextmanager
        def opened(ledger):
            with real(ledger) as connection:
                yield connection
                written = connection.total_changes
            if written:
                self._copy(ledger.path, folder / f"{len(self.paths)}.sqlite")

        folder.mkdir()
        monkeypatch.setattr(Ledger, "_open", opened)

    def _copy(self, ledger, path):
        with (
            contextlib.closing(sqlite3.connect(ledger)) as source,
            contextlib.closing(sqlite3.connect(path)) as copy,
        ):
            source.backup(copy)
        self.paths.append(path)


@pytest.fixture
def told(before, room, monkeypatch, request):
    """A desk after a story, and the copies of its ledger."""
    desk = before.again(room / "desk")
    with monkeypatch.context() as patched:
        copies = Copies(patched, room / "copies")
        request.param(desk)
    assert desk.nodes.wrong == []
    yield desk, copies.paths
    run.set_current(None)
    desk.wire.close()


def put_back(desk: Desk, copy: Path, root: Path) -> Desk:
    """The same cluster with another ledger."""
    twin = desk.again(root)
    for left in twin.ledger.path.parent.glob("ledger.sqlite*"):
        left.unlink()
    shutil.copy(copy, twin.ledger.path)
    return twin


def site(desk: Desk):
    """All that must not move."""
    nodes = desk.nodes
    links = {node: dict(links) for node, links in nodes.world.links.items()}
    return links, dict(nodes.world.serving), nodes.live_pool, sorted(nodes.pool), dict(nodes.told)


def enforce(desk: Desk) -> None:
    """What the states of all nodes would do: where the ledger is no old copy, links follow it."""
    for node in desk.settings.serving:
        live = desired.of_node(desk.settings, desk.ledger.known(), node)
        held = desk.nodes.epochs.get(node, 0)
        if live.get("links") and not live["going_live"] and live["epoch"] >= held:
            desk.nodes.world.links[node].update(live["links"])


@pytest.fixture
def at_work(monkeypatch):
    """Runs are started in this process, where they end before the next is started."""

    def popen(desk):
        def start(office, asked):
            with contextlib.suppress(ReleaseError):
                desk.run(asked)

        monkeypatch.setattr(launcher, "_spawn", lambda office, asked, cause: start(office, asked))

    return popen


@pytest.mark.parametrize("told", STORIES, indirect=True, ids=lambda story: story.__name__[1:])
def test_nothing_moves_by_a_ledger_that_was_put_back(told, room, at_work):
    desk, copies = told
    assert len(copies) > 15
    behind = 0
    for number, copy in enumerate(copies):
        twin = put_back(desk, copy, room / str(number))
        at_work(twin)
        moved = site(twin)
        with contextlib.suppress(BadData):
            supervisor.take_up(twin)
        with contextlib.suppress(BadData):
            landings.attend(twin)
        enforce(twin)
        assert site(twin) == moved, f"copy {number} of {len(copies)}"
        behind += twin.ledger.epoch() < desk.ledger.epoch()
    # The others are those from the last moments, when all was done.
    assert len(copies) - behind < 6


@pytest.mark.parametrize("told", [_three], indirect=True)
def test_what_a_person_asks_for_is_refused_by_a_ledger_that_was_put_back(told, room):
    desk, copies = told
    twin = put_back(desk, copies[len(copies) // 2], room / "twin")
    moved = site(twin)
    for asked in (request("release", "WS222"), request("rollback"), request("purge", "WS219")):
        with pytest.raises(BadData, match=r"is an old copy.*salt-run wb_release.recover_ledger"):
            twin.run(asked)
    assert site(twin) == moved


@pytest.mark.parametrize("told", STORIES, indirect=True, ids=lambda story: story.__name__[1:])
def test_a_ledger_that_was_put_back_is_brought_up_to_date(told, room):
    desk, copies = told
    for number, copy in enumerate(copies[::4]):
        twin = put_back(desk, copy, room / f"{number}")
        if twin.ledger.epoch() >= desk.ledger.epoch():
            continue
        moved, before = site(twin), twin.ledger.known()
        assert recovery.recover(twin, True)["recorded"] is False
        assert twin.ledger.known() == before

        said = recovery.recover(twin, False)
        assert said["recorded"] and said["live"]["nodes"] == str(desk.live)
        known = twin.ledger.known()
        assert known.live == desk.live and known.switch is None and known.going_back is None
        ours, theirs = known.releases[known.live], desk.ledger.known().releases[known.live]
        assert (ours.digest, ours.build_digest) == (theirs.digest, theirs.build_digest)
        assert (ours.databases, set(ours.datasets)) == (theirs.databases, set(theirs.datasets))
        assert twin.ledger.unfinished() is None and known.hold(known.live.build)
        enforce(twin)
        assert site(twin) == moved
        assert twin.ledger.epoch() > max(twin.nodes.epochs.values()) - 1


@pytest.mark.parametrize("told", [_three], indirect=True)
def test_after_that_releases_and_rollbacks_go_on(told, room):
    desk, copies = told
    twin = put_back(desk, copies[3], room / "twin")
    recovery.recover(twin, False)
    # What the copy did not know of was no release to it.
    twin.nodes.wrong.clear()
    twin.nodes.world.stage("WS223")
    with pytest.raises(ReleaseError, match="everything is held"):
        twin.run(request("release", "WS223"))

    twin.ledger.lift("hold", None)
    twin.run(request("release", "WS223"))
    assert twin.live.same_content(release("WS223"))
    twin.run(request("rollback"))
    assert twin.live.same_content(release("WS222"))
    assert twin.nodes.wrong == []


@pytest.mark.parametrize("told", [_release], indirect=True)
def test_a_ledger_that_is_no_old_copy_is_left_alone(told):
    desk, _ = told
    before = desk.ledger.path.read_bytes()
    assert "is no old copy" in recovery.recover(desk, False)["ledger"]
    assert desk.ledger.path.read_bytes() == before


@pytest.mark.parametrize("told", [_release], indirect=True)
def test_a_lost_ledger_is_made_anew(told, room):
    desk, _ = told
    twin = desk.again(room / "twin")
    for left in twin.ledger.path.parent.glob("ledger.sqlite*"):
        left.unlink()
    with pytest.raises(BadData, match="it ends at epoch 0"):
        twin.run(request("release", "WS221"))

    recovery.recover(twin, False)
    assert twin.live == desk.live
    # What was announced before is not announced again.
    twin.ledger.lift("hold", None)
    assert "already live" in twin.run(request("release", "WS221"))


# Late orders


def test_an_order_that_was_held_up_is_refused_once_the_site_goes_back(before, room):
    desk = before.again(room / "desk")
    orders = []

    def switch(node, real=desk.nodes.wb_live_switch, **order):
        orders.append((node, order, desk.nodes.epochs[node]))
        return real(node, **order)

    desk.nodes.wb_live_switch = switch
    _failed(desk)
    assert desk.live.same_content(release("WS220"))
    to = [(node, order, given, order["links"]["acedb"][-5:]) for node, order, given in orders]
    forward = {node: (order, given) for node, order, given, build in to if build == "WS221"}
    back = {node: given for node, _, given, build in to if build == "WS220"}
    assert forward and all(back[node] > given for node, (_, given) in forward.items())
    node, (order, given) = next(iter(forward.items()))
    moved = site(desk)

    answer = desk.nodes.ask([node], "wb_live.switch", **order, epoch=given)[node]
    assert "has begun; nothing was done" in answer.error
    assert site(desk) == moved
