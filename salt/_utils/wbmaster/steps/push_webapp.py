"""Step 7 of the wiki page: the webapp, laid beside what serves and started once for proof."""

from __future__ import annotations

from typing import Any

from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.names import Release

from ..golive import pool, preflight
from ..pushing import pull
from ..run import Run

STEP = "push_webapp"
_WAY_OUT = "nothing has changed on the site; fix it and run the same command again"


def forecast(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive:
        return {}
    dataset = f"webapp/{run.plan.release}"
    lacking = [node for node in pool.web(run) if dataset not in run.seen.nodes[node].held]
    return {str(run.plan.release): f"would be staged on {', '.join(lacking)}"} if lacking else {}


def take(run: Run) -> dict[str, Any]:
    release = run.plan.release
    if release is None or not run.plan.needs_golive:
        return {}
    digest, dataset, size = _make(run, release)
    _record(run, release, digest, dataset)
    run.plan.sizes[dataset] = size  # type: ignore[index]
    lacking = {
        node: [dataset]
        for node in pool.web(run)
        if run.seen.nodes[node].held.get(dataset) != size["digest"]
    }
    changes = pull(run, STEP, str(release), digest, lacking)
    # A change-over that is taken up again has passed its preflight, and nodes may serve it.
    resumed = run.known.switch is not None and run.known.switch.after == release
    if release != run.plan.before and not resumed:
        run.notes.measured(STEP, **preflight.passed(run, release))
    return changes


def _make(run: Run, release: Release) -> tuple[str, str, dict[str, Any]]:
    staging = run.settings.staging
    run.fleet.one(staging, "wb_webapp.assemble", _WAY_OUT, release=str(release))
    sealed = run.fleet.one(staging, "wb_build.seal", _WAY_OUT, name=str(release), run=run.id)
    (dataset, size), *_ = sealed["datasets"].items()
    return sealed["digest"], dataset, size


def _record(run: Run, release: Release, digest: str, dataset: str) -> None:
    """From here on the ledger knows the release, so that its date stays what it is."""
    known = run.known.releases.get(release)
    build_digest = run.notes.sealed_digest or (known.build_digest if known else "")
    if not build_digest and run.known.live:
        build_digest = run.known.releases[run.known.live].build_digest
    run.ledger.record_release(
        ReleaseRecord(
            release,
            digest,
            build_digest,
            run.plan.databases,
            sorted({*_databases(run), dataset}),
        )
    )
    run.known = run.ledger.known()


def _databases(run: Run) -> list[str]:
    """The datasets of the build; those of a minor revision are those of what is live."""
    if run.plan.seals:
        return list(run.plan.sizes)
    live = run.known.live
    datasets = run.known.releases[live].datasets if live else []
    return [dataset for dataset in datasets if not dataset.startswith("webapp/")]
