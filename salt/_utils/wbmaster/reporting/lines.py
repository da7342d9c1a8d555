"""A tree in lines of plain text that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wbcore.printable import Moving, printable

from .describe import length, size
from .tree import BROKEN_OFF, DONE, FAILED, RUNNING, WAITING, Step, Tree

_MARKS = {WAITING: "·", RUNNING: "▶", DONE: "✓", FAILED: "✗", BROKEN_OFF: "✗"}
_BAR = 16
Line = tuple[str, str]


def of(tree: Tree, width: int, height: int) -> list[Line]:
    """(state, text) of each line, at most ``height`` of at most ``width`` characters; the step at
    work is always among them."""
    done = [one for one in tree.steps if one.state == DONE]
    coming = [one for one in tree.steps if one.state == WAITING]
    others = [one for one in tree.steps if one.state not in (DONE, WAITING)]
    middle = [line for one in others for line in _at_work(one, max(1, height - 5))]
    room = height - 1 - len(middle)
    ended = list(_ended(done, max(1, room - len(coming))))
    shown = [_head(tree), *ended, *middle, *_ahead(coming, max(1, room - len(ended)))]
    return [(state, text[:width]) for state, text in shown[:height]]


def _head(tree: Tree) -> Line:
    about = f" of about {length(tree.forecast)}" if tree.forecast else ""
    return tree.outcome, f"{printable(tree.title)}  {length(tree.seconds)}{about}  {tree.outcome}"


def _ended(done: Sequence[Step], room: int) -> Iterator[Line]:
    """The steps that are done; the first of them in one line, where they do not fit."""
    many = len(done) - room + 1 if len(done) > room else 0
    if many:
        took = sum(one.seconds or 0 for one in done[:many])
        yield DONE, f"  {_MARKS[DONE]} {f'{many} steps':<22}{length(took):>9}"
    for one in done[many:]:
        yield DONE, _line(one)


def _ahead(coming: Sequence[Step], room: int) -> Iterator[Line]:
    """The steps that are still to come; the last of them in one line, where they do not fit."""
    many = len(coming) - room + 1 if len(coming) > room else 0
    for one in coming[: len(coming) - many]:
        yield WAITING, _line(one)
    if many:
        yield WAITING, f"  {_MARKS[WAITING]} {many} more steps"


def _at_work(step: Step, room: int) -> Iterator[Line]:
    yield step.state, _line(step)
    if step.error:
        yield step.state, f"      {printable(step.error)}"
    nodes = sorted(step.nodes, key=lambda one: one.node)
    many = len(nodes) - room + 1 if len(nodes) > room else 0
    for one in nodes[: len(nodes) - many]:
        yield step.state, f"      {_moving(one)}"
    if many:
        yield step.state, f"      and {many} more nodes"


def _line(step: Step) -> str:
    took = length(step.seconds)
    parts = [f"  {_MARKS[step.state]} {step.name.replace('_', ' '):<22}{took:>9}"]
    if step.forecast and step.state in (RUNNING, WAITING):
        parts.append(f"  about {length(step.forecast)}")
    if step.state == RUNNING and step.forecast and not step.nodes:
        parts.append(f"  {bar((step.seconds or 0) / step.forecast)}")
    if step.state == DONE and step.figures.get("received"):
        parts.append(f"  {size(step.figures['received'])} received")
    return "".join(parts)


def _moving(one: Moving) -> str:
    left = (one.total - one.done) / one.rate if one.rate else None
    rest = "" if left is None else f"  {length(max(0.0, left))} left"
    far = one.done / one.total if one.total else 0.0
    return (
        f"{one.node:<10} {bar(far)} {size(one.done)} of {size(one.total)}  {size(one.rate)}/s{rest}"
    )


def bar(share: float) -> str:
    """How much of something is done, 0 to 1."""
    full = round(_BAR * min(1.0, max(0.0, share)))
    return "━" * full + "─" * (_BAR - full)
