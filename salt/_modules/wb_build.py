"""Builds on the development server: what is staged there, and its sealing.

Sealing makes the manifest of a build: every file with its digest, and which directory
each MySQL link points to. From then on a changed file is refused by name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import wbnode.files
import wbnode.minion
from wbcore.build import manifest as manifests
from wbcore.errors import BadData, BadRequest, ReleaseError
from wbcore.names import Build, Release
from wbnode.build.landing_notices import Announced
from wbnode.build.sealing import Look, Staging
from wbnode.serving import mysql
from wbnode.transport import progress

log = logging.getLogger(__name__)
STEP = "seal"
_TOLD = 5
_SERVER_SECONDS = 600
# An answer to the master stays small, whatever somebody staged.
_PROBLEMS = 100


@wbnode.minion.salt_errors
def builds() -> dict[str, dict[str, bool]]:
    """Every build that is staged, and whether its builders have declared it ``READY``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.builds
    """
    staging = _staging()
    return {str(build): {"ready": staging.is_ready(build)} for build in staging.builds()}


@wbnode.minion.salt_errors
def acknowledge(answers: dict[str, str]) -> dict[str, list[str]]:
    """Take the master's word that it has recorded the landing of builds: the beacon does not
    announce them again.

    answers
        Build → what the master decided, in a sentence. One that is not ``READY`` (any more)
        is passed over.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.acknowledge '{WS221: "the release of WS221 was started"}'
    """
    staging = _staging()
    known = {Build.parse(name): str(answer) for name, answer in answers.items()}
    taken = [build for build in known if staging.is_ready(build)]
    for build in taken:
        Announced(staging.layout).acknowledge(build, known[build])
    return {"acknowledged": [str(build) for build in taken]}


@wbnode.minion.salt_errors
def survey(build: str, databases: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What of a build is there, and what is wrong with it: all of it, if anything is.

    Of files only the definitions of tables are read, unless something is wrong with them: then
    the tables themselves are looked at too, as :func:`inspect` does.

    databases
        As :func:`seal` takes them.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.survey WS221
    """
    name, staging = Build.parse(build), _staging()
    facts: dict[str, Any] = {
        "build": str(name),
        "staged": staging.is_staged(name),
        "ready": staging.is_ready(name),
        **{"sealed": "", "changed": [], "problems": [], "databases": {}, "datasets": {}},
    }
    if not facts["staged"]:
        return facts
    sealed = staging.manifest(name)
    if sealed is not None:
        return facts | _sealed(sealed) | {"changed": staging.changed(sealed)[:_TOLD]}
    look = staging.look(name, databases)
    sizes = {str(d): {"files": len(f.files), "bytes": f.bytes} for d, f in look.found.items()}
    return facts | {
        "databases": dict(look.databases),
        "datasets": sizes,
        "problems": look.problems and _wrong(staging, look),
    }


@wbnode.minion.salt_errors
def inspect(build: str) -> dict[str, list[str]]:
    """Everything that is wrong with a build that is staged: what :func:`seal` would refuse.

    Nothing of the build is changed. MySQL writes to disk what it has in memory, and every index
    of a table is read that no build was sealed with yet.

    Returns ``{"problems": [sentence]}``, each with its way out; none of a sealed build.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.inspect WS221
    """
    name, staging = Build.parse(build), _staging()
    if staging.manifest(name) or not staging.is_staged(name):
        return {"problems": []}
    return {"problems": _wrong(staging, staging.look(name))}


@wbnode.minion.salt_errors
def seal(name: str, run: str = "", databases: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Make the manifest of a build or of a webapp release, unless it is made already.

    Files that were not touched since they were read for another manifest are not read
    again. MySQL can only read sealed tables from then on. BadData names a file that was
    changed after it was sealed.

    name
        A build (``WS221``) or a webapp release (``WS221-2010.12.24-0.02-1350``).
    run
        Id of the run that asks, for the log.
    databases
        The directory of each database, of a build that is live on the nodes and was never sealed:
        what this machine's links lead to may belong to the next build. No table is brought into
        another form then. Without it, the links count.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.seal WS221
    """
    parsed, staging = manifests.parse_name(name), _staging()
    if isinstance(parsed, Build) and not staging.is_staged(parsed):
        raise BadRequest(
            f"{name} is not staged here",
            f"acedb/wormbase_{name} and databases/{name} make a build; see wb_build.builds",
        )
    manifest = staging.manifest(parsed)
    if manifest is not None:
        staging.protect(manifest.datasets)
        staging.check(manifest)
    else:
        manifest = _make(staging, parsed, databases)
        wbnode.files.write_whole(staging.layout.manifest(parsed), manifest.to_bytes())
        log.info("%s was sealed for run %s", name, run or "of nobody")
    facts = _sealed(manifest)
    return {"name": name, "digest": facts.pop("sealed"), **facts}


@wbnode.minion.salt_errors
def unseal(build: str) -> dict[str, Any]:
    """Forget the manifest of a build, so that it can be changed and sealed again.

    MySQL can write to the tables that were made for the build again.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.unseal WS221
    """
    name, staging = manifests.parse_name(build), _staging()
    was_sealed = staging.manifest(name) is not None
    # A seal that broke off has made tables read-only, too, and written no manifest.
    if staging.release(staging.tables(name)):
        _open_tables_anew(staging)
    staging.layout.manifest(name).unlink(missing_ok=True)
    return {"name": str(name), "was_sealed": was_sealed}


@wbnode.minion.salt_errors
def forget(build: str) -> dict[str, Any]:
    """Remove what is kept about a build that was purged here: its folder and its manifest.

    BadRequest while the build is still staged.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_build.forget WS219
    """
    name, staging = Build.parse(build), _staging()
    if staging.is_staged(name):
        raise BadRequest(f"{name} is still staged here", "purge it first: orch.purge, local: True")
    layout = staging.layout
    kept = [layout.build(name), layout.manifest(name), layout.figures(name)]
    kept.append(layout.parcels / str(name))
    forgotten = [str(path) for path in kept if path.exists()]
    for path in kept:
        wbnode.files.remove(path)
    return {"forgotten": forgotten}


def _staging() -> Staging:
    return Staging(wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__))


def _open_tables_anew(staging: Staging) -> None:
    if staging.layout.below(staging.settings.mysql.socket).exists():
        __salt__["wb_mysql.flush"]()


def _make(
    staging: Staging, name: Build | Release, databases: Mapping[str, str] | None
) -> manifests.Manifest:
    look = staging.look(name, databases)
    if problems := _wrong(staging, look):
        raise BadData(manifests.together(problems), f"fix {name} and start again")
    if isinstance(name, Build):
        _settle(staging, name, databases)
        # What is live keeps its bytes, by which the nodes' own are judged.
        if databases is None and staging.normalise(name, look):
            _open_tables_anew(staging)
        look = staging.look(name, databases)
    total = sum(found.bytes for found in look.found.values())
    meter = progress.meter(__salt__["event.send"], __opts__, name, STEP, total)
    return staging.make(name, look, meter)


def _wrong(staging: Staging, look: Look) -> list[str]:
    socket = staging.layout.below(staging.settings.mysql.socket)
    crashed = staging.crashed(look, mysql.client(socket, _SERVER_SECONDS))
    return (look.problems + crashed)[:_PROBLEMS]


def _settle(staging: Staging, name: Build, databases: Mapping[str, str] | None) -> None:
    """Let nobody write to the tables of a build any more; BadData when somebody still did, and
    then they can be written to as before."""
    # What the server still holds in memory of a table belongs to it.
    _open_tables_anew(staging)
    before = staging.look(name, databases)
    try:
        staging.protect(before.found)
        if moved := before.moved(staging.look(name, databases)):
            raise BadData(
                f"{moved[0]} changed while {name} was being sealed",
                "wait until nothing writes there, and start again",
            )
    except ReleaseError:
        staging.release([dataset for dataset in before.found if dataset.build == name])
        _open_tables_anew(staging)
        raise


def _sealed(manifest: manifests.Manifest) -> dict[str, Any]:
    """What the master needs to know of a manifest: never its files."""
    datasets = {
        str(dataset): {
            "files": len(contents.files),
            "bytes": contents.bytes,
            "digest": contents.digest,
        }
        for dataset, contents in manifest.datasets.items()
    }
    return {
        "sealed": manifests.digest_of(manifest.to_bytes()),
        "databases": dict(manifest.databases),
        "datasets": datasets,
    }
