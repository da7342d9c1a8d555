"""What people read of a release: the letter to the announce lists, and the blog post.

Source: the wiki page, steps 10 and 11; docs/field.md: a fixed letter with the release notes file
``letter.WS221`` appended. Before those stands what is new, as far as it is known (see ``news``).
A build is announced once, whatever its webapp.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from ..names import Release
from ..settings import Mail

_LETTER = """Dear WormBase users,

WormBase release {build} is now live on the WormBase web site.

  Database release:  {build}
  Web site version:  {webapp} (revision {revision})

The software of this release is {release}.tgz
in pub/wormbase/software of the FTP site, where it is current.tgz, too.
{follows}

The WormBase team
"""
_RULE = "-" * 72


@dataclass(frozen=True)
class Post:
    """A blog post; ``slug`` is its name in addresses."""

    slug: str
    title: str
    content: str


def subject(release: Release) -> str:
    """Subject of the letter and title of the post."""
    return f"WormBase release {release.build} is live"


def body(release: Release, notes: str, news: str = "") -> str:
    """Text of the letter."""
    letter = _LETTER.format(
        build=release.build,
        webapp=release.webapp,
        revision=release.revision,
        release=release,
        follows="What is new and the release notes follow."
        if news
        else "The release notes follow.",
    )
    parts = [part for part in (news, notes.strip()) if part]
    return f"\n{_RULE}\n\n".join([letter, *(f"{part}\n" for part in parts)])


def message_id(release: Release, sender: str) -> str:
    """Message-ID of a build's letter: the same each time, so that it is known if it comes twice."""
    return f"<{str(release.build).lower()}.release@{_domain(sender)}>"


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].partition("@")[2] or "localhost"


def message(
    release: Release, notes: str, mail: Mail, now: datetime, news: str = ""
) -> EmailMessage:
    """The letter, addressed; ``now`` becomes its date."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = mail.sender
    letter["To"] = ", ".join(mail.recipients)
    letter["Subject"] = subject(release)
    letter["Date"] = format_datetime(now.astimezone(UTC))
    letter["Message-ID"] = message_id(release, mail.sender)
    letter.set_content(body(release, notes, news))
    return letter


def notice(
    sender: str, recipients: Sequence[str], subject: str, text: str, now: datetime
) -> EmailMessage:
    """A short mail about a run; ``now`` becomes its date."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    # A header is one line.
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(now.astimezone(UTC))
    mail["Message-ID"] = make_msgid(domain=_domain(sender))
    mail.set_content(text)
    return mail


def post(release: Release, notes: str, news: str = "") -> Post:
    """The blog post."""
    parts = [part for part in (news, notes.strip()) if part]
    content = (
        f"<p>WormBase release {release.build} is live, with version {release.webapp} "
        f"(revision {release.revision}) of the web site.</p>\n"
    ) + "".join(f"<pre>{html.escape(part, quote=False)}</pre>\n" for part in parts)
    return Post(str(release.build).lower(), subject(release), content)
