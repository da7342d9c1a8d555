"""What nodes see, by the pillar that the master's files make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cluster import live_world, request
from rehearsal import Desk
from wbcore.errors import BadRequest
from wbmaster.nodes.edition import edition


@pytest.fixture(scope="module")
def before(memory):
    world = live_world()
    world.stage("WS221", "c_elegans")
    return Desk(world, memory / "before")


def edit_pillar(desk):
    """Change a file of the pillar, as a person does before giving a command."""
    (root,) = map(Path, desk.opts["pillar_roots"]["base"])
    root.mkdir(parents=True, exist_ok=True)
    with (root / "site.sls").open("a") as file:
        file.write("# a line\n")


def refreshed(desk):
    """The nodes that were given a new pillar."""
    return {node for node, function in desk.nodes.asked if function == "saltutil.refresh_pillar"}


def test_nobody_gets_a_new_pillar_while_no_file_of_it_changes(desk):
    desk.plan(request("release", "WS221"))
    assert not refreshed(desk)


def test_every_node_goes_by_the_pillar_that_was_edited_before_the_command(desk):
    edit_pillar(desk)
    seen = desk.plan(request("release", "WS221")).seen
    assert refreshed(desk) == set(desk.settings.nodes) and not seen.absent
    desk.nodes.asked.clear()
    desk.plan(request("release", "WS221"))
    assert not refreshed(desk)


def test_a_node_whose_pillar_does_not_render_is_left_out_with_the_reason(desk):
    edit_pillar(desk)
    desk.nodes.without_pillar = {"canopus"}
    seen = desk.plan(request("release", "WS221")).seen
    assert list(seen.absent) == ["canopus"]
    assert "salt-run pillar.show_pillar canopus" in seen.troubles["canopus"]


def test_a_development_server_without_its_pillar_stops_the_run_with_the_reason(desk):
    edit_pillar(desk)
    desk.nodes.without_pillar = {"wb-dev"}
    with pytest.raises(BadRequest, match="wb-dev cannot say what it holds: it goes by an older"):
        desk.plan(request("release", "WS221"))


def test_the_edition_says_nothing_of_what_is_in_a_file_and_changes_with_each(tmp_path):
    roots = {"base": [str(tmp_path / "site"), str(tmp_path / "ours")]}
    seen = [edition(roots)]
    for name in ("site/site.sls", "ours/top.sls", "site/more/keys.yaml", "site/site.sls"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write("password")
        seen.append(edition(roots))
    assert len(set(seen)) == len(seen)
    times = path.stat()
    path.write_text("secretsecretsecr")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "site/.site.sls.swp").write_text("what an editor has")
    (tmp_path / "site/gone.sls").symlink_to("nowhere")
    assert edition(roots) == seen[-1]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (86_400, "its clock is 86400 s ahead of the master's; set both by NTP"),
        (5, "its clock is 5 s ahead of the master's; set both by NTP"),
        (-86_400, "its clock is 86400 s behind the master's; set both by NTP"),
        (-20, None),
        (0.5, None),
    ],
)
def test_a_node_with_another_time_is_left_out_with_the_reason(desk, seconds, said):
    desk.nodes.clocks = {"canopus": float(seconds), "wb-dev": 86_400.0, "fe": -86_400.0}
    seen = desk.plan(request("release", "WS221")).seen
    assert dict(seen.troubles) == ({"canopus": said} if said else {})


def test_a_node_with_another_time_stops_no_release(desk):
    desk.nodes.clocks = {"canopus": 86_400.0}
    assert "left out: canopus" in desk.run(request("release", "WS221"))
    assert "canopus" not in desk.nodes.pool and desk.nodes.wrong == []
