"""The board with a real master: who gets in, who may do what, and what is refused."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import staged
from boards import Browser
from pytestshellutils.utils import ports
from wbcore.errors import StepFailed
from wbcore.verdicts import HOLD
from wbsite import STAGING, Site, eventually

from board.master import Master

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def olga(board: str, site: Site) -> Browser:
    """An operator who is logged in."""
    browser = Browser(board)
    assert browser.log_in("olga").status == 303
    return browser


@pytest.fixture
def vera(board: str, site: Site) -> Browser:
    """A viewer who is logged in."""
    browser = Browser(board)
    assert browser.log_in("vera").status == 303
    return browser


def act(browser: Browser, verb: str, **form: str) -> Any:
    """Press a button, and confirm."""
    build = {"build": form["build"]} if "build" in form else {}
    asked = browser.get(f"/act?verb={verb}" + "".join(f"&build={one}" for one in build.values()))
    assert asked.status == 200, asked.text
    return browser.post("/act", {"seal": asked.seal, "verb": verb, **form})


def test_nobody_sees_anything_before_the_login(board: str, site: Site) -> None:
    browser = Browser(board)

    for path in ("/", "/runs", "/releases", "/landings", "/nodes", "/act?verb=hold"):
        answer = browser.get(path)
        assert (answer.status, answer.headers["Location"].partition("?")[0].rpartition("/")[2]) == (
            303,
            "login",
        )
    assert browser.get("/live").status == 401
    assert browser.post("/act", {"verb": "hold", "reason": "x"}).status == 401


def test_a_wrong_password_a_wrong_name_and_a_person_without_rights(board: str, site: Site) -> None:
    for name, password in (("olga", "wrong"), ("mallory", "wrong"), ("nobody", None)):
        browser = Browser(board)
        answer = browser.log_in(name, **({"password": password} if password else {}))

        assert answer.status == 403
        assert ("is wrong" if password else "may not see the board") in answer.text
        assert browser.get("/").status == 303


def test_every_answer_tells_browsers_what_they_may_not_do(olga: Browser) -> None:
    for path in ("/", "/nothing", "/static/board.css", "/act?verb=nothing"):
        headers = olga.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    again = Browser(olga.board)
    cookie = again.log_in("olga").headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Secure"} <= {one.strip() for one in cookie.split(";")}


def test_a_hold_names_the_person_and_shows_the_reason_as_text(olga: Browser, site: Site) -> None:
    answer = act(olga, "hold", reason=SCRIPT)

    assert answer.status == 200, answer.text
    (verdict,) = site.ledger.known().verdicts
    assert (verdict.kind, verdict.build, verdict.who) == (HOLD, None, "olga")
    for path in ("/", "/landings"):
        page = olga.get(path)
        assert SCRIPT not in page.body and SCRIPT in page.text
    assert act(olga, "unhold").status == 200
    assert site.ledger.known().verdicts == ()


def test_the_master_refuses_what_a_viewer_sends_by_hand(vera: Browser, site: Site) -> None:
    page = vera.get("/landings")
    assert "verb" not in page.body

    form = {"seal": page.seal, "verb": "hold", "reason": "by hand"}
    answer = vera.post("/act", form)

    assert answer.status == 403
    assert "you may not call wb_release.hold" in answer.text
    start = vera.post("/act", {**form, "verb": "release", "build": "WS221"})
    assert start.status == 403
    assert site.ledger.known().verdicts == () and site.ledger.runs(1) == []


@pytest.mark.parametrize(
    ("headers", "seal"),
    [
        ({}, ""),
        ({}, "0" * 64),
        ({"Origin": "https://elsewhere.example"}, None),
        ({"Origin": "null"}, None),
        ({"Sec_Fetch_Site": "cross-site"}, None),
    ],
)
def test_a_form_from_elsewhere_is_refused(
    olga: Browser, site: Site, headers: dict[str, str], seal: str | None
) -> None:
    sent = olga.get("/landings").seal if seal is None else seal

    answer = olga.post("/act", {"seal": sent, "verb": "hold", "reason": "theirs"}, **headers)

    assert answer.status == 403
    assert site.ledger.known().verdicts == ()


def test_a_session_ends_with_the_logout(olga: Browser) -> None:
    seal, following = olga.get("/").seal, olga.stream()
    assert olga.post("/logout", {"seal": "x"}).status == 403

    assert olga.post("/logout", {"seal": seal}).status == 303
    assert olga.get("/").status == 303
    assert olga.post("/act", {"seal": seal, "verb": "hold", "reason": "late"}).status == 401
    assert "event: ended" in until(following, "event: ended")
    leave(following)


def test_what_the_master_refuses_is_said_and_starts_nothing(olga: Browser, site: Site) -> None:
    asked = olga.get("/act?verb=release&build=WS299")

    assert asked.status == 200
    assert "Nothing was started" in asked.text and "WS299" in asked.text
    answer = olga.post("/act", {"seal": asked.seal, "verb": "release", "build": "WS299"})
    assert answer.status == 400
    assert olga.get("/act?verb=release&build=../x").status == 400
    assert site.ledger.runs(1) == []


def test_a_run_is_started_for_a_person_and_seen_as_it_goes(
    olga: Browser, vera: Browser, site: Site
) -> None:
    staged.build(site.layouts[STAGING], "WS221")
    following = vera.stream()
    asked = olga.get("/act?verb=push&build=WS221")
    assert "wb-web1 lacks" in asked.text, asked.text

    answer = act(olga, "push", build="WS221", reason="the curators are content")

    assert answer.status == 200, answer.text
    run = eventually("the run has ended", lambda: ended(site))
    assert (run["who"], run["cause"], run["reason"]) == (
        "olga",
        "board",
        "the curators are content",
    )
    assert run["outcome"] == "done", run["error"]
    told = until(following, "push support")
    assert "push WS221" in told
    leave(following)
    page = vera.get(f"/runs?name={run['id']}")
    assert "the curators are content" in page.text and "<svg" in page.body


def test_pages_that_follow_are_counted_and_let_go(vera: Browser, site: Site) -> None:
    streams: list[Any] = []

    def all_taken() -> bool:
        """Pages of earlier tests may still be followed for a moment."""
        opened = vera.stream()
        if opened.status == 200:
            streams.append(opened)
        return len(streams) == 3

    eventually("three pages follow", all_taken, 20)
    assert vera.stream().status == 503
    for one in streams:
        leave(one)
    assert eventually("a place is free", lambda: vera.stream().status == 200, 20)


def test_nodes_answer_through_the_persons_own_call(vera: Browser, site: Site) -> None:
    page = vera.get("/nodes")

    assert page.status == 200
    assert "wb-web1" in page.text


def test_nothing_is_sent_to_a_master_that_does_not_run(site: Site) -> None:
    port = ports.get_unused_localhost_port()
    master = Master({**site.master.config, "master_uri": f"tcp://127.0.0.1:{port}"})
    with pytest.raises(StepFailed, match=r"the master does not answer .*refused"):
        master.call("a token", "wb_release.hold", reason="x")
    with pytest.raises(StepFailed, match=r"the master does not answer .*refused"):
        master.log_in("file", "olga", "x")


def test_a_master_that_hangs_is_not_waited_for_without_end(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("board.master._TAKEN_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        where = f"tcp://127.0.0.1:{hanging.getsockname()[1]}"
        master = Master({**site.master.config, "master_uri": where})
        with pytest.raises(StepFailed, match=r"wb_release\.hold has not answered yet"):
            master.call("a token", "wb_release.hold", reason="x")


def test_the_ledger_locked_by_a_writer_is_read_all_the_same(vera: Browser, site: Site) -> None:
    with site.ledger._open() as connection:
        connection.execute("begin immediate")
        connection.execute("insert into epoch values (1, 7)")
        began = time.monotonic()
        assert vera.get("/").status == 200
        assert time.monotonic() - began < 5
        connection.rollback()


def ended(site: Site) -> Any:
    runs = site.ledger.runs(1)
    return runs[0] if runs and runs[0]["ended"] else None


def leave(stream: Any) -> None:
    """Close a page that follows, as a browser does: without a word."""
    stream.connection.sock.close()
    stream.close()


def until(stream: Any, text: str) -> str:
    """What a stream says until a text comes."""
    said = ""
    deadline = time.monotonic() + 30
    while text not in said:
        assert time.monotonic() < deadline, said
        said += stream.readline().decode()
    return said
