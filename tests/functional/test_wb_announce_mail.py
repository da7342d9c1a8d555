"""wb_announce.mail with a real exim: STARTTLS, a password, once."""

from __future__ import annotations

import email
import tempfile
from email.policy import default
from pathlib import Path

import pytest
from announcing import MailServer
from salt.exceptions import CommandExecutionError
from wbcore.names import Build

RELEASE = "WS221-2010.12.24-0.02-1350"


@pytest.fixture(scope="module")
def exim():
    with tempfile.TemporaryDirectory() as home:
        server = MailServer(Path(home))
        server.prepare()
        yield server


@pytest.fixture
def server(exim, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(exim.home / "crt"))
    for letter in (exim.home / "mail").glob("new/*"):
        letter.unlink()
    exim.start()
    yield exim
    exim.stop()


@pytest.fixture
def pillar(server):
    return {"mail": server.settings()}


@pytest.fixture
def notes(layout):
    notes = layout.notes(Build(221))
    notes.parent.mkdir(parents=True)
    notes.write_text("Notes of WS221\n")
    return notes


def test_mail_is_sent_once_to_all(modules, server, notes):
    told = modules["wb_announce.mail"](RELEASE)
    assert told == {"message_id": "<ws221.release@localhost>", "already": False, "refused": []}
    (letter,) = server.letters(1)
    assert "To: announce@localhost, dev@localhost" in letter
    assert "Message-ID: <ws221.release@localhost>" in letter
    assert "TLS1.3" in letter and "esmtpsa" in letter
    assert letter.rstrip().endswith("Notes of WS221")
    assert modules["wb_announce.mail"]("WS221-2011.01.07-0.03-1401")["already"]
    assert len(server.letters(1)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_mail_keeps_what_is_not_ascii_in_the_notes(modules, server, notes, encoding):
    notes.write_bytes("Thanks to Café Élan\n".encode(encoding))
    modules["wb_announce.mail"](RELEASE)
    (letter,) = server.letters(1)
    text = email.message_from_bytes(letter.encode(), policy=default).get_content()
    assert text.rstrip().endswith("Thanks to Café Élan")


def test_mail_tells_what_is_new_since_the_build_before(modules, server, notes, counted):
    counted("WS220", genes=11_269)
    counted("WS221", genes=11_304)
    modules["wb_announce.mail"](RELEASE, before="WS220")
    (letter,) = server.letters(1)
    new, notes_at = letter.index("What is new since WS220"), letter.index("Notes of WS221")
    assert new < letter.index("MySQL databases rebuilt: 1 of 2\n  c_elegans\n") < notes_at
    assert "  Gene                                              11,269        11,304" in letter


@pytest.mark.parametrize("spoil", ["WS220.figures", "WS220.json", "WS221.figures", "all"])
def test_mail_goes_whatever_is_known_of_the_builds(modules, server, notes, counted, spoil):
    manifests = counted("WS220", genes=1).parent
    counted("WS221", genes=2)
    if spoil == "all":
        for path in manifests.iterdir():
            path.unlink()
    else:
        (manifests / spoil).write_bytes(b"half")
    assert not modules["wb_announce.mail"](RELEASE, before="WS220")["already"]
    (letter,) = server.letters(1)
    assert "Objects of AceDB" not in letter
    assert letter.rstrip().endswith("Notes of WS221")


def test_mail_goes_when_the_server_is_up_again(modules, server, notes):
    server.stop()
    expected = (
        rf"localhost:{server.port} did not take the letter: .*(refused|reset by peer); run the same"
    )
    with pytest.raises(CommandExecutionError, match=expected):
        modules["wb_announce.mail"](RELEASE)
    server.start()
    assert not modules["wb_announce.mail"](RELEASE)["already"]
    assert len(server.letters(1)) == 1


def test_mail_with_a_wrong_password_says_what_the_server_said(load, server, notes):
    wrong = load("node", {"mail": {**server.settings(), "password": "wrong"}})
    with pytest.raises(CommandExecutionError, match="did not take the letter: 535"):
        wrong["wb_announce.mail"](RELEASE)


def test_mail_to_a_server_that_nobody_vouches_for(modules, server, notes, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with pytest.raises(CommandExecutionError, match="certificate verify failed"):
        modules["wb_announce.mail"](RELEASE)


def test_mail_without_release_notes(modules, server):
    with pytest.raises(CommandExecutionError, match=r"letter\.WS221 can not be read"):
        modules["wb_announce.mail"](RELEASE)


def test_mail_without_settings(load, notes):
    with pytest.raises(CommandExecutionError, match="names no mail server"):
        load("node", {})["wb_announce.mail"](RELEASE)


def test_all_that_keeps_a_build_from_being_announced_is_named_before_anybody_is_told(load, server):
    missing = load("node", {})["wb_announce.unready"]("WS221")
    (server_missing, no_notes), (no_blog, _) = missing["mail"], missing["post"]
    assert server_missing == "the pillar names no mail server, sender or recipients"
    assert no_blog == "the pillar names no blog"
    assert no_notes.endswith("letter.WS221 can not be read: No such file or directory")


def test_nothing_keeps_a_build_from_being_announced(modules, load, pillar, notes):
    ready = load("node", {**pillar, "blog": {"url": "http://localhost"}})
    assert ready["wb_announce.unready"]("WS221") == {"mail": [], "post": []}


def test_tell_sends_a_mail_about_a_run_each_time(modules, server):
    for _ in range(2):
        told = modules["wb_announce.tell"](["ops@localhost"], "WS221 is\nlive", "It took long.")
        assert told == {"refused": []}
    letter, other = server.letters(2)
    assert "To: ops@localhost" in letter and "Subject: WS221 is live" in letter
    assert letter.rstrip().endswith("It took long.")
    assert letter != other


def test_tell_without_a_server_says_what_the_server_did(modules, server):
    server.stop()
    with pytest.raises(
        CommandExecutionError, match=r"did not take the letter: .*(refused|reset by peer)"
    ):
        modules["wb_announce.tell"](["ops@localhost"], "WS221 is live", "It took long.")


def test_tell_without_settings_says_what_to_set(load):
    with pytest.raises(CommandExecutionError, match="names no mail server or sender; set worm"):
        load("node", {})["wb_announce.tell"](["ops@localhost"], "x", "y")
