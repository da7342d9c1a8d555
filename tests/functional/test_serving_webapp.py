"""Which release of the webapp a real Starman serves, by the processes that answer."""

import os
import signal
import threading
import time

import pytest
from starmen import free_port, get, make_release, starman, wait_until
from wbcore.errors import StepFailed
from wbcore.names import Release
from wbnode.serving import pages, webapp

OLD, NEW = "WS220-2010.11.01-0.02-1300", "WS221-2010.12.24-0.02-1350"


@pytest.fixture
def port():
    return free_port()


def released(layout, name, at_home=False):
    return make_release(layout.website / name, at_home)


def flip(layout, name):
    beside = layout.production.with_name("beside")
    beside.symlink_to(name)
    beside.replace(layout.production)


def test_the_release_is_where_starman_was_started_from_not_where_the_link_leads(layout, port):
    old = released(layout, OLD)
    flip(layout, OLD)
    with starman(layout.production / "app.psgi", port, old):
        assert str(webapp.release(layout, port)) == OLD
        flip(layout, NEW)
        assert str(webapp.release(layout, port)) == OLD


def test_the_directory_of_all_webapps_may_be_a_link(layout, port, tmp_path):
    old = make_release(tmp_path / "disk" / OLD)
    layout.website.parent.mkdir(parents=True)
    layout.website.symlink_to(old.parent)
    with starman(old / "app.psgi", port, old):
        assert str(webapp.release(layout, port)) == OLD


def test_a_restart_that_loses_no_request_shows_both_releases_until_it_is_over(layout, port):
    for name in (OLD, NEW):
        released(layout, name, at_home=True)
    flip(layout, OLD)
    before = ["start_server", f"--port=127.0.0.1:{port}", "--interval=1", "--signal-on-hup=QUIT"]
    with starman(layout.production / "app.psgi", port, "/", [*before, "--"]) as starter:
        assert str(webapp.release(layout, port)) == OLD
        slow = threading.Thread(target=get, args=(port, "/slow"))
        slow.start()
        flip(layout, NEW)
        starter.send_signal(signal.SIGHUP)
        seen = set()

        def over():
            try:
                seen.add(str(webapp.release(layout, port)))
            except StepFailed as error:
                seen.add("not one" if "does not serve one release" in str(error) else str(error))
            return NEW in seen

        wait_until(over)
        slow.join()
    assert seen - {OLD} == {"not one", NEW}


def write_record(layout, name):
    layout.starman_release.parent.mkdir(parents=True, exist_ok=True)
    layout.starman_release.write_text(f"{layout.website / name}\n")


def test_the_record_of_the_service_counts_where_the_working_directory_tells_nothing(layout, port):
    new = released(layout, NEW)
    write_record(layout, NEW)
    with starman(new / "app.psgi", port, "/"):
        assert str(webapp.release(layout, port)) == NEW
        later = time.time() + 60
        write_record(layout, OLD)
        os.utime(layout.starman_release, (later, later))
        with pytest.raises(StepFailed, match=r"is older than .*run/wormbase-starman/release"):
            webapp.release(layout, port)


def test_no_link_is_followed_to_the_record_and_nothing_of_it_is_quoted(layout, port, tmp_path):
    new, secret, named = released(layout, NEW), tmp_path / "secret", tmp_path / "named"
    secret.write_text("a key that only root may read\n")
    named.write_text(f"{new}\n")
    write_record(layout, NEW)
    with starman(new / "app.psgi", port, "/"):
        for spoil in (
            lambda path: path.symlink_to(named),
            os.mkfifo,
            lambda path: path.write_text(secret.read_text()),
        ):
            layout.starman_release.unlink()
            spoil(layout.starman_release)
            with pytest.raises(StepFailed, match="does not name its release") as error:
                webapp.release(layout, port)
            assert "only root" not in str(error.value)


def test_the_record_does_not_count_while_there_are_two_generations(layout, port):
    new = released(layout, NEW)
    write_record(layout, NEW)
    before = ["start_server", f"--port=127.0.0.1:{port}", "--interval=1", "--signal-on-hup=QUIT"]
    with starman(new / "app.psgi", port, "/", [*before, "--"]) as starter:
        assert str(webapp.release(layout, port)) == NEW
        slow = threading.Thread(target=get, args=(port, "/slow"))
        slow.start()
        starter.send_signal(signal.SIGHUP)

        def told():
            try:
                webapp.release(layout, port)
            except StepFailed as error:
                return "does not serve one release" in str(error)
            return False

        wait_until(told)
        slow.join()


def test_what_can_not_be_a_release_is_named(layout, port):
    staging = make_release(layout.staging)
    with pytest.raises(StepFailed, match=f"no process is seen that listens on port {port}"):
        webapp.release(layout, port)
    for place, says in (
        (staging, r"website/staging, which is not a release"),
        ("/", r"runs in /, and .* does not name its release"),
    ):
        with starman(staging / "app.psgi", port, place), pytest.raises(StepFailed, match=says):
            webapp.release(layout, port)


def test_a_page_has_its_status_and_its_text(layout, port):
    new, release = released(layout, NEW), Release.parse(NEW)
    with starman(new / "app.psgi", port, new):
        paths = {"/": "<html>{release}", "/broken": "{build}", "/none": ""}
        answers = pages.check(port, paths, release, 5)
        assert {path: one["status"] for path, one in answers.items()} == {
            "/": 200,
            "/broken": 500,
            "/none": 404,
        }
        with pytest.raises(StepFailed, match=f"the page / of {OLD} lacks 'in {OLD}'"):
            pages.check(port, {"/": "in {release}"}, Release.parse(OLD), 5)
        with pytest.raises(StepFailed, match=r"/version on port .* is not JSON"):
            pages.version(port, "/version", 5)
    with pytest.raises(StepFailed, match="does not answer on port"):
        pages.check(port, {"/": ""}, release, 5)
