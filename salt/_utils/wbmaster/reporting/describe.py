"""Runs in words: what would be done, what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wbcore.planning.plan import Plan

from ..run import Run


def size(count: float) -> str:
    """Bytes for people: ``12.3 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def length(seconds: float | None) -> str:
    """A length of time: ``0.4 s``, ``37 s``, ``4 min 05 s``; '' for none."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def idle(run: Run) -> str:
    """Why there is nothing to do, and for whom that was not looked at."""
    what = f"{run.plan.release} is already live"
    if run.request.kind == "push":
        what = f"{run.request.build} is on every node already"
    if run.request.kind == "adopt":
        what = f"{run.plan.release} is adopted already"
    if run.request.kind == "announce":
        what = f"{run.plan.release} is announced already"
    return "\n".join([f"{what}; nothing to do.", *_left_out(run.plan)])


def plan(run: Run | None) -> str:
    """What a run is going to do, a line each."""
    if run is None:
        return ""
    decided = run.plan
    if decided.idle:
        return idle(run)
    lines = [str(run.request)]
    if run.request.kind == "adopt":
        return "\n".join([*lines, *_adoption(decided)])
    if decided.release:
        lines.append(f"release {decided.release}, live now: {decided.before or 'nothing'}")
    lines += _left_out(decided)
    for node, lacking in decided.pull_bytes().items():
        if lacking:
            lines.append(f"{node} lacks {size(lacking)}: {', '.join(decided.pulls[node])}")
    lines += [
        f"{node} switches {', '.join(links)}" for node, links in decided.flips.items() if links
    ]
    if decided.announce:
        lines.append(f"to announce: {', '.join(decided.announce)}")
    return "\n".join(lines)


def _adoption(decided: Plan) -> list[str]:
    """What is live where, and what would be read."""
    links = ", ".join(f"{name} -> {target}" for name, target in decided.databases.items())
    new = ", ".join(decided.settles)
    return [
        f"{decided.release} is live on every node, with {links}",
        *(
            f"{node} reads {size(count)} where they lie, and gets nothing that it has"
            for node, count in decided.read_bytes().items()
            if decided.reads[node]
        ),
        *([f"to be brought to their states, one by one: {new}"] if new else []),
        "nothing that serves is restarted, nothing is announced, published or purged",
    ]


def _left_out(decided: Plan) -> list[str]:
    why = {
        "they do not answer": decided.absent,
        "they lack databases of it": decided.lacking,
    }
    return [f"left out, since {one}: {', '.join(nodes)}" for one, nodes in why.items() if nodes]


def summary(run: Run) -> str:
    """How a run that did its work ended: a line a step, what it cost, then what is live and how to
    go back."""
    row, steps = run.ledger.run(run.id), run.ledger.steps(run.id)
    lines = [_step(one["step"], one["figures"]) for one in steps]
    if row:
        lines.append(_cost(row, [one["figures"] for one in steps]))
    if run.left_out:
        lines.append(f"left out: {', '.join(run.left_out)} (catch up by themselves)")
    if run.plan.release and run.plan.needs_golive:
        before = run.plan.before
        lines += [f"to go back to {before}: orch.rollback"] if _can_go_back(run) else []
        lines.append(f"{run.plan.release} is live.")
    if run.request.kind == "adopt":
        lines.append(f"{run.plan.release} is adopted; docs/adopt.md has the line for nginx")
    return "\n".join(lines) or "Done."


def _step(name: str, figures: Mapping[str, Any]) -> str:
    received = f", {size(figures['received'])} received" if "received" in figures else ""
    return f"{name}: {figures.get('seconds', 0):.1f} s{received}"


def _cost(row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> str:
    """What a run took, beside what was forecast."""
    minutes, received = row["forecast"].get("minutes"), sum(one.get("received", 0) for one in steps)
    windows = [one["window"] for one in steps if one.get("window")]
    return "; ".join(
        [
            f"it took {length(row['ended'] - row['began'])}"
            + (f", {length(minutes * 60)} were forecast" if minutes else ""),
            *([f"{size(received)} received"] if received else []),
            *(f"the maintenance page was up for {length(one)}" for one in windows),
        ]
    )


def _can_go_back(run: Run) -> bool:
    """Whether the run went forward from another release."""
    return run.request.kind != "rollback" and run.plan.before not in (None, run.plan.release)
