"""What changes from release to release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from wbmaster.reporting.tree import DONE, Tree

from . import charts, words

_PUSHES = "push_"
_MOST_STEPS = 6
Figure = Callable[[Tree], float | None]


def live(every: Iterable[Tree]) -> list[Tree]:
    """The runs that brought a build live, oldest first."""
    made = [one for one in every if one.outcome == DONE and one.row["kind"] == "release"]
    return sorted(
        (one for one in made if not one.row["request"].get("minor")),
        key=lambda one: float(one.row["began"]),
    )


def curves(every: Sequence[Tree]) -> list[charts.Curve]:
    """Bytes into each site, seconds in all and by step, size by dataset, counts, window."""
    drawn = [
        *(
            _curve(f"Bytes that entered {site}", every, _entered(site), words.size)
            for site in _sites(every)
        ),
        _curve("Seconds of the whole run", every, lambda run: run.seconds, words.seconds),
        *(
            _curve(f"Seconds of {words.step(name)}", every, _seconds_of(name), words.seconds)
            for name in _longest(every)
        ),
        *(
            _curve(f"Size of {kind}", every, _size_of(kind), words.size)
            for kind in ("acedb", "mysql", "support")
        ),
        *(
            _curve(f"Objects of {name}", every, _objects_of(name), lambda one: f"{one:,.0f}")
            for name in _classes(every)
        ),
        _curve("Figures that the gate compared", every, _counted, lambda one: f"{one:,.0f}"),
        _curve("Seconds of the maintenance page", every, lambda run: run.window, words.seconds),
    ]
    return [one for one in drawn if one.rows]


def _curve(
    title: str, every: Sequence[Tree], figure: Figure, say: Callable[[float], str]
) -> charts.Curve:
    points = [(str(run.row["build"]), figure(run)) for run in every]
    return charts.curve(title, [(name, far) for name, far in points if far is not None], say)


def _sites(every: Sequence[Tree]) -> list[str]:
    entered = (one.figures.get("entered", {}) for run in every for one in run.steps)
    return sorted({site for sites in entered for site in sites})


def _entered(site: str) -> Figure:
    def entered(run: Tree) -> float | None:
        counts = [one.figures["entered"] for one in run.steps if "entered" in one.figures]
        return float(sum(one.get(site, 0) for one in counts)) if counts else None

    return entered


def _seconds_of(name: str) -> Figure:
    return lambda run: next((one.seconds for one in run.steps if one.name == name), None)


def _size_of(kind: str) -> Figure:
    def size(run: Tree) -> float | None:
        for one in run.steps:
            if one.name == f"{_PUSHES}{kind}" and one.figures.get("unpacked"):
                return float(max(one.figures["unpacked"].values()))
        return None

    return size


def _classes(every: Sequence[Tree]) -> list[str]:
    """AceDB's largest classes in the newest release of which they are known, largest first."""
    figures = [one.figures for run in every for one in run.steps if one.figures.get("classes")]
    newest: dict[str, int] = figures[-1]["classes"] if figures else {}
    return sorted(newest, key=lambda name: -newest[name])


def _objects_of(name: str) -> Figure:
    def objects(run: Tree) -> float | None:
        counts = (one.figures.get("classes", {}).get(name) for one in run.steps)
        return next((one for one in counts if one is not None), None)

    return objects


def _counted(run: Tree) -> float | None:
    return next((one.figures["counted"] for one in run.steps if "counted" in one.figures), None)


def _longest(every: Sequence[Tree]) -> list[str]:
    """The steps that take longest, in all of these runs together."""
    total: dict[str, float] = {}
    for run in every:
        for one in run.steps:
            total[one.name] = total.get(one.name, 0) + (one.seconds or 0)
    return sorted(total, key=lambda name: -total[name])[:_MOST_STEPS]
