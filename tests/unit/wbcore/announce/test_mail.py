"""The letter to the announce lists and the blog post."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.announce import mail
from wbcore.names import Release
from wbcore.settings import Mail

RELEASE = Release.parse("WS221-2010.12.24-0.02-1350")
LATER = Release.parse("WS221-2011.01.07-0.03-1401")
NOTES = "New release of WormBase WS221\n\n20,000 genes & more <than> before\n"
MAIL = Mail(sender="WormBase <releases@wormbase.org>", recipients=("announce@a.org", "dev@a.org"))
NOW = datetime(2010, 12, 24, 17, 30, tzinfo=UTC)


def test_letter_has_the_notes_appended():
    text = mail.body(RELEASE, NOTES)
    assert text.startswith("Dear WormBase users,\n\nWormBase release WS221 is now live")
    assert "WS221-2010.12.24-0.02-1350.tgz" in text
    assert text.endswith("20,000 genes & more <than> before\n")


def test_letter_has_what_is_new_before_the_notes():
    text = mail.body(RELEASE, NOTES, "What is new since WS220\n\nGene & more")
    assert "What is new and the release notes follow." in text
    _, news, notes = text.split(f"\n{'-' * 72}\n\n")
    assert news == "What is new since WS220\n\nGene & more\n"
    assert notes == NOTES.strip() + "\n"
    assert "What is new" not in mail.body(RELEASE, NOTES)


def test_message_is_addressed_once_to_all():
    message = mail.message(RELEASE, NOTES, MAIL, NOW)
    assert message["Subject"] == "WormBase release WS221 is live"
    assert message["From"] == "WormBase <releases@wormbase.org>"
    assert message["To"] == "announce@a.org, dev@a.org"
    assert message["Date"] == "Fri, 24 Dec 2010 17:30:00 +0000"
    assert NOTES.strip() in message.get_content()


def test_message_id_is_the_same_for_every_release_of_a_build():
    ids = {mail.message_id(release, MAIL.sender) for release in (RELEASE, LATER)}
    assert ids == {"<ws221.release@wormbase.org>"}
    assert mail.message(RELEASE, NOTES, MAIL, NOW)["Message-ID"] in ids


@pytest.mark.parametrize("sender", ["", "releases", "WormBase <releases>"])
def test_message_id_of_a_sender_without_a_domain(sender):
    assert mail.message_id(RELEASE, sender) == "<ws221.release@localhost>"


@given(st.text())
def test_message_of_any_notes_can_be_sent(notes):
    assert mail.message(RELEASE, notes, MAIL, NOW).as_bytes()


def test_post_is_named_after_the_build():
    post = mail.post(RELEASE, NOTES)
    assert (post.slug, post.title) == ("ws221", "WormBase release WS221 is live")
    assert "20,000 genes &amp; more &lt;than&gt; before</pre>" in post.content


def test_post_has_what_is_new_before_the_notes():
    content = mail.post(RELEASE, NOTES, "What is new: genes & more").content
    assert content.index("<pre>What is new: genes &amp; more</pre>") < content.index("20,000")
