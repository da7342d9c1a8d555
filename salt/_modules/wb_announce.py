"""Announcing a build: the letter to the announce lists, and the blog post; once each.

Source: the wiki page, steps 10 and 11.
"""

import base64
import datetime
import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.parse
import urllib.request

import wbcore.announce.mail
import wbnode.files
import wbnode.minion
from wbcore.announce import news, notes
from wbcore.errors import BadData, BadRequest, StepFailed
from wbcore.names import Build, Release
from wbnode.build import counting
from wbnode.build.sealing import Staging

__virtualname__ = "wb_announce"

log = logging.getLogger(__name__)

_SECONDS = 30
# A run waits for a mail about itself.
_NOTICE_SECONDS = 10
_AGAIN = "run the same command again when it is up"
# A post that is written and not yet public was made by a person, and is theirs.
_STATUSES = "publish,future,draft,pending,private"


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def unready(build):
    """What keeps a build from being announced, without telling anybody of it.

    build
        The build, such as ``WS221``.

    Returns ``{"mail": [why], "post": [why]}``; empty lists where nothing stands in the way.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_announce.unready WS221
    """
    settings, name = wbnode.minion.settings_of(__pillar__), Build.parse(build)
    return {
        "mail": _problems((_check_mail, settings.mail), (_notes, name)),
        "post": _problems((_check_blog, settings.blog), (_notes, name)),
    }


@wbnode.minion.salt_errors
def mail(release, before=""):
    """Send the letter of a build to the announce lists, unless it was sent.

    release
        Name of the release, such as ``WS221-2010.12.24-0.02-1350``.
    before
        The build that was live before; what is new since then stands in the letter, as far as
        it is known here.

    Returns ``{"message_id": …, "already": bool, "refused": [recipients]}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_announce.mail WS221-2010.12.24-0.02-1350
    """
    name, settings = Release.parse(release), wbnode.minion.settings_of(__pillar__).mail
    _check_mail(settings)
    record = wbnode.minion.layout_of(__opts__).letter(name.build)
    identity = wbcore.announce.mail.message_id(name, settings.sender)
    with wbnode.minion.alone(record.with_suffix(".lock")):
        if record.exists():
            return {"message_id": identity, "already": True, "refused": []}
        now = datetime.datetime.now(datetime.UTC)
        message = wbcore.announce.mail.message(
            name, _notes(name.build), settings, now, _news(name.build, before)
        )
        refused = _send(message, settings, record)
    return {"message_id": identity, "already": False, "refused": refused}


@wbnode.minion.salt_errors
def post(release, before=""):
    """Post a build on the blog, unless its post is there.

    release
        Name of the release, such as ``WS221-2010.12.24-0.02-1350``.
    before
        The build that was live before; what is new since then stands in the post, as far as it
        is known here.

    Returns ``{"id": int, "link": address, "already": bool}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_announce.post WS221-2010.12.24-0.02-1350
    """
    name = Release.parse(release)
    entry = wbcore.announce.mail.post(name, _notes(name.build), _news(name.build, before))
    # WordPress would publish a second one under another slug.
    with wbnode.minion.alone(
        wbnode.minion.layout_of(__opts__).letter(name.build).with_suffix(".lock")
    ):
        found = _blog({"slug": entry.slug, "status": _STATUSES})
        made = found[0] if found else _blog({}, _draft(entry))
    return {"id": made["id"], "link": made["link"], "already": bool(found)}


@wbnode.minion.salt_errors
def tell(recipients, subject, text):
    """Send a short mail about a run, by the mail server that sends the letter.

    recipients
        List of addresses.
    subject, text
        One line, and the whole of the mail.

    Returns ``{"refused": [recipients]}``; StepFailed when the server does not take it.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_announce.tell '[ops@example.org]' 'WS221 is live' 'It took 20 minutes.'
    """
    settings = wbnode.minion.settings_of(__pillar__).mail
    if not (settings.host and settings.sender):
        raise BadRequest(
            "the pillar names no mail server or sender",
            "set wormbase:mail as pillar.example shows",
        )
    now = datetime.datetime.now(datetime.UTC)
    message = wbcore.announce.mail.notice(settings.sender, recipients, subject, text, now)
    try:
        return {"refused": sorted(_give(message, settings, _NOTICE_SECONDS))}
    except (OSError, smtplib.SMTPException) as error:
        raise _not_taken(error, settings, "fix it; the run itself does not need it") from error


def _problems(*checks):
    found = []
    for check, what in checks:
        try:
            check(what)
        except (BadRequest, BadData) as error:
            found.append(error.what)
    return found


def _check_mail(settings):
    if not (settings.host and settings.sender and settings.recipients):
        raise BadRequest(
            "the pillar names no mail server, sender or recipients",
            "set wormbase:mail as pillar.example shows",
        )


def _check_blog(settings):
    if not settings.url:
        raise BadRequest("the pillar names no blog", "set wormbase:blog as pillar.example shows")


def _notes(build):
    path = wbnode.minion.layout_of(__opts__).notes(build)
    try:
        return notes.decoded(path.read_bytes())
    except OSError as error:
        raise BadData(
            f"the release notes {path} can not be read: {error.strerror}",
            "write them and run the same command again",
        ) from error


def _news(build, before):
    """What is new in a build; nothing when that is not known: a live release is announced."""
    if not before:
        return ""
    try:
        was, now = _stock(Build.parse(before)), _stock(build)
    except BadData as error:
        log.warning("the announcement of %s does not say what is new: %s", build, error)
        return ""
    return news.news(was, now) if was and now else ""


def _stock(build):
    staging = Staging(wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__))
    sealed = staging.manifest(build)
    return sealed and news.Stock.of(sealed, counting.kept(staging.layout, sealed))


def _send(message, settings, record):
    """Recipients that the server refused. What it took is recorded before anything else."""
    try:
        refused = _give(
            message,
            settings,
            _SECONDS,
            lambda: wbnode.files.write_whole(record, _identity(message)),
        )
    except (OSError, smtplib.SMTPException) as error:
        if record.exists():
            return []
        raise _not_taken(error, settings, _AGAIN) from error
    return sorted(refused)


def _give(message, settings, seconds, taken=bool):
    """Recipients that the server refused; ``taken`` is called as soon as it has the message."""
    with smtplib.SMTP(settings.host, settings.port, timeout=seconds) as server:
        if settings.starttls:
            server.starttls(context=ssl.create_default_context())
        if settings.username:
            server.login(settings.username, settings.password)
        refused = server.send_message(message)
        taken()
    return refused


def _identity(message):
    return json.dumps({"id": message["Message-ID"]}).encode()


def _not_taken(error, settings, todo):
    return StepFailed(
        f"the mail server {settings.host}:{settings.port} did not take the letter: {_words(error)}",
        todo,
    )


def _words(error):
    """An SMTP error is a code and bytes, and of several recipients a dictionary of those."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    else:
        return str(error)
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"


def _draft(entry):
    return {
        "slug": entry.slug,
        "title": entry.title,
        "content": entry.content,
        "status": "publish",
    }


def _blog(query, entry=None):
    """The answer of the blog's list of posts: to a search, or to a new entry."""
    settings = wbnode.minion.settings_of(__pillar__).blog
    _check_blog(settings)
    words = urllib.parse.urlencode({"rest_route": "/wp/v2/posts", **query})
    secret = base64.b64encode(f"{settings.username}:{settings.password}".encode()).decode()
    request = urllib.request.Request(
        f"{settings.url.rstrip('/')}/index.php?{words}",
        data=json.dumps(entry).encode() if entry else None,
        headers={"Authorization": f"Basic {secret}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise StepFailed(
            f"the blog {settings.url} answers {error.code}: {_complaint(error.read())}",
            "fix its settings in the pillar (wormbase:blog) and run the same command again",
        ) from error
    except (OSError, ValueError) as error:
        raise StepFailed(
            f"the blog {settings.url} does not answer: {getattr(error, 'reason', error)}", _AGAIN
        ) from error


def _complaint(body):
    """WordPress returns errors as JSON with a message."""
    try:
        return json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()[:200]
