"""Datasets are pulled over a real sshd and rsync daemon, and are complete or absent."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError
from wbcore.datasets import Dataset
from wbcore.names import Release

MYSQL = "mysql/c_elegans_WS221"
ONTOLOGY = "support/WS221/ontology"
ACEDB = "acedb/wormbase_WS221"


@pytest.fixture
def sealed(site, stage):
    """WS220 and WS221 on ``wb-dev``; the answers of their sealing by build."""
    modules, answers = site.modules["wb-dev"], {}
    for build, rebuilt in (("WS220", ("c_elegans", "c_briggsae")), ("WS221", ("c_elegans",))):
        stage(site.layout("wb-dev"), build, rebuilt)
        answers[build] = modules["wb_build.seal"](build)
    return answers


@pytest.fixture
def pull(site, sealed):
    """Pulls datasets of a build, all of them when none is named; the answer of each."""

    def pull(build="WS221", *datasets, node="node", sources=("wb-dev",)):
        answer = site.modules[node]["wb_dataset.pull"](
            build,
            sealed[build]["digest"],
            list(datasets or sealed[build]["datasets"]),
            site.sources(*sources),
        )
        return answer["datasets"]

    return pull


def place(site, dataset, node="node") -> Path:
    return site.layout(node).dataset(Dataset.parse(dataset))


def incoming(site, dataset) -> Path:
    return site.layout("node").incoming(Dataset.parse(dataset))


def contents(root: Path, left_out=()) -> dict[str, bytes | str]:
    """Everything below a directory: content of files, targets of links, None for folders."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in left_out]
        for name in [*folders, *files]:
            path = Path(folder, name)
            key = str(path.relative_to(root))
            if path.is_symlink():
                found[key] = os.readlink(path)
            else:
                found[key] = path.read_bytes() if path.is_file() else None
    return {path: what for path, what in found.items() if what != b"left out"}


def same_as_on_wb_dev(site, dataset, node="node") -> bool:
    skipped = ("readlocks", "web_data")
    return contents(place(site, dataset, node)) == contents(place(site, dataset, "wb-dev"), skipped)


def touched(path) -> tuple[int, ...]:
    about = path.lstat()
    return about.st_ino, about.st_mtime_ns, about.st_ctime_ns, about.st_nlink


def test_pull_brings_every_dataset_as_it_was_sealed(site, sealed, pull):
    answer = pull()
    held = site.modules["node"]["wb_dataset.held"]()
    for dataset, size in sealed["WS221"]["datasets"].items():
        assert same_as_on_wb_dev(site, dataset)
        assert answer[dataset]["source"] == "wb-dev"
        assert answer[dataset]["received"] > 0
        assert not answer[dataset]["already"]
        assert held[dataset]["digest"] == size["digest"]
        assert not incoming(site, dataset).exists()
    assert not incoming(site, ONTOLOGY).parent.exists()


def test_pull_again_touches_nothing(site, pull):
    pull()
    site.stop("wb-dev")
    before = place(site, MYSQL).stat()
    answer = pull()
    assert all(facts["already"] and facts["received"] == 0 for facts in answer.values())
    assert place(site, MYSQL).stat() == before


def test_pull_gives_modes_by_kind(site, sealed, pull):
    pull()

    def mode(dataset, path):
        return stat.S_IMODE((place(site, dataset) / path).stat().st_mode)

    assert mode(ACEDB, "database/block1.wrm") == 0o666
    assert mode(ACEDB, "database") == 0o2775
    assert mode(MYSQL, "") == 0o2775
    assert mode(MYSQL, "features.MYD") & 0o662 == 0o440
    assert mode(ONTOLOGY, "deep/er") == 0o755


def test_pull_of_a_webapp_makes_its_logs_and_bears_with_them(site, tree):
    release = "WS221-2010.12.24-0.02-1350"
    root = site.layout("wb-dev").website / release
    tree(root, {"bin/starman-production.sh": b"#!/bin/sh", "logs/old": b"not sent"})
    (root / "bin/starman-production.sh").chmod(0o755)
    answer = site.modules["wb-dev"]["wb_build.seal"](release)
    arguments = (release, answer["digest"], [f"webapp/{release}"], site.sources("wb-dev"))
    site.modules["node"]["wb_dataset.pull"](*arguments)
    there = site.layout("node").website / release
    assert stat.S_IMODE((there / "logs").stat().st_mode) == 0o777
    assert os.access(there / "bin/starman-production.sh", os.X_OK)
    assert os.listdir(there / "logs") == []
    (there / "logs/error.log").write_bytes(b"written")
    site.layout("node").marker(Dataset.parse(f"webapp/{release}")).unlink()
    again = site.modules["node"]["wb_dataset.pull"](*arguments)
    assert again["datasets"][f"webapp/{release}"]["already"]


def test_pull_of_a_webapp_with_a_link_that_leaves_it(site, tree, tmp_path):
    release, images = "WS221-2010.12.24-0.02-1350", tmp_path / "images"
    tree(images, {"a.png": b"left alone"})
    source = site.load("wb-dev", {**site.pillar, "webapp": {"outside_links": ["root/i"]}})
    root = site.layout("wb-dev").website / release
    tree(root, {"root/page": b"page"})
    (root / "root/i").symlink_to(images)
    answer = source["wb_build.seal"](release)
    arguments = (release, answer["digest"], [f"webapp/{release}"], site.sources("wb-dev"))
    # The node's own pillar may say less: what was sealed is what it gets.
    there = site.layout("node").website / release
    for _ in range(2):
        site.modules["node"]["wb_dataset.pull"](*arguments)
        assert os.readlink(there / "root/i") == str(images)
        assert (images / "a.png").read_bytes() == b"left alone"
        (there / "root/i").unlink()
        (there / "root/i").symlink_to("page")
        site.layout("node").marker(Dataset.parse(f"webapp/{release}")).unlink()


def test_pull_with_a_basis_sends_little(site, pull):
    pull("WS220")
    # 120 kB that can not be compressed, in a file that is named after the build.
    assert pull()[ONTOLOGY]["received"] < 5_000


def test_pull_takes_the_next_source_when_one_is_down(site, sealed, pull):
    site.add("relay")
    answer = pull("WS221", MYSQL, ONTOLOGY, sources=("relay", "wb-dev"))
    assert answer[MYSQL]["source"] == answer[ONTOLOGY]["source"] == "wb-dev"


def test_pull_takes_from_a_sibling_what_it_has_and_the_rest_elsewhere(site, sealed, pull):
    site.add("relay")
    site.serve("relay")
    pull("WS221", MYSQL, node="relay")
    answer = pull("WS221", ONTOLOGY, MYSQL, sources=("relay", "wb-dev"))
    assert answer[MYSQL]["source"] == "relay"
    assert answer[ONTOLOGY]["source"] == "wb-dev"
    assert same_as_on_wb_dev(site, ONTOLOGY)


def test_pull_from_a_sibling_whose_file_went_bad(site, sealed, pull):
    site.add("relay")
    site.serve("relay")
    pull("WS221", MYSQL, node="relay")
    bad = place(site, MYSQL, "relay") / "features.MYD"
    about = bad.stat()
    bad.write_bytes(b"x" * about.st_size)
    os.utime(bad, ns=(about.st_atime_ns, about.st_mtime_ns))
    answer = pull("WS221", MYSQL, sources=("relay", "wb-dev"))
    assert answer[MYSQL]["source"] == "wb-dev"
    assert same_as_on_wb_dev(site, MYSQL)


def test_pull_says_which_file_of_which_node_is_bad(site, sealed, pull):
    (place(site, MYSQL, "wb-dev") / "features.MYD").write_bytes(b"changed")
    with pytest.raises(
        CommandExecutionError, match=r"c_elegans_WS221/features\.MYD is not what .* on wb-dev"
    ):
        pull("WS221", MYSQL)
    assert not place(site, MYSQL).exists()
    assert site.modules["node"]["wb_dataset.held"]() == {}


def test_pull_mends_a_file_whose_basis_only_looks_right(site, sealed, pull):
    """Same name, size and time as the file that is wanted, but another content."""
    real = place(site, MYSQL, "wb-dev") / "features.MYD"
    about = real.stat()
    basis = place(site, "mysql/c_elegans_WS220")
    basis.mkdir(parents=True)
    (basis / "features.MYD").write_bytes(b"x" * about.st_size)
    os.utime(basis / "features.MYD", ns=(about.st_atime_ns, about.st_mtime_ns))
    pull("WS221", MYSQL)
    assert same_as_on_wb_dev(site, MYSQL)


def test_pull_leaves_the_basis_as_it_was(site, pull):
    older = "support/WS220/ontology"
    pull("WS220", older)
    before = {path: touched(path) for path in place(site, older).rglob("*")}
    pull("WS221", ONTOLOGY)
    for path, about in before.items():
        assert touched(path) == about
    same = place(site, ONTOLOGY) / "deep/er/file"
    assert same.stat().st_mtime == 1_000_000_000
    assert same.stat().st_nlink == 1


def test_pull_refuses_a_digest_that_is_not_the_manifests(site, sealed):
    with pytest.raises(CommandExecutionError, match="its manifest of WS221 is another one"):
        site.modules["node"]["wb_dataset.pull"]("WS221", "0" * 64, [MYSQL], site.sources("wb-dev"))


@pytest.mark.parametrize(
    ("name", "digest", "dataset", "source"),
    [
        ("WS221; rm -rf /", "0" * 64, MYSQL, {"node": "a", "address": "b"}),
        ("../WS221", "0" * 64, MYSQL, {"node": "a", "address": "b"}),
        ("WS221", "-", MYSQL, {"node": "a", "address": "b"}),
        ("WS221", "0" * 64, "mysql/../../etc", {"node": "a", "address": "b"}),
        ("WS221", "0" * 64, MYSQL, {"node": "a", "address": "-oProxyCommand=x"}),
        ("WS221", "0" * 64, MYSQL, {"node": "../a", "address": "b"}),
        ("WS221", "0" * 64, MYSQL, "wb-dev"),
    ],
)
def test_pull_refuses_words_that_could_lead_elsewhere(site, name, digest, dataset, source):
    with pytest.raises(CommandExecutionError, match="is not"):
        site.modules["node"]["wb_dataset.pull"](name, digest, [dataset], [source])


def test_pull_of_a_dataset_that_the_build_does_not_have(site, sealed, pull):
    with pytest.raises(CommandExecutionError, match="WS221 has no dataset mysql/c_remanei_WS221"):
        pull("WS221", "mysql/c_remanei_WS221")


def test_pull_adopts_what_the_old_scripts_copied(site, sealed, pull):
    here, there = place(site, MYSQL), place(site, MYSQL, "wb-dev")
    here.mkdir(parents=True)
    for path in ("features.MYD", "features.MYI"):
        (here / path).write_bytes((there / path).read_bytes())
    inode = here.stat().st_ino
    answer = pull("WS221", MYSQL)
    assert (answer[MYSQL]["already"], answer[MYSQL]["received"]) == (True, 0)
    assert here.stat().st_ino == inode
    assert MYSQL in site.modules["node"]["wb_dataset.held"]()


def test_pull_replaces_a_half_made_directory(site, pull):
    here = place(site, MYSQL)
    here.mkdir(parents=True)
    (here / "features.MYD").write_bytes(b"half")
    assert site.modules["node"]["wb_dataset.held"]() == {}
    assert site.modules["node"]["wb_dataset.found"]()[MYSQL]["verified"] is False
    pull("WS221", MYSQL)
    assert same_as_on_wb_dev(site, MYSQL)


def test_pull_does_not_replace_what_is_live(site, pull):
    here = place(site, MYSQL)
    here.mkdir(parents=True)
    (here / "features.MYD").write_bytes(b"served")
    (here.parent / "c_elegans").symlink_to(here.name)
    with pytest.raises(CommandExecutionError, match=f"{MYSQL} is live here"):
        pull("WS221", MYSQL)
    assert (here / "features.MYD").read_bytes() == b"served"


def test_pull_keeps_what_it_got_before_a_failure(site, sealed, pull):
    (place(site, MYSQL, "wb-dev") / "features.MYD").unlink()
    with pytest.raises(CommandExecutionError, match=r"could not be fetched .*features\.MYD"):
        pull("WS221", ONTOLOGY, MYSQL)
    assert same_as_on_wb_dev(site, ONTOLOGY)
    assert list(site.modules["node"]["wb_dataset.held"]()) == [ONTOLOGY]


def test_pull_cleans_what_another_build_left_unfinished(site, pull):
    old, other = incoming(site, "mysql/c_elegans_WS219"), incoming(site, "mysql/c_remanei_WS219")
    for begun in (old, other, site.layout("node").removed("mysql") / "c_elegans_WS218"):
        begun.mkdir(parents=True)
    pull("WS221", MYSQL)
    assert not old.exists() and other.exists()
    assert not site.layout("node").removed("mysql").exists()


def test_pull_does_not_follow_a_link_in_what_was_left_unfinished(site, pull, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    begun = incoming(site, ONTOLOGY)
    begun.mkdir(parents=True)
    (begun / "deep").symlink_to(outside)
    pull("WS221", ONTOLOGY)
    assert os.listdir(outside) == []
    assert same_as_on_wb_dev(site, ONTOLOGY)


def test_pull_sets_a_link_anew_that_led_elsewhere_in_what_was_left_unfinished(site, pull):
    begun = incoming(site, ONTOLOGY)
    begun.mkdir(parents=True)
    (begun / "latest").symlink_to("deep")
    pull("WS221", ONTOLOGY)
    assert same_as_on_wb_dev(site, ONTOLOGY)


PULLER = """
import json, sys
sys.path[:0] = {path!r}
import salt.loader
modules = salt.loader.minion_mods(json.load(open({opts!r})))
modules["wb_dataset.pull"](*json.load(open({arguments!r})))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_pull_that_was_killed_goes_on_where_it_was(site, tree, make_opts, tmp_path, number):
    big, part = os.urandom(60_000_000), 5_000_000
    directory = place(site, MYSQL, "wb-dev")
    tree(directory, {"features.MYD": big})
    (directory.parent / "c_elegans").symlink_to(directory.name)
    for folder in ("acedb/wormbase_WS221", "support/WS221/gene"):
        tree(place(site, folder, "wb-dev"), {"file": b"x"})
    answer = site.modules["wb-dev"]["wb_build.seal"]("WS221")
    arguments = ["WS221", answer["digest"], [MYSQL], site.sources("wb-dev")]
    (tmp_path / "opts").write_text(_json(make_opts("node", site.pillar)))
    (tmp_path / "arguments").write_text(_json(arguments))
    script = PULLER.format(
        path=sys.path, opts=str(tmp_path / "opts"), arguments=str(tmp_path / "arguments")
    )
    begun = incoming(site, MYSQL) / "features.MYD"
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as puller:
        _wait(lambda: begun.exists() and begun.stat().st_size > part)
        puller.send_signal(number)
    assert not place(site, MYSQL).exists()
    there = begun.stat().st_size
    assert there < len(big)
    again = site.modules["node"]["wb_dataset.pull"](*arguments)["datasets"][MYSQL]
    assert same_as_on_wb_dev(site, MYSQL)
    assert again["received"] < len(big) - there + 1_000_000


def _json(value):
    return json.dumps(value, default=lambda other: list(other) if other else None)


def _wait(until):
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_two_pulls_at_the_same_moment_bring_it_once(site, pull):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(pull("WS221", ONTOLOGY))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer[ONTOLOGY]["already"] for answer in answers) == [False, True]
    assert same_as_on_wb_dev(site, ONTOLOGY)


def test_pull_leaves_no_process_behind(site, pull):
    pull("WS221", MYSQL)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    assert children == [str(site.servers["wb-dev"].pid)]


def test_carrier_gives_nothing_but_datasets(site, sealed, pull):
    """With the key in hand nothing else of the disk can be read, and nothing written."""
    source = site.layout("wb-dev")
    (source.kind("mysql") / "mysql").mkdir()
    (source.kind("mysql") / "mysql/global_priv.MAD").write_bytes(b"secret")
    (source.website / "staging").mkdir(parents=True)
    (source.website / "staging/wormbase_local.conf").write_bytes(b"secret")
    for path in ("mysql/mysql", "webapp/staging", "mysql/.incoming", "support/../../../etc"):
        assert _rsync(site, f"{site.addresses['wb-dev']}::{path}/", f"{site.root}/stolen/") != 0
    assert _rsync(site, __file__, f"{site.addresses['wb-dev']}::support/WS221/") != 0
    assert not (site.root / "stolen").exists() or not os.listdir(site.root / "stolen")


def _rsync(site, *arguments):
    home = site.layout("node").carrier
    ssh = (
        f"ssh -p {site.pillar['carrier']['port']} -l root -i {home / 'id'}"
        f" -oUserKnownHostsFile={home / 'known_hosts'} -oBatchMode=yes"
    )
    return subprocess.run(
        ["rsync", "-r", "--rsh", ssh, *arguments], capture_output=True, check=False
    ).returncode


def test_remove_frees_what_no_link_leads_to(site, pull):
    pull("WS220")
    modules = site.modules["node"]
    gone = ["support/WS220/gene", "support/WS220/ontology"]
    freed = modules["wb_dataset.remove"](gone)["freed"]
    assert freed["support/WS220/gene"] == 15_000
    assert not (site.layout("node").kind("support") / "WS220").exists()
    assert "mysql/c_elegans_WS220" in modules["wb_dataset.found"]()
    assert modules["wb_dataset.remove"](["support/WS220/gene"]) == {"freed": {}, "kept": {}}


def test_remove_keeps_what_is_live(site, pull):
    pull("WS220")
    pull("WS221")
    modules = site.modules["node"]
    modules["wb_link.switch"]({"acedb": "wormbase_WS221", "mysql/c_briggsae": "c_briggsae_WS220"})
    for live in (ACEDB, "mysql/c_briggsae_WS220", ONTOLOGY):
        with pytest.raises(CommandExecutionError, match="is live here"):
            modules["wb_dataset.remove"]([live])
        kept = {live: modules["wb_dataset.remove"]([live], may_keep_all=True)["kept"][live]}
        assert "is live here (the link " in kept[live]
    answer = modules["wb_dataset.remove"](["acedb/wormbase_WS220", live])
    assert list(answer["freed"]) == ["acedb/wormbase_WS220"]
    assert answer["kept"] == kept
    assert live in modules["wb_dataset.held"]()
    assert "acedb/wormbase_WS220" not in modules["wb_dataset.held"]()


def test_remove_takes_the_parcels_of_the_build_too(site, pull):
    pull("WS220")
    pull()
    layout = site.layout("node")
    for build in ("WS220", "WS221"):
        (layout.parcels / build).mkdir(parents=True, exist_ok=True)
    site.modules["node"]["wb_dataset.remove"](["support/WS220/gene"])
    assert [path.name for path in layout.parcels.iterdir()] == ["WS221"]


def manifests(site):
    return sorted(path.name for path in site.layout("node").manifests.glob("*.json"))


def test_remove_takes_the_manifest_with_the_last_that_it_lists(site, pull):
    pull("WS220")
    pull()
    modules = site.modules["node"]
    # WS221 has this database still, and this node has it by the manifest of WS220.
    stays = "mysql/c_briggsae_WS220"
    gone = [one for one in modules["wb_dataset.held"]() if "WS220" in one and one != stays]
    modules["wb_dataset.remove"](gone)
    assert manifests(site) == ["WS220.json", "WS221.json"]
    assert modules["wb_dataset.verify"]([stays])[stays]["error"] == ""
    modules["wb_dataset.remove"]([stays])
    assert manifests(site) == ["WS221.json"]


def test_remove_takes_the_manifest_by_which_a_dataset_of_another_build_came(site, pull):
    pull("WS221", "mysql/c_briggsae_WS220")
    site.modules["node"]["wb_dataset.remove"](["mysql/c_briggsae_WS220"])
    assert manifests(site) == []


def test_remove_takes_the_manifests_of_releases_of_the_webapp(site, tree):
    release = "WS221-2010.12.24-0.02-1"
    tree(site.layout("wb-dev").website / release, {"lib/Web.pm": b"1;"})
    answer = site.modules["wb-dev"]["wb_build.seal"](release)
    webapp, node = f"webapp/{release}", site.modules["node"]
    node["wb_dataset.pull"](release, answer["digest"], [webapp], site.sources("wb-dev"))
    assert manifests(site) == [f"{release}.json"]
    for name in ("node", "wb-dev"):
        site.modules[name]["wb_dataset.remove"]([webapp])
        assert not site.layout(name).manifest(Release.parse(release)).exists()


def test_remove_waits_for_the_pull_that_is_at_work(site, pull):
    pull("WS220")
    path = site.layout("node").pull_lock
    with ThreadPoolExecutor(1) as pool, path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Salt's functions belong to the thread that was given them, so each loads its own.
        removal = pool.submit(
            lambda: site.load("node", site.pillar)["wb_dataset.remove"](["support/WS220/gene"])
        )
        with pytest.raises(TimeoutError):
            removal.result(1)
        assert place(site, "support/WS220/gene").exists()
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert list(removal.result(30)["freed"]) == ["support/WS220/gene"]


def begin(site, *datasets):
    """Leave what killed pulls and a killed removal leave."""
    for dataset in datasets:
        begun = incoming(site, dataset)
        begun.mkdir(parents=True)
        (begun / "file").write_bytes(b"x" * 1000)
    (site.layout("node").removed("mysql") / "c_elegans_WS218").mkdir(parents=True)


LEFT = ("acedb/wormbase_WS222", "support/WS219/gene", MYSQL)


def test_sweep_removes_what_was_left_but_what_is_coming(site):
    begin(site, *LEFT)
    assert site.modules["node"]["wb_dataset.sweep"]([MYSQL])
    assert [one for one in LEFT if incoming(site, one).exists()] == [MYSQL]
    assert not incoming(site, "support/WS219/gene").parent.exists()
    assert not site.layout("node").removed("mysql").exists()


def test_sweep_leaves_all_while_a_pull_is_at_work(site):
    begin(site, *LEFT)
    path = site.layout("node").pull_lock
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not site.modules["node"]["wb_dataset.sweep"]([])
    assert all(incoming(site, one).exists() for one in LEFT)
    assert site.layout("node").removed("mysql").exists()


def test_what_was_only_begun_is_found_and_can_be_removed(site):
    begin(site, *LEFT)
    modules = site.modules["node"]
    size = {"bytes": 1000, "files": 1, "verified": False}
    assert modules["wb_dataset.found"]() == dict.fromkeys(LEFT, size)
    assert list(modules["wb_disk.check"]({MYSQL: {"files": 1, "bytes": 1}})["purgeable"]) == [
        one for one in LEFT if one != MYSQL
    ]
    assert modules["wb_dataset.remove"](LEFT[:2])["freed"] == dict.fromkeys(LEFT[:2], 1000)
    assert list(modules["wb_dataset.found"]()) == [MYSQL]
    assert modules["wb_dataset.held"]() == {}


@pytest.mark.parametrize("act", ["sweep", "found", "held", "remove"])
def test_a_link_in_the_place_of_a_working_directory_leads_nowhere(site, act):
    # The user mysql may write to the directory that it lies in.
    modules, layout = site.modules["node"], site.layout("node")
    live = layout.kind("acedb") / ".removed"
    live.mkdir(parents=True)
    (live / "database").write_text("live")
    layout.kind("mysql").mkdir(parents=True)
    layout.incoming_of("mysql").symlink_to(layout.kind("acedb"))

    arguments = {"sweep": [[]], "remove": [["mysql/c_elegans_WS220"]]}.get(act, [])
    with pytest.raises(CommandExecutionError, match="incoming is or goes through a link"):
        modules[f"wb_dataset.{act}"](*arguments)
    assert (live / "database").read_text() == "live"


def test_a_working_directory_of_another_user_is_not_used(site):
    modules, layout = site.modules["node"], site.layout("node")
    layout.incoming_of("mysql").mkdir(parents=True)
    os.chown(layout.incoming_of("mysql"), 65534, 65534)

    with pytest.raises(CommandExecutionError, match="incoming is no directory of root's own"):
        modules["wb_dataset.sweep"]([])
