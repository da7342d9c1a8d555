"""docs/events.md is complete, and true: held against the events of whole runs."""

import re
from pathlib import Path

import pytest
from cluster import World, release, request, settings
from rehearsal import Desk, staged
from simulated_nodes import FAIL
from wbcore.errors import ReleaseError
from wbcore.settings import MAINTENANCE, SEAMLESS
from wbmaster.commands import verdicts
from wbmaster.steps import STEPS

TEXT = (Path(__file__).resolve().parents[2] / "docs/events.md").read_text(encoding="utf-8")


def rows(column: str) -> dict[str, str]:
    """The table whose first column is headed so: first cell → last cell."""
    table = TEXT.split(f"| {column} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {line[0].strip("`"): line[-1] for line in cells}


def documented() -> dict[str, set[str]]:
    """The figures of each step, as the document has them."""
    return {step: set(re.findall(r"`(\w+)`", cell)) for step, cell in rows("step").items()}


@pytest.fixture(scope="module")
def desk(memory):
    """A desk after runs of every kind, in which every figure came up."""
    desk = staged(World(settings()), memory / "desk", "WS219", "WS220", "WS221")
    desk.run(request("push", "WS221"))
    verdicts.bad(desk, "WS221", "half is missing")
    desk.nodes.world.stage("WS222")
    desk.nodes.disks["wb-web1"] = 1000 * len(desk.nodes.world.held["wb-web1"])
    pull = desk.nodes.wb_dataset_pull
    desk.nodes.wb_dataset_pull = lambda node, **order: {**pull(node, **order), "mended": ["x/y"]}
    desk.nodes.world.sealed.update(("WS222", "WS223"))
    verdicts.accept(desk, "WS222", "half was dropped on purpose")
    measure = desk.nodes.wb_contents_measure
    few = {"figures": {"classes": {"Gene": 1}}, "missing": ""}
    desk.nodes.wb_contents_measure = lambda node, build, dry: (
        few if build == "WS222" else measure(node, build, dry)
    )
    desk.run(request("release", "WS222"))
    desk.nodes.wb_contents_measure = lambda *_, **__: {"figures": {}, "missing": "it is gone"}
    desk.nodes.world.stage("WS223")
    verdicts.accept(desk, "WS223", "nothing is known of it")
    desk.run(request("push", "WS223"))
    desk.run(request("purge", "WS219"))
    desk.settings = settings(golive={"way": "maintenance"})
    desk.nodes.emptied = {"wb-gb1": {"mysql/clustal_WS219"}}
    desk.nodes.can_not_mend = {"wb-gb1"}
    desk.run(request("rollback"))
    desk.nodes.emptied.clear()
    desk.nodes.wb_contents_measure = measure
    desk.nodes.world.stage("WS224")
    with pytest.raises(ReleaseError):
        desk.run(request("release", "WS224"), {8: FAIL})
    desk.wire.fired += adopted(memory) + deserted(memory)
    yield desk
    desk.wire.close()


def adopted(memory) -> list[tuple[str, dict]]:
    """What is fired while a cluster is taken over that was not all right."""
    world = World(settings())
    world.stage("WS220")
    world.serve_unadopted(release("WS220"))
    world.lying["canopus"]["mysql/c_elegans_WS220"] = "another"
    desk = Desk(world, memory / "adopted")
    desk.nodes.strange["wb-web1"] = {"mysql/c_elegans_WS220"}
    desk.run(request("adopt", repair=True))
    desk.wire.close()
    return desk.wire.fired


# A call of each step that goes on without a node: the function, and the step if it is told it.
_DESERTED = (
    *((function, None) for function in ("wb_disk.check", "wb_live.switch", "wb_dataset.found")),
    *(("wb_dataset.pull", f"push_{what}") for what in ("acedb", "mysql", "support", "webapp")),
)


def deserted(memory) -> list[tuple[str, dict]]:
    """What is fired by releases in each of which one node stops answering."""
    fired = []
    ways = [(moment, SEAMLESS) for moment in _DESERTED] + [(("wb_live.switch", None), MAINTENANCE)]
    for number, (moment, way) in enumerate(ways):
        chosen = settings(golive={"way": way})
        desk = staged(World(chosen), memory / f"deserted-{number}", "WS220", "WS221")
        real = desk.nodes._ask

        def ask(node, function, kwargs, desk=desk, real=real, moment=moment):
            if (function, kwargs.get("step")) == moment:
                desk.nodes.world.absent = desk.nodes.world.absent or (node,)
            return real(node, function, kwargs)

        desk.nodes._ask = ask
        assert "left out: " in desk.run(request("release", "WS221"))
        desk.wire.close()
        fired += desk.wire.fired
    return fired


def told(desk: Desk, phase: str) -> list[tuple[str, dict]]:
    """(step, payload) of every event of a phase."""
    fired = [(tag.split("/"), payload) for tag, payload in desk.wire.fired]
    return [(parts[3], payload) for parts, payload in fired if parts[4] == phase]


def test_every_step_is_in_the_document_and_no_other():
    assert list(rows("step")) == list(STEPS)


def test_every_figure_is_explained_and_no_other():
    used = {figure for figures in documented().values() for figure in figures}

    assert set(rows("figure")) == used | {"seconds"}


def test_every_step_tells_the_figures_that_the_document_says(desk):
    seen: dict[str, set[str]] = {step: set() for step in STEPS}
    for step, payload in told(desk, "done"):
        if step != "run":
            assert {"build", "step", "run", "changed", "seconds"} <= set(payload)
            seen[step] |= set(payload) - {"build", "step", "run", "changed", "seconds"}

    assert seen == documented()


def test_every_other_payload_is_as_the_document_says(desk):
    plain = {"build", "step", "run"}
    assert {frozenset(payload) for _, payload in told(desk, "start")} == {frozenset(plain)}
    failed = {step: set(payload) for step, payload in told(desk, "failed")}
    assert failed.pop("run") == plain | {"error", "step_failed"}
    assert list(failed.values()) == [plain | {"error", "node"}]
    done = [set(payload) for step, payload in told(desk, "done") if step == "run"]
    assert all(payload == plain | {"error", "step_failed"} for payload in done)
    assert {frozenset(payload) for _, payload in told(desk, "progress")} == {
        frozenset(plain | {"node", "received", "complete"})
    }
    for key in ("error", "node", "step_failed", "received", "complete", "changed"):
        assert f"`{key}" in TEXT
