"""What a command costs the master: CPU and memory of its processes, events on its bus."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psutil
import salt.config
import salt.utils.event

from .village import Village

# Reading the memory of a dozen processes costs some milliseconds.
SAMPLE_SECONDS = 0.5
MEGABYTE = 1e6


def measured(village: Village, command: Callable[[], Any]) -> dict[str, Any]:
    """Seconds, CPU seconds of the master, the command and the nodes, peak memory, events."""
    master = village.master
    with _events(village) as seen, _peak(master) as peak:
        whole, own, commands = _cpu(village.processes()), _cpu(_tree(master)), _cpu_of_children()
        began = time.monotonic()
        command()
        seconds = time.monotonic() - began
        own, commands = _cpu(_tree(master)) - own, _cpu_of_children() - commands
        whole = _cpu(village.processes()) - whole
    return {
        "seconds": round(seconds, 2),
        "master_cpu": round(own, 2),
        "command_cpu": round(commands, 2),
        "cpu": round(own + commands, 2),
        "node_cpu": round((whole - own) / len(village.nodes), 2),
        "events": sum(seen.values()),
        "by_tag": dict(seen),
        **{name: round(value / MEGABYTE, 1) for name, value in peak.items()},
    }


def kind_of(tag: str) -> str:
    """A tag without what is of one job, node or run only: ``salt/job/*/ret``."""
    parts = tag.split("/")
    if tag.startswith("salt/job/"):
        return "/".join(["salt/job/*", *parts[3:4]])
    if tag.startswith("wormbase/release/"):
        return f"wormbase/release/*/{parts[-1]}"
    return "salt/run/*" if tag.startswith("salt/run/") else "other"


def _tree(top: psutil.Process) -> list[psutil.Process]:
    return [top, *top.children(recursive=True)]


def _each(processes: Iterable[psutil.Process], fact: str) -> Iterator[Any]:
    for process in processes:
        # It may end while it is looked at.
        with suppress(psutil.NoSuchProcess):
            yield getattr(process, fact)()


def _cpu(processes: Iterable[psutil.Process]) -> float:
    """CPU seconds so far, with those of children that have ended."""
    return sum(sum(times[:4]) for times in _each(processes, "cpu_times"))


def _memory(processes: Iterable[psutil.Process]) -> Mapping[str, int]:
    """Bytes: ``rss`` counts what processes share once for each, ``pss`` once in all."""
    facts = list(_each(processes, "memory_full_info"))
    return {"rss": sum(one.rss for one in facts), "pss": sum(one.pss for one in facts)}


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _events(village: Village) -> Iterator[Counter[str]]:
    """Count what passes on the master's bus, by :func:`kind_of`."""
    seen: Counter[str] = Counter()
    options = salt.config.master_config(str(village.options))
    ready, done = threading.Event(), threading.Event()

    def follow() -> None:
        with salt.utils.event.get_event(
            "master", sock_dir=options["sock_dir"], opts=options, listen=True
        ) as bus:
            ready.set()
            while not done.is_set():
                event = bus.get_event(wait=0.5, full=True)
                if event:
                    seen[kind_of(event["tag"])] += 1

    with _beside(follow, done):
        ready.wait(10)
        yield seen


def memory_of(village: Village, node: str) -> AbstractContextManager[dict[str, int]]:
    """The most memory that a node's minion and all below it have meanwhile, in bytes."""
    return _peak(village.minion(node))


@contextmanager
def _peak(top: psutil.Process) -> Iterator[dict[str, int]]:
    """The most memory that a process and all below it had meanwhile."""
    most = {"rss": 0, "pss": 0}
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            for name, value in _memory(_tree(top)).items():
                most[name] = max(most[name], value)

    with _beside(sample, done):
        yield most


@contextmanager
def _beside(work: Callable[[], None], done: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
