"""What runners answer, in compact tables for a terminal."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text
from wbcore.printable import number, printable

from .describe import length, size

Data = Any
_BAD = "bold red"
_OUTCOMES = {"done": "green", "running": "bold cyan", "whole": "", "waiting": "yellow"}


def render(function: str, data: Data, width: int, colour: bool) -> str:
    """The answer of a runner's function as text.

    function
        Name of the function, such as ``wb_release.status``.
    width
        Characters of a line.
    colour
        Whether the terminal shows colours.
    """
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=colour, legacy_windows=False)
    for one in _tables(function, data):
        console.print(one, highlight=False, markup=False, emoji=False)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def _tables(function: str, data: Data) -> Sequence[RenderableType]:
    if isinstance(data, Mapping) and "error" in data and "retcode" in data:
        return [_text(data["error"], _BAD)]
    if isinstance(data, Mapping | list) and function in _OF:
        return _OF[function](data) if data else [Text("There is none.")]
    return [_text(data)]


def _status(data: Data) -> Sequence[RenderableType]:
    about = [
        _text(f"live      {data['live'] or 'nothing'}", "bold"),
        _text(f"way back  {data['way_back'] or 'none'}"),
    ]
    if data["at_work"]:
        about.append(_text(f"running   {data['at_work']}", "bold cyan"))
    if data["ledger"] != "up to date":
        about.append(_text(f"ledger    {data['ledger']}", _BAD))
    if data["proxy"].get("maintenance"):
        about.append(Text("the maintenance page is up", _BAD))
    about += [_text(one, "yellow") for one in data["verdicts"]]
    table = _table("node", "webapp", "AceDB", "MySQL", "pool")
    wrong = []
    for node, one in sorted(data["nodes"].items()):
        odd = one["state"] != "whole"
        cells = [one.get(key, "") for key in ("release", "acedb")]
        row = [f"{'!' if odd else ' '} {node}", *cells, _builds(one.get("mysql", {}))]
        table.add_row(*map(_text, [*row, one.get("pool", "")]), style=_BAD if odd else "")
        wrong += [_text(f"! {node}: {one['state']}", _BAD)] if odd else []
    return [*about, Text(), table, *wrong]


def _builds(databases: Any) -> str:
    """How many databases are of which build, the newest first."""
    if not isinstance(databases, Mapping):
        return printable(databases)
    counted = Counter(str(build) for build in databases.values())
    return ", ".join(f"{many} {build}" for build, many in sorted(counted.items(), reverse=True))


def _history(data: Data) -> Sequence[RenderableType]:
    if isinstance(data, Mapping):
        return _run(data)
    figures = ("took", "moved", "window", "off by")
    table = _table("began", "run", "by", "outcome", *figures, right=figures)
    for run in data:
        cells = [run["began"][5:16], _what(run), _by(run)]
        cells_right = [length(run["seconds"]), _moved(run), length(_window(run)), _error(run)]
        outcome = _text(run["outcome"], _OUTCOMES.get(run["outcome"], _BAD))
        table.add_row(*map(_text, cells), outcome, *map(_text, cells_right))
    return [table]


def _run(run: Data) -> Sequence[RenderableType]:
    """One run with its steps."""
    about = f"{_what(run)}, began {run['began']}, by {_by(run)}: {run['outcome']}"
    table = _table("step", "outcome", "took", "received", "longest", right=("took", "received"))
    slowest = max((number(one.get("seconds")) for one in run["steps"].values()), default=0.0)
    for name, one in run["steps"].items():
        took = number(one.get("seconds"))
        outcome = _text(one["outcome"], _OUTCOMES.get(one["outcome"], _BAD))
        received = size(number(one["received"])) if one.get("received") else ""
        share = "━" * round(12 * took / slowest) if slowest else ""
        table.add_row(_text(name), outcome, _text(length(took)), _text(received), Text(share))
    last = f"took {length(run['seconds'])}, forecast {_forecast(run) or 'none'}"
    error = [_text(run["error"], _BAD)] if run["error"] else []
    return [_text(about, "bold"), table, _text(last), *error]


def _what(run: Data) -> str:
    """The kind of a run and its build, out of its id: ``20261124T200235-release-WS221-4711``."""
    build = str(run["release"]).partition("-")[0]
    words = [word for word in str(run["run"]).split("-")[1:-1] if word != build]
    return " ".join([*words, build]).strip()


def _by(run: Data) -> str:
    """The person who gave the command, or else what started the run."""
    person = run["who"] if run["cause"] in ("command", "board") else ""
    return str(person or run["cause"])


def _moved(run: Data) -> str:
    moved = sum(number(one.get("received")) for one in run["steps"].values())
    return size(moved) if moved else ""


def _window(run: Data) -> float | None:
    return next((one["window"] for one in run["steps"].values() if "window" in one), None)


def _forecast(run: Data) -> str:
    minutes, error = number(run["forecast"].get("minutes")), _error(run)
    return f"{length(minutes * 60)}{f' ({error})' if error else ''}" if minutes else ""


def _error(run: Data) -> str:
    """How much longer than forecast a run took, in percent."""
    minutes = number(run["forecast"].get("minutes"))
    if not minutes or run["outcome"] != "done":
        return ""
    return f"{100 * (run['seconds'] / (60 * minutes) - 1):+.0f} %"


def _plan(data: Data) -> Sequence[RenderableType]:
    forecast, table = data["forecast"], _table("node", "lacks", "datasets", "links", "free then")
    for node, one in sorted(data["nodes"].items()):
        free = forecast["free_after"].get(node)
        cells = [node, size(one["bytes"]), _kinds(one["datasets"]), f"{len(one['links'])} switch"]
        table.add_row(*map(_text, [*cells, "" if free is None else size(free)]))
    sites = ", ".join(f"{size(count)} to {site}" for site, count in forecast["bytes"].items())
    costs = f"about {length(forecast['minutes'] * 60)}, {sites or 'nothing to send'}"
    window = length(forecast["window_seconds"]) if forecast["window_seconds"] else "none"
    about = [line for line in data["would"] if not line.startswith(tuple(_said(data)))]
    return [*map(_text, about), _text(f"{costs}, maintenance page: {window}"), Text(), table]


def _said(data: Data) -> list[str]:
    """How the sentences begin that the table of nodes says as well."""
    return [f"{node} {verb} " for node in data["nodes"] for verb in ("lacks", "switches")]


def _kinds(datasets: Sequence[str]) -> str:
    counted = Counter(dataset.partition("/")[0] for dataset in datasets)
    return ", ".join(f"{many} {kind}" for kind, many in counted.items())


def _landings(data: Data) -> Sequence[RenderableType]:
    table = _table("build", "revision", "landed", "by", "state", "what became of it")
    for one in data:
        state = _text(one["state"], _OUTCOMES.get(one["state"], ""))
        cells = [one["build"], one["revision"], one["seen"][5:16], one["cause"]]
        table.add_row(*map(_text, cells), state, _text(one["answer"]))
    return [table]


def _drift(data: Data) -> Sequence[RenderableType]:
    table = _table("last", "node", "kind", "times", "what", right=("times",))
    for one in data:
        more = one["more"] + len(one["changes"]) - 1
        what = f"{next(iter(one['changes']), '')}{f' (and {more} more)' if more > 0 else ''}"
        table.add_row(
            *map(_text, [one["last"][5:16], one["node"], one["kind"], one["times"], what])
        )
    return [table]


def _verdicts(data: Data) -> Sequence[RenderableType]:
    table = _table("build", "verdict", "since", "who", "why")
    for one in data:
        cells = [one["build"], one["kind"], one["since"][:16], one["who"], one["reason"]]
        table.add_row(*map(_text, cells))
    return [table]


def _orchestration(data: Data) -> Sequence[RenderableType]:
    """What the first and the last state of a run say; the steps were shown as they went. Of a run
    that failed nothing: its last line says it. All that failed is told where no run began, or
    where it is none of ours."""
    states = [one for states in _states(data) for one in states]
    told = [one for one in states if one.get("__id__") in ("begin", "end")]
    failed = [one for one in states if one.get("result") is False]
    end = next((one for one in told if one["__id__"] == "end"), {})
    ran = end.get("result") is not None and end.get("comment") != _NO_END
    began = any(one["__id__"] == "begin" and one.get("result") for one in told)
    shown = ([] if failed else [end]) if ran and began else failed or told[:1]
    steps = [one for one in states if one.get("result") is None and one not in told]
    lines = [_text(one.get("comment", ""), _BAD if one in failed else "") for one in shown]
    would = [_text(f"would: {one['name']}") for one in steps]
    return [*lines, *would, *map(_text, _broken(data))]


_NO_END = "There was nothing to end."


def _states(data: Data) -> list[list[Mapping[str, Any]]]:
    """The states of each node of an orchestration, in the order in which they ran."""
    found = [one for one in data.values() if isinstance(one, Mapping)]
    if "data" in data and isinstance(data["data"], Mapping):
        found = [one for one in data["data"].values() if isinstance(one, Mapping)]
    return [
        sorted(
            (state for state in states.values() if isinstance(state, Mapping)),
            key=lambda state: state.get("__run_num__", 0),
        )
        for states in found
    ]


def _broken(data: Data) -> list[str]:
    """What Salt says of an orchestration that does not render."""
    inner = data.get("data", data)
    values = inner.values() if isinstance(inner, Mapping) else [inner]
    return [str(line) for one in values if isinstance(one, list) for line in one]


_OF: Mapping[str, Callable[[Data], Sequence[RenderableType]]] = {
    "wb_release.status": _status,
    "wb_release.history": _history,
    "wb_release.plan": _plan,
    "wb_release.landings": _landings,
    "wb_release.drift": _drift,
    "wb_release.verdicts": _verdicts,
    "state.orch": _orchestration,
}


def _table(*names: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def _text(value: object, style: str = "") -> Text:
    """A value as it is written, whatever it holds: nodes and people have a say in it."""
    return Text("\n".join(map(printable, str(value).splitlines())), style)
