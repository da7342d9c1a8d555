"""The webapp: what stands in staging, releases made of it, and its Starman.

Source: the wiki page, "Deploy software" and "Restart services".
"""

import time

import wbnode.due_restarts
import wbnode.files
import wbnode.minion
from wbcore.datasets import ACEDB, WEBAPP, Dataset
from wbcore.errors import BadRequest, StepFailed
from wbcore.names import Release
from wbcore.transport.ownership import LOGS_MODE
from wbcore.webapp_version import VERSION_TEXT, changeset_in, environment_text, version_text
from wbnode.ending import end
from wbnode.serving import acedb as serving_acedb
from wbnode.serving import mysql, pages, processes, webapp
from wbnode.serving.report import Servers, report
from wbnode.webapp.checkout import Checkout
from wbnode.webapp.preflight import Preflight

__virtualname__ = "wb_webapp"

_TOLD = 5
_ANSWER_SECONDS = 10
# A Starman loads its release, and the one before finishes its requests.
_TAKE_OVER_SECONDS = 70
_LOAD_SECONDS = 20
_POLL_SECONDS = 0.05
_END_SECONDS = 10
# What the processes of a Starman call themselves, and what starts it.
_STARMANS = ("starman", "start_server")
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
def tag(release):
    """Tag the revision in ``website/staging`` that a release was made of with its name.

    A tag of Mercurial is local: any other would be a new revision. Returns
    ``{"tag": …, "already": bool}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_webapp.tag WS221-2010.12.24-0.02-1350
    """
    layout, name = wbnode.minion.layout_of(__opts__), Release.parse(release)
    with wbnode.minion.alone(layout.webapp_lock):
        text = _here(layout, Dataset(WEBAPP, str(name))) / VERSION_TEXT
        changeset = changeset_in(text.read_text(encoding="utf-8"))
        return {"tag": str(name), "already": Checkout(layout.staging).tag(str(name), changeset)}


@wbnode.minion.salt_errors
def preflight(release, databases, acedb):
    """Start a release beside the live one and ask it its pages; nothing of it stays.

    release
        The release, whose directory is on this node.
    databases
        MySQL directory of each database, ``{"c_elegans": "c_elegans_WS221"}``.
    acedb
        Directory of the AceDB database, ``wormbase_WS221``.

    Returns ``{"answers": {path: {"status": int, "seconds": float, "said": str}},
    "version": {…}}``.

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
    ask = mysql.client(layout.below(settings.mysql.socket), _ANSWER_SECONDS)
    return report(layout, servers, ask, _ANSWER_SECONDS)


@wbnode.minion.salt_errors
def start():
    """Start the live webapp; it answers when this returns.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.start
    """
    began = time.monotonic()
    _systemctl("start")
    return _serving(began)


@wbnode.minion.salt_errors
def stop():
    """Stop the live webapp, also a Starman that its unit did not start; it has ended when this
    returns.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.stop
    """
    began = time.monotonic()
    _systemctl("stop")
    _end_others()
    # Whatever it waited to be restarted for, its next start goes by.
    wbnode.due_restarts.done(wbnode.minion.layout_of(__opts__), _service())
    return {"seconds": round(time.monotonic() - began, 3)}


@wbnode.minion.salt_errors
def restart():
    """Stop the live webapp and start it, with what its unit and its launcher say now; it answers
    when this returns. Requests are lost meanwhile: the master calls it through
    ``wb_service.restart_due`` while this node serves nobody.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.restart
    """
    began = time.monotonic()
    stop()
    return {**start(), "seconds": round(time.monotonic() - began, 3)}


@wbnode.minion.salt_errors
def can_reload():
    """Whether the live webapp can be reloaded: the project's unit runs it, and is still the unit
    that systemd knows. The webapp's own script has no reload.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.can_reload
    """
    argv = ["systemctl", "show", "--property=CanReload", "--value", f"{_service()}.service"]
    said = wbnode.minion.command(argv, "look at systemd on this node")
    return said.strip() == "yes" and bool(_generations())


@wbnode.minion.salt_errors
def reload():
    """Serve the release that the live link points to now; no request is lost.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_webapp.reload
    """
    began = time.monotonic()
    before = _generations()
    _systemctl("reload")
    until = time.monotonic() + _TAKE_OVER_SECONDS
    while len(now := _generations()) != 1 or now <= before:
        if time.monotonic() > until:
            raise StepFailed(
                f"the new Starman did not take over within {_TAKE_OVER_SECONDS} s",
                f"run journalctl -u {_service()} on this node: it has what the webapp says",
            )
        time.sleep(_POLL_SECONDS)
    return _serving(began)


def _here(layout, dataset):
    place = layout.dataset(dataset)
    if not place.is_dir():
        raise BadRequest(f"{dataset} is not on this node", "push it first")
    return place


def _copy(checkout, target, webapp):
    if "extlib" in webapp.untracked and not (checkout.place / "extlib").is_dir():
        raise BadRequest(
            f"{checkout.place} has no extlib",
            "put the webapp's Perl libraries there before a release; if they are elsewhere, "
            "take it out of webapp:untracked in the pillar",
        )
    script = webapp.start_script
    if script and not (checkout.place / script).is_file():
        raise BadRequest(
            f"the webapp has no file {script}, which is to start it",
            "set webapp:start_script and webapp:pid_file in the pillar to those that it has",
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


def _service():
    """The unit that runs the live webapp."""
    return wbnode.minion.settings_of(__pillar__).webapp.service


def _systemctl(verb):
    name = _service()
    argv = ["systemctl", verb, f"{name}.service"]
    return wbnode.minion.command(argv, f"run systemctl {verb} {name} on this node")


def _end_others():
    """End a Starman that somebody started by hand: it holds the port."""
    port = wbnode.minion.settings_of(__pillar__).webapp.port
    held = processes.holders(processes.listening(port))
    for pid in held:
        if not any(name in processes.words(pid) for name in _STARMANS):
            raise StepFailed(
                f"port {port} is held by {processes.program(pid)}, which is no Starman",
                f"end process {pid} on this node, or set webapp:port in the pillar",
            )
    end(held, "Starman", _END_SECONDS)


def _generations():
    """The Starmans that live now, ``number:pid``. A launcher that died meanwhile and was started
    again counts from 1, so that a number alone may come back."""
    path = wbnode.minion.layout_of(__opts__).starman_generations
    return set(path.read_text(encoding="ascii").split()) if path.exists() else set()


def _serving(began):
    """What the webapp answers after it was started or restarted, and the seconds it took.

    systemd has started it when its first process lives; the webapp is loaded after that.
    """
    live = wbnode.minion.layout_of(__opts__).production.resolve().name
    serving = str(_answering())
    if serving != live:
        raise StepFailed(
            f"the webapp serves {serving} and the live link points to {live}",
            f"run systemctl restart {_service()} on this node",
        )
    return {"release": serving, "seconds": round(time.monotonic() - began, 3)}


def _answering():
    """The release that answers. A Starman that just started takes a question before it has
    loaded the release, and before it has the workers by which that is known."""
    layout, settings = wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__)
    until = time.monotonic() + _LOAD_SECONDS
    while True:
        try:
            pages.get(settings.webapp.port, "/", _LOAD_SECONDS)
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
