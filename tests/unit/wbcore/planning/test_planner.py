"""wbcore.planning.planner: what is left to do, and what is refused with which way out."""

import datetime
import re
from dataclasses import replace

import pytest
from cluster import TODAY, World, field_world, live_world, release, request, settings
from wbcore.disk.retention import used, ways_back
from wbcore.errors import BadData, BadRequest
from wbcore.names import Build
from wbcore.planning.planner import decide
from wbcore.settings import Retention
from wbcore.verdicts import Verdict

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]


def refused(world: World, kind: str, build: str = "", **flags: bool) -> str:
    """The error with which a request is refused."""
    with pytest.raises((BadRequest, BadData)) as caught:
        world.plan(request(kind, build, **flags))
    return str(caught.value)


def stack(world: World) -> list[str]:
    """What was live, by build and revision."""
    return [f"{one.build}-{one.revision}" for one in world.known.stack]


# A release


def test_release_of_a_first_build_brings_and_switches_everything():
    plan = field_world("WS220").plan(request("release", "WS220"))

    assert plan.release == release("WS220")
    assert plan.before is None
    assert plan.pulls["wb-gb1"] == ("mysql/c_elegans_WS220", "mysql/clustal_WS220")
    assert "support/WS220/blast" in plan.pulls["wb-mining"]
    assert "support/WS220/blast" not in plan.pulls["wb-web1"]
    assert set(plan.flips["wb-gb1"]) == {"mysql/c_elegans", "mysql/clustal"}
    assert set(plan.flips["wb-web1"]) == {
        "acedb",
        "production",
        "mysql/c_elegans",
        "mysql/clustal",
    }
    assert plan.announce == ["publish", "post", "mail"]
    assert (plan.seals, plan.needs_pull, plan.needs_golive, plan.idle) == (True, True, True, False)
    assert plan.behind == settings().serving


def test_release_of_a_next_build_moves_only_what_was_rebuilt():
    world = live_world("WS220")
    world.stage("WS221")
    plan = world.plan(request("release", "WS221"))

    assert plan.pulls["wb-gb1"] == ("mysql/c_elegans_WS221",)
    assert plan.flips["wb-gb1"] == {"mysql/c_elegans": "c_elegans_WS221"}
    assert plan.pull_bytes()["wb-gb1"] == 1000
    assert plan.pull_bytes()["wb-mining"] == 4000


def test_release_of_the_live_build_is_idle():
    world = live_world("WS220")

    assert world.plan(request("release", "WS220")).idle


def test_release_keeps_the_day_on_which_it_was_begun():
    world = field_world("WS220")
    world.interrupt(world.plan(request("release", "WS220")), flipped=0)
    tomorrow = TODAY + datetime.timedelta(days=1)
    seen = world.see("WS220")
    plan = decide(request("release", "WS220"), world.settings, world.known, seen, tomorrow)

    assert plan.release == release("WS220")


def test_release_after_a_skipped_build_brings_what_was_rebuilt_for_that_too():
    world = live_world("WS220")
    world.stage("WS221", "clustal")
    world.stage("WS222", "c_elegans")
    plan = world.plan(request("release", "WS222"))

    assert plan.pulls["wb-gb1"] == ("mysql/c_elegans_WS222", "mysql/clustal_WS221")


def test_release_of_an_older_build_is_refused():
    world = live_world("WS220", "WS221")

    assert "WS220 is older than the live WS221-" in refused(world, "release", "WS220")
    assert "use orch.rollback" in refused(world, "push", "WS220")


def test_release_of_what_is_not_staged_names_what_is():
    world = field_world("WS99", "WS220")

    assert refused(world, "release", "WS230") == (
        "WS230 is not staged on wb-dev; stage it there, or name one that is: WS99, WS220"
    )
    assert "there is none yet" in refused(World(settings()), "push", "WS230")


def test_release_of_an_unsealed_build_that_is_not_the_newest_is_refused():
    world = field_world("WS220", "WS221")

    assert "WS220 was never sealed and WS221 is staged already" in refused(
        world, "release", "WS220"
    )


def test_release_of_a_sealed_build_that_is_not_the_newest_goes_on():
    world = field_world("WS220", "WS221")
    world.sealed.add("WS220")

    assert world.plan(request("release", "WS220")).release == release("WS220")


@pytest.mark.parametrize(
    ("finding", "says"),
    [
        ({"problems": ["block1.wrm is missing"]}, "wb-dev: block1.wrm is missing; fix WS220"),
        ({"problems": ["x", "y"]}, "wb-dev: 2 things are wrong: (1) x (2) y; fix WS220"),
        ({"changed": ["acedb/x", "acedb/y"]}, "after it was sealed: acedb/x, acedb/y; restore the"),
        ({"changed": ["acedb/x"]}, "salt wb-dev wb_build.unseal WS220"),
    ],
)
def test_release_of_a_bad_build_names_the_finding(finding, says):
    world = field_world("WS220")
    survey = {**world.survey("WS220"), **finding}
    seen = world.see("WS220")
    seen = replace(seen, staging=replace(seen.staging, survey=survey))

    with pytest.raises(BadData, match=re.escape(says)):
        decide(request("release", "WS220"), world.settings, world.known, seen, TODAY)


@pytest.mark.parametrize("kind", ["release", "golive"])
@pytest.mark.parametrize(
    ("webapp", "says"),
    [
        ({"error": "hg: abort"}, "wb-dev: hg: abort; fix website/staging"),
        ({"rewritten": [str(release("WS220"))]}, "not the changeset that WS220-2010.12.24"),
        ({"modified": ["lib/x.pm", "lib/y.pm"]}, "an uncommitted change: lib/x.pm; commit or"),
        (
            {"revision": 1349},
            "at revision 1349, its tip is 1350; bring it up to date there first",
        ),
    ],
)
def test_release_of_a_webapp_that_has_no_name_is_refused(kind, webapp, says):
    world = field_world("WS220")
    world.carry_out(world.plan(request("push", "WS220")))
    world.webapp.update(webapp)

    assert says in refused(world, kind, "WS220")


NOTES, NO_BLOG = "the release notes can not be read", "the pillar names no blog"
UNREADY = {"mail": [NOTES], "post": [NO_BLOG, NOTES]}


@pytest.mark.parametrize("kind", ["release", "announce"])
def test_what_can_not_be_announced_is_refused_before_anything_is_done(kind):
    world = live_world("WS220")
    if kind == "release":
        world.stage("WS221")
    else:
        live = world.known.live
        record = replace(world.known.releases[live], posted=False, mailed=False)
        world.known = replace(world.known, releases={live: record})
    world.unready = UNREADY
    says = re.escape(f"can not be announced: 2 things are wrong: (1) {NO_BLOG} (2) {NOTES}; add")
    with pytest.raises(BadRequest, match=f"^wb-dev: WS22[01] {says}"):
        world.plan(request(kind, "WS221" if kind == "release" else "WS220"))


@pytest.mark.parametrize("asked", ["push", "golive", "rollback", "minor"])
def test_what_announces_nothing_needs_no_blog(asked):
    world = live_world("WS219", "WS220")
    world.unready = UNREADY
    if asked == "minor":
        world.webapp["revision"] = world.webapp["tip"] = 1351
        world.plan(request("release", "WS220", minor=True))
    else:
        world.plan(request(asked, "" if asked == "rollback" else "WS220"))


def test_a_change_over_that_died_is_ended_whatever_became_of_the_notes():
    world = live_world("WS220")
    world.stage("WS221")
    world.interrupt(world.plan(request("release", "WS221")), 1)
    world.unready = UNREADY
    assert world.plan(request("release", "WS221")).needs_golive


def test_push_does_not_look_at_the_webapp():
    world = field_world("WS220")
    world.webapp["modified"] = ["lib/x.pm"]

    assert world.plan(request("push", "WS220")).needs_pull


def test_release_of_the_live_build_with_a_newer_revision_points_to_minor():
    world = live_world("WS220")
    world.webapp.update(revision=1351, tip=1351)

    assert "'{build: WS220, minor: True}'" in refused(world, "release", "WS220")


def test_release_that_died_as_a_minor_revision_goes_on():
    world = live_world("WS220")
    world.webapp.update(revision=1351, tip=1351)
    world.interrupt(world.plan(request("release", "WS220", minor=True)), flipped=1)

    assert world.plan(request("release", "WS220")).release == release("WS220", 1351)


def test_a_dataset_with_another_digest_is_fetched_again():
    world = live_world("WS220")
    world.held["canopus"]["acedb/wormbase_WS220"] = "sha256 of something else"
    plan = world.plan(request("release", "WS220"))

    assert plan.needs_pull
    assert {node: lacks for node, lacks in plan.pulls.items() if lacks} == {
        "canopus": ("acedb/wormbase_WS220",)
    }


def test_a_dataset_of_an_unsealed_build_is_known_by_its_name():
    world = field_world("WS220")
    world.held["canopus"] = {"acedb/wormbase_WS220": "any digest"}
    plan = world.plan(request("release", "WS220"))

    assert "acedb/wormbase_WS220" not in plan.pulls["canopus"]
    assert "acedb/wormbase_WS220" in plan.pulls["wb-web1"]


def test_a_node_whose_servers_have_not_followed_is_behind():
    world = live_world("WS220", "WS221")
    world.serving["wb-gb1"] = {"mysql/c_elegans": "c_elegans_WS220"}
    plan = world.plan(request("release", "WS221"))

    assert (list(plan.stale), plan.behind) == (["wb-gb1"], ["wb-gb1"])
    assert plan.needs_golive and not plan.idle


def test_a_node_that_began_a_switch_and_did_not_end_it_is_behind():
    world = live_world("WS220")
    world.half_done.add("wb-web2")

    assert world.plan(request("release", "WS220")).behind == ["wb-web2"]


def test_a_node_with_a_wrong_link_is_behind():
    world = live_world("WS220")
    world.links["canopus"] = {**world.links["canopus"], "acedb": "wormbase_WS219"}
    plan = world.plan(request("release", "WS220"))

    assert plan.behind == ["canopus"]
    assert plan.flips["canopus"] == {"acedb": "wormbase_WS220"}


# Who is there


def test_absent_nodes_are_left_out_and_named():
    world = field_world("WS220")
    world.absent = ("wb-web2", "wb-gb1")
    plan = world.plan(request("release", "WS220"))

    assert list(plan.present) == ["wb-web1", "wb-mining", "canopus"]
    assert list(plan.absent) == ["wb-web2", "wb-gb1"]
    assert set(plan.pulls) == set(plan.flips) == {"wb-web1", "wb-mining", "canopus"}


def test_half_of_the_web_nodes_are_enough():
    world = live_world("WS219", "WS220")
    world.absent = ("wb-web2", "canopus")

    assert world.plan(request("rollback")).release == release("WS219")


@pytest.mark.parametrize("kind", ["release", "golive", "rollback"])
def test_less_than_half_of_the_web_nodes_are_refused(kind):
    world = live_world("WS219", "WS220")
    world.absent = ("wb-web1", "wb-web2", "canopus")
    build = "" if kind == "rollback" else "WS220"

    assert refused(world, kind, build) == (
        "only 1 of 4 web nodes answer (wb-web1, wb-web2, canopus do not); "
        "bring them back, or lower wormbase:golive:quorum_percent"
    )


def test_the_quorum_is_that_of_the_pillar_but_never_nobody():
    world = live_world("WS219", "WS220")
    world.settings = settings(golive={"quorum_percent": 0})
    world.absent = ("wb-web1", "wb-web2", "canopus")
    assert world.plan(request("rollback"))

    world.absent = tuple(WEB)
    assert "only 0 of 4" in refused(world, "rollback")


def test_a_proxy_that_is_away_is_refused():
    world = live_world("WS219", "WS220")
    world.absent = ("fe",)

    assert refused(world, "rollback") == ("the proxy fe does not answer; bring it back first")


def test_push_and_announce_need_no_quorum():
    world = live_world("WS220")
    world.absent = (*WEB, "fe")

    assert list(world.plan(request("push", "WS220")).present) == ["wb-gb1"]
    assert world.plan(request("announce", "WS220")).idle


@pytest.mark.parametrize(
    ("kind", "flags"), [("release", {}), ("push", {}), ("golive", {}), ("release", {"minor": True})]
)
def test_a_development_server_that_is_away_is_refused(kind, flags):
    world = live_world("WS220")
    world.absent = ("wb-dev",)

    assert refused(world, kind, "WS220", **flags) == (
        "wb-dev does not answer; bring the development server back first"
    )


def test_rollback_needs_no_development_server():
    world = live_world("WS219", "WS220")
    world.absent = ("wb-dev",)

    assert world.plan(request("rollback")).release == release("WS219")


# Push, golive, minor


def test_push_brings_databases_and_nothing_goes_live():
    world = field_world("WS220")
    plan = world.plan(request("push", "WS220"))

    assert plan.needs_pull and plan.seals
    assert (plan.release, plan.flips, plan.announce) == (None, {}, ())
    assert not plan.needs_golive
    world.carry_out(plan)
    assert world.plan(request("push", "WS220")).idle


def test_golive_of_what_was_not_pushed_names_node_and_dataset():
    world = field_world("WS220")
    world.carry_out(world.plan(request("push", "WS220")))
    del world.held["canopus"]["support/WS220/ontology"]

    assert refused(world, "golive", "WS220") == (
        "WS220 is not complete on canopus (support/WS220/ontology is missing); "
        "push it first: orch.push pillar='{build: WS220}'"
    )


def test_golive_of_what_was_pushed_announces_nothing_and_release_does_so_afterwards():
    world = field_world("WS220")
    world.carry_out(world.plan(request("push", "WS220")))
    plan = world.plan(request("golive", "WS220"))
    assert plan.needs_golive and plan.announce == []

    world.carry_out(plan)
    assert world.plan(request("golive", "WS220")).idle
    after = world.plan(request("release", "WS220"))
    assert after.announce == ["publish", "post", "mail"]
    assert not after.needs_pull and not after.needs_golive


def test_minor_moves_the_webapp_alone():
    world = live_world("WS220")
    world.webapp.update(revision=1351, tip=1351)
    plan = world.plan(request("release", "WS220", minor=True))

    assert plan.release == release("WS220", 1351)
    assert plan.before == release("WS220")
    assert not (plan.seals or plan.needs_pull or plan.announce)
    assert plan.flips == {
        node: ({"production": str(plan.release)} if node in WEB else {})
        for node in settings().serving
    }


def test_minor_leaves_out_a_node_that_does_not_hold_the_live_databases():
    world = live_world("WS219", "WS220")
    # As one that was away, and has not caught up yet.
    del world.held["wb-web2"]["acedb/wormbase_WS220"]
    world.webapp["revision"] = world.webapp["tip"] = 1351
    plan = world.plan(request("release", "WS220", minor=True))

    assert plan.lacking == ("wb-web2",)
    assert "wb-web2" not in {*plan.present, *plan.flips}


def test_minor_does_not_mind_a_node_without_the_webapp_before():
    world = live_world("WS220")
    del world.held["wb-web2"][f"webapp/{release('WS220')}"]
    world.webapp["revision"] = world.webapp["tip"] = 1351

    assert world.plan(request("release", "WS220", minor=True)).lacking == ()


def test_minor_that_too_few_web_nodes_can_serve_is_refused():
    world = live_world("WS219", "WS220")
    for node in ("wb-web1", "wb-web2", "wb-mining"):
        del world.held[node]["acedb/wormbase_WS220"]
    world.webapp["revision"] = world.webapp["tip"] = 1351

    told = refused(world, "release", "WS220", minor=True)
    assert told.startswith(f"wb-web1: acedb/wormbase_WS220 of {release('WS220')} is not there")


def test_minor_of_the_same_revision_is_idle():
    assert live_world("WS220").plan(request("release", "WS220", minor=True)).idle


def test_minor_does_not_ask_what_became_of_the_build():
    world = live_world("WS220")
    world.builds.clear()
    world.webapp.update(revision=1351, tip=1351)

    assert world.plan(request("release", "WS220", minor=True)).needs_golive


@pytest.mark.parametrize("build", ["WS219", "WS221"])
def test_minor_of_a_build_that_is_not_live_is_refused(build):
    world = live_world("WS220")

    assert f"{build} is not live (WS220-2010.12.24-0.02-1350 is)" in refused(
        world, "release", build, minor=True
    )


def test_minor_before_the_first_release_is_refused():
    assert "(nothing is)" in refused(field_world("WS220"), "release", "WS220", minor=True)


def test_minor_of_an_uncommitted_webapp_is_refused():
    world = live_world("WS220")
    world.webapp["modified"] = ["lib/x.pm"]

    assert "lib/x.pm" in refused(world, "release", "WS220", minor=True)


# Back


def test_rollback_leads_one_release_back_and_never_forward():
    world = live_world("WS219", "WS220", "WS221")
    for build in ("WS220", "WS219"):
        plan = world.plan(request("rollback"))
        assert plan.release == release(build)
        world.carry_out(plan)
    assert stack(world) == ["WS219-1350"]
    assert refused(world, "rollback") == (
        "there is no release to go back to; see salt-run wb_release.history"
    )


def bad(world, *builds):
    verdicts = [Verdict("bad", Build.parse(build), "wrong genes", "todd", 0.0) for build in builds]
    world.known = replace(world.known, verdicts=verdicts)


def test_rollback_passes_over_a_build_that_was_marked_bad_after_it_was_live():
    world = live_world("WS219", "WS220", "WS221")
    bad(world, "WS220")
    plan = world.plan(request("rollback"))

    assert plan.release == release("WS219")
    assert ways_back(world.known) == [release("WS219")]


def test_rollback_to_nothing_but_bad_builds_is_refused_by_name():
    world = live_world("WS220", "WS221")
    bad(world, "WS220")

    told = refused(world, "rollback")
    assert "WS220, which was live before, is marked bad" in told
    assert "wb_release.good build=WS220" in told


def test_a_change_over_that_died_is_undone_whatever_is_said_of_where_it_leads():
    world = live_world("WS220")
    world.stage("WS221")
    world.interrupt(world.plan(request("release", "WS221")), flipped=2)
    bad(world, "WS220")

    assert world.plan(request("rollback")).release == release("WS220")


def test_rollback_switches_data_and_webapp_together():
    world = live_world("WS220", "WS221")
    plan = world.plan(request("rollback"))

    assert plan.flips["wb-web1"] == {
        "acedb": "wormbase_WS220",
        "mysql/c_elegans": "c_elegans_WS220",
        "production": str(release("WS220")),
    }
    assert not (plan.seals or plan.needs_pull or plan.announce)


def test_rollback_leaves_out_nodes_that_do_not_hold_what_it_leads_to():
    world = live_world("WS220", "WS221")
    # As on a node that joined when WS221 was live.
    for node in ("wb-gb1", "wb-web2"):
        del world.held[node]["mysql/c_elegans_WS220"]
    plan = world.plan(request("rollback"))

    assert plan.lacking == plan.left_out == ("wb-web2", "wb-gb1")
    assert plan.present == ("wb-web1", "wb-mining", "canopus")
    assert not {"wb-gb1", "wb-web2"} & {*plan.flips, *plan.stale}


def test_rollback_to_what_too_few_web_nodes_hold_is_refused_by_name():
    world = live_world("WS220", "WS221")
    for node in ("wb-web1", "wb-web2", "wb-mining"):
        del world.held[node]["mysql/c_elegans_WS220"]

    assert refused(world, "rollback") == (
        "wb-web1: mysql/c_elegans_WS220 of WS220-2010.12.24-0.02-1350 is not there, and too few "
        "web nodes have it; release a build again, restore the dataset, or, of what is live, run "
        "salt wb-web1 state.apply"
    )


def test_rollback_does_not_mind_what_a_node_need_not_hold():
    world = live_world("WS220", "WS221")
    world.held["wb-gb1"].pop("acedb/wormbase_WS220", None)
    del world.held["wb-web1"]["support/WS221/ontology"]

    assert world.plan(request("rollback")).release == release("WS220")


def test_rollback_out_of_a_change_over_that_died_leads_to_what_was_live():
    world = live_world("WS219", "WS220")
    world.stage("WS221")
    world.interrupt(world.plan(request("release", "WS221")), flipped=2)

    plan = world.plan(request("rollback"))
    assert plan.release == plan.before == release("WS220")
    assert plan.behind == ["wb-web1", "wb-web2"]


def test_rollback_out_of_a_first_change_over_that_died_has_nowhere_to_go():
    world = field_world("WS220")
    world.interrupt(world.plan(request("release", "WS220")), flipped=2)

    assert "no release to go back to" in refused(world, "rollback")


@pytest.mark.parametrize("flipped", [0, 2, 5])
def test_rollback_that_died_in_the_change_over_goes_where_it_went(flipped):
    world = live_world("WS219", "WS220", "WS221")
    plan = world.plan(request("rollback"))
    world.interrupt(plan, flipped)
    world.known = replace(world.known, going_back=plan.release)

    assert world.plan(request("rollback")).release == release("WS220")
    world.carry_out(world.plan(request("rollback")))
    assert stack(world) == ["WS219-1350", "WS220-1350"]


def test_rollback_that_died_after_the_change_over_does_not_go_one_further_back():
    world = live_world("WS219", "WS220", "WS221")
    world.carry_out(world.plan(request("rollback")))
    world.known = replace(world.known, going_back=release("WS220"))
    plan = world.plan(request("rollback"))

    assert plan.release == plan.before == release("WS220")
    # What comes after the change-over is left to do.
    assert not plan.needs_golive and not plan.idle


# Announcing


def test_announce_tells_what_was_not_told_yet():
    world = field_world("WS220")
    world.carry_out(world.plan(request("push", "WS220")))
    world.carry_out(world.plan(request("golive", "WS220")))
    plan = world.plan(request("announce", "WS220"))
    assert plan.announce == ["post", "mail"]
    assert not (plan.idle or plan.needs_golive or plan.seals)

    world.carry_out(plan)
    assert world.plan(request("announce", "WS220")).idle
    assert world.plan(request("release", "WS220")).announce == ["publish"]


def test_announce_of_what_is_not_live_is_refused():
    world = live_world("WS220")

    assert refused(world, "announce", "WS221") == (
        "WS221 is not live, so it can not be announced; "
        "the live release is WS220-2010.12.24-0.02-1350"
    )
    assert "the live release is none" in refused(field_world(), "announce", "WS221")


@pytest.mark.parametrize("kind", ["release", "announce"])
def test_a_build_is_not_announced_again_for_its_minor_revisions(kind):
    world = live_world("WS220")
    for revision in (1351, 1352):
        world.webapp.update(revision=revision, tip=revision)
        world.carry_out(world.plan(request("release", "WS220", minor=True)))

    assert stack(world) == ["WS220-1350", "WS220-1351", "WS220-1352"]
    assert world.plan(request(kind, "WS220")).idle


def test_a_build_that_went_live_again_with_another_webapp_is_announced():
    world = live_world("WS219", "WS220")
    world.carry_out(world.plan(request("rollback")))
    world.webapp.update(revision=1351, tip=1351)

    assert world.plan(request("release", "WS220")).announce == ["publish", "post", "mail"]


# Purging


def test_purge_of_an_old_build_is_never_idle():
    plan = live_world("WS219", "WS220", "WS221").plan(request("purge", "WS219"))

    assert not (plan.idle or plan.needs_pull or plan.needs_golive or plan.seals)
    assert list(plan.present) == settings().serving


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize(
    ("build", "why"), [("WS221", "it is live"), ("WS220", "it is the way back")]
)
def test_purge_of_what_is_needed_is_refused(build, why, local):
    world = live_world("WS219", "WS220", "WS221")

    assert f"{build}-2010.12.24-0.02-1350 uses it ({why})" in refused(
        world, "purge", build, local=local
    )


def test_purge_of_the_build_before_is_refused_after_minor_revisions_too():
    world = live_world("WS219", "WS220")
    for revision in (1351, 1352):
        world.webapp.update(revision=revision, tip=revision)
        world.carry_out(world.plan(request("release", "WS220", minor=True)))

    assert "it is the way back" in refused(world, "purge", "WS219")


def test_purge_of_a_pinned_build_is_refused():
    world = live_world("WS218", "WS219", "WS220")
    world.settings = settings(retention={"pinned": ["WS218", "WS100"]})

    assert "WS218 can not be purged" in refused(world, "purge", "WS218")
    assert refused(world, "purge", "WS100") == (
        "WS100 can not be purged, since it is pinned; "
        "take it out of wormbase:retention:pinned first"
    )
    world.settings = settings(retention={"pinned_every": 109})
    assert refused(world, "purge", "WS218").endswith("uses it (it is pinned); " + _OLDER)
    assert refused(world, "purge", "WS109") == (
        "WS109 can not be purged, since it is pinned; see wormbase:retention:pinned_every"
    )


_OLDER = "purge an older build; salt-run wb_release.status shows what is live"


def test_purge_of_what_a_change_over_leads_to_is_refused():
    world = live_world("WS219", "WS220")
    world.stage("WS221")
    world.interrupt(world.plan(request("release", "WS221")), flipped=0)

    assert "it is being switched" in refused(world, "purge", "WS221")


def test_used_names_each_release_once_with_the_first_reason():
    world = live_world("WS218", "WS219", "WS220", "WS221")
    pins = Retention(pinned=("WS218", "WS221"))
    reasons = {str(one.build): one.why for one in used(world.known, pins)}

    assert reasons == {
        "WS221": "it is live",
        "WS220": "it is the way back",
        "WS218": "it is pinned",
    }


def test_used_before_the_first_release_is_nothing():
    assert used(field_world("WS220").known) == []


def test_used_holds_databases_that_were_not_rebuilt_since():
    world = live_world("WS219", "WS220", "WS221")
    live = next(one for one in used(world.known) if one.why == "it is live")

    assert "mysql/clustal_WS219" in live.datasets


def test_what_needs_a_release_that_goes_live_says_so_of_a_plan_without_one():
    plan = field_world("WS221").plan(request("push", "WS221"))
    with pytest.raises(BadRequest, match=r"orch\.push \{build: WS221\} makes no release live"):
        plan.going_live  # noqa: B018
