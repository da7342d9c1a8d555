"""The webapp: what stands in staging, releases made of it, and its Starman.

Source: the wiki page, "Deploy software" and "Restart services".
"""

import time

import wbnode.files
import wbnode.minion
from wbcore.datasets import ACEDB, WEBAPP, Dataset
from wbcore.errors import BadRequest, StepFailed
from wbcore.names import Release
from wbcore.transport.ownership import LOGS_MODE
from wbcore.webapp_version import VERSION_TEXT, environment_text, version_text
from wbnode.serving import acedb as serving_acedb
from wbnode.serving import mysql, pages, webapp
from wbnode.serving.report import Servers, report
from wbnode.webapp.checkout import Checkout
from wbnode.webapp.preflight import Preflight

__virtualname__ = "wb_webapp"

SERVICE = "wormbase-starman"
_TOLD = 5
_ANSWER_SECONDS = 10
_START_SECONDS = 30
_POLL_SECONDS = 0.05
_ENVIRONMENT = "wormbase.env"


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def staged():
    """Which webapp stands in ``website/staging``, and whether it can be released.

    Returns ``{"webapp": "0.02", "revision": 1350, "tip": 1350, "modified": [paths],
    "rewritten": [releases]}``; of the tracked files with changes that are not committed at most
    five are named. ``rewritten`` are releases of the same revision number that were made of
    another changeset.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_webapp.staged
    """
    layout = wbnode.minion.layout_of(__opts__)
    checkout = Checkout(layout.staging)
    return {
        "webapp": checkout.version(),
        "revision": checkout.revision(),
        "tip": checkout.tip(),
        "modified": checkout.modified()[:_TOLD],
        "rewritten": checkout.rewritten(layout.website),
    }


@wbnode.minion.salt_errors
def assemble(release):
    """Make the directory of a release from ``website/staging``, unless it is there already.

    It holds the tracked files, what the pillar lists besides (the Perl libraries in ``extlib``),
    without what it excludes; a world-writable ``logs``, ``wormbase.env`` and ``VERSION.txt``.
    Returns ``{"release": …, "already": bool}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_webapp.assemble WS221-2010.12.24-0.02-1350
    """
    layout, name = wbnode.minion.layout_of(__opts__), Release.parse(release)
    dataset = Dataset(WEBAPP, str(name))
    place, incoming = layout.dataset(dataset), layout.incoming(dataset)
    with wbnode.minion.alone(layout.webapp_lock):
        wbnode.files.remove(incoming)
        already = place.exists()
        if not already:
            checkout = Checkout(layout.staging)
            checkout.refuse_unless(name)
            _copy(checkout, incoming, wbnode.minion.settings_of(__pillar__).webapp)
            _complete(incoming, name, checkout.changeset())
            # Somebody may have committed or updated while the files were copied.
            checkout.refuse_unless(name)
            # Once it has its name nobody looks at it again.
            wbnode.files.flush([incoming])
            incoming.rename(place)
            wbnode.files.flush_names(place.parent)
    return {"release": str(name), "already": already}


@wbnode.minion.salt_errors
def preflight(release, databases, acedb):
    """Start a release beside the live one and ask it its pages; nothing of it stays.

    release
        The release, whose directory is on this node.
    databases
        MySQL directory of each database, ``{"c_elegans": "c_elegans_WS221"}``.
    acedb
        Directory of the AceDB database, ``wormbase_WS221``.

    Returns ``{"answers": {path: {"status": int, "seconds": float}}, "version": {…}}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.preflight WS221-2010.12.24-0.02-1350 \
            '{c_elegans: c_elegans_WS221}' wormbase_WS221
    """
    layout, settings = wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__)
    trial = Preflight(
        settings,
        _here(layout, Dataset.parse(f"{ACEDB}/{acedb}")),
        _here(layout, Dataset.parse(f"{WEBAPP}/{release}")),
    )
    # It reads databases to which no link leads yet, maybe of a name that is new.
    __salt__["wb_mysql.let_read"](settings.mysql.reader)
    name, port = Release.parse(release), settings.webapp.preflight_port
    with wbnode.minion.alone(layout.webapp_lock), trial.database(), trial.webapp(databases):
        paths = settings.webapp.check_paths
        answers = pages.check(port, paths, name, _ANSWER_SECONDS)
        return {"answers": answers, "version": _tried(layout, settings)}


@wbnode.minion.salt_errors
def version():
    """What the running servers of this node serve, asked of them and seen at their processes.

    Returns what :func:`wbnode.serving.report.report` says, with ``error`` for what can not be
    learnt.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.version
    """
    layout, settings = wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__)
    servers = Servers.of(settings, __opts__["id"])
    return report(layout, servers, mysql.client(layout, _ANSWER_SECONDS), _ANSWER_SECONDS)


@wbnode.minion.salt_errors
def start():
    """Start the live webapp; it answers when this returns.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.start
    """
    return _serve("start")


@wbnode.minion.salt_errors
def stop():
    """Stop the live webapp; it has ended when this returns.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.stop
    """
    return _service("stop")


@wbnode.minion.salt_errors
def restart():
    """Serve the release that the live link points to now; no request is lost.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.restart
    """
    return _serve("restart")


def _here(layout, dataset):
    place = layout.dataset(dataset)
    if not place.is_dir():
        raise BadRequest(f"{dataset} is not on this node", "push it first")
    return place


def _copy(checkout, target, webapp):
    if not (checkout.place / "extlib").is_dir():
        raise BadRequest(
            f"{checkout.place} has no extlib",
            "put the webapp's Perl libraries there before a release",
        )
    target.parent.mkdir(mode=0o755, exist_ok=True)
    checkout.copy(target, webapp.untracked, webapp.exclude)


def _complete(place, release, changeset):
    template = place / f"{_ENVIRONMENT}.template"
    if template.is_symlink() or not template.is_file():
        raise BadRequest(f"the webapp has no file {template.name}", "commit one; not a link")
    text = environment_text(template.read_text(encoding="utf-8"), "production")
    # A checkout may hold links of these names; they are replaced, never written through.
    wbnode.files.write_whole(place / _ENVIRONMENT, text.encode())
    wbnode.files.write_whole(place / VERSION_TEXT, version_text(release, changeset).encode())
    wbnode.files.make_folder(place, "logs")
    place.chmod(0o755)
    (place / "logs").chmod(LOGS_MODE)


def _service(verb):
    began = time.monotonic()
    wbnode.minion.command(["service", SERVICE, verb], f"run service {SERVICE} {verb} on this node")
    return {"seconds": round(time.monotonic() - began, 3)}


def _serve(verb):
    done = _service(verb)
    live = wbnode.minion.layout_of(__opts__).production.resolve().name
    serving = str(_serving())
    if serving != live:
        raise StepFailed(
            f"the webapp serves {serving} and the live link points to {live}",
            f"run service {SERVICE} stop, then start, on this node",
        )
    return {"release": serving, **done}


def _serving():
    """The release that answers. A Starman that just started takes a question before it has
    loaded the release, and before it has the workers by which that is known."""
    layout, settings = wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__)
    until = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            pages.get(settings.webapp.port, "/", _START_SECONDS)
            return webapp.release(layout, settings.webapp.port)
        except StepFailed:
            if time.monotonic() > until:
                raise
            time.sleep(_POLL_SECONDS)


def _tried(layout, settings):
    """What a preflight's servers serve, or what the webapp's own page says of them."""
    port = settings.webapp.preflight_port
    if settings.webapp.version_path:
        return pages.version(port, settings.webapp.version_path, _ANSWER_SECONDS)
    return {
        "release": str(webapp.release(layout, port)),
        "acedb": serving_acedb.build(layout, settings.acedb.preflight_port, _ANSWER_SECONDS),
    }
