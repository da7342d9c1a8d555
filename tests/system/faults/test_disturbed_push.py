"""What disturbs the trip over the sea: a fetch that is killed, bits that turned."""

from __future__ import annotations

import json
import random
import subprocess

import pytest
from labclient import Lab
from site_of import builds_on, next_build

NODE, SOURCE = "canopus", "wb-dev"
PARCELS = "/var/lib/wormbase-release/parcels"
KILLS, SLOW_MEGABYTES, MEGABYTES = 4, 0.12, 5.0


@pytest.fixture
def build(lab: Lab) -> str:
    """The next build, complete on every node but one, which only lacks its link to the rest."""
    name = next_build(lab)
    lab.do("build", name)
    lab.do("cut", NODE)
    try:
        done = lab.orch("push", {"build": name})
    finally:
        lab.do("heal", NODE)
    assert done.returncode == 0, done.stdout + done.stderr
    return name


def test_a_fetch_that_is_killed_again_and_again_goes_on_from_the_byte(lab: Lab, build: str) -> None:
    pause = random.Random(build)
    lab.do("wan", "--rate", str(SLOW_MEGABYTES))
    try:
        before, killed = crossed(lab), 0
        while killed < KILLS:
            run = push(lab, build)
            while run.poll() is None and killed < KILLS:
                killed += killed_at_work(lab, pause.uniform(0.3, 1.5))
            run.wait(600)
            assert killed == KILLS or run.returncode, "it was there before it was killed so often"
        done = lab.orch("push", {"build": build})
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        lab.do("wan", "--rate", str(MEGABYTES))
    again = crossed(lab) - before - size_of(lab, build)
    print(f"{again / KILLS / 1e3:.0f} kB more than the parcels for each of {KILLS} kills")
    # What was on its way when it was killed, and what Salt itself says.
    assert again / KILLS < 700_000
    assert same(lab, build)


def test_turned_bits_are_found_and_named_and_that_file_alone_is_fetched(
    lab: Lab, build: str
) -> None:
    old = f"WS{max(number for number in builds_on(lab, NODE) if f'WS{number}' != build)}"
    turned = f"/usr/local/wormbase/databases/{old}/gene/functional_descriptions.{old}.txt"
    turn_a_bit(lab, NODE, turned)
    part = lab.exec(
        SOURCE, "sh", "-c", f"ls -S {PARCELS}/{build}/*.part | sed -n 3p"
    ).stdout.strip()
    turn_a_bit(lab, SOURCE, part)

    done = lab.orch("push", {"build": build})
    assert done.returncode == 0, done.stdout + done.stderr
    assert same(lab, build)
    figures = lab.runner("wb_release.history", "limit=1")[0]["steps"]["push_support"]
    assert f"support/{build}/gene/functional_descriptions.{build}.txt" in figures["mended"][NODE]
    # Back as it was, for whoever goes back to it.
    turn_a_bit(lab, NODE, turned)


def push(lab: Lab, build: str) -> subprocess.Popen[bytes]:
    """A push at work."""
    words = ["exec", "salt", "salt-run", "state.orch", "orch.push", f"pillar={{build: {build}}}"]
    silent = subprocess.DEVNULL
    return subprocess.Popen([str(lab.checkout / "bin/lab"), *words], stdout=silent, stderr=silent)


def killed_at_work(lab: Lab, after: float) -> bool:
    """Kill a fetch some seconds after it began, with its ssh and whoever waits for them.

    The node itself looks for it: on a busy machine a look from outside comes so late that the
    whole build may be there between two of them.
    """
    look = "for _ in $(seq 50); do pgrep -x rsync && break; sleep 0.1; done"
    command = f"{look}; sleep {after:.2f}; exec pkill -9 -x rsync"
    return lab.exec(NODE, "sh", "-c", command).returncode == 0


def crossed(lab: Lab) -> int:
    """Bytes that were sent over the link between the sites so far."""
    told = json.loads(lab.do("wan"))
    return sum(count for site, count in told.items() if site != "nodes")


def size_of(lab: Lab, build: str) -> int:
    """Bytes of the parcels of a build that a node has."""
    return int(lab.exec(NODE, "du", "-sb", f"{PARCELS}/{build}").stdout.split()[0])


def same(lab: Lab, build: str) -> bool:
    """Whether every file of a build is on the node byte for byte as on wb-dev."""
    command = (
        f"cd /usr/local && find mysql/data/*_{build} wormbase/acedb/wormbase_{build} "
        f"wormbase/databases/{build} -type f ! -path '*/bl?st/*' ! -path '*/blat/*' "
        "! -name '*log.wrm' ! -name 'SERVER_*' ! -path '*/readlocks/*' -exec sha256sum {} + | sort"
    )
    there, here = (lab.exec(node, "sh", "-c", command).stdout for node in (SOURCE, NODE))
    return bool(there) and there == here


def turn_a_bit(lab: Lab, node: str, path: str) -> None:
    """Turn a bit in the middle of a file; its times stay."""
    program = (
        "import os, sys; p = sys.argv[1]; s = os.stat(p); f = open(p, 'r+b'); "
        "f.seek(s.st_size // 2); b = f.read(1)[0]; f.seek(s.st_size // 2); "
        "f.write(bytes([b ^ 4])); f.close(); os.utime(p, ns=(s.st_atime_ns, s.st_mtime_ns))"
    )
    done = lab.exec(node, "/opt/saltstack/salt/bin/python3", "-c", program, path)
    assert done.returncode == 0, done.stderr
