"""Held datasets are read again, and what rotted is fetched from whoever has it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import salt.loader
from wbcore.build.manifest import digest_of
from wbcore.datasets import Dataset
from wbcore.names import Build
from wbnode.transport import scrubbing
from websites import make_staging

GENE = "support/WS221/gene"
ONTOLOGY = "support/WS221/ontology"
MYSQL = "mysql/c_elegans_WS221"


@pytest.fixture
def held(site, stage):
    """``node`` and its sibling hold WS221; only the sibling and ``wb-dev`` give it."""
    nodes = {
        name: {"address": address, "site": "local", "roles": roles}
        for name, address, roles in (
            ("wb-dev", "127.0.0.2", ["staging"]),
            ("node", "127.0.0.3", ["acedb", "mysql", "support"]),
            ("sibling", "127.0.0.4", ["acedb", "mysql", "support"]),
        )
    }
    site.pillar["nodes"] = nodes
    site.add("sibling")
    site.modules["node"] = site.load("node", site.pillar)
    stage(site.layout("wb-dev"), "WS221")
    sealed = site.modules["wb-dev"]["wb_build.seal"]("WS221")
    for node in ("sibling", "node"):
        site.modules[node]["wb_dataset.pull"](
            "WS221", sealed["digest"], list(sealed["datasets"]), site.sources("wb-dev")
        )
    site.serve("sibling")
    return sealed["datasets"]


def place(site, dataset, node="node") -> Path:
    return site.layout(node).dataset(Dataset.parse(dataset))


def verify(site, *datasets):
    return site.modules["node"]["wb_dataset.verify"](list(datasets))


def marker(site, dataset) -> Path:
    return site.layout("node").marker(Dataset.parse(dataset))


def read_long_ago(site, dataset, when="2026-01-01T00:00:00+00:00"):
    record = json.loads(marker(site, dataset).read_bytes())
    marker(site, dataset).write_text(json.dumps({**record, "read": when}))


def test_what_is_right_is_read_and_left(site, held):
    read_long_ago(site, ONTOLOGY)
    before = (place(site, ONTOLOGY) / "deep/er/file").stat()
    told = verify(site, ONTOLOGY)[ONTOLOGY]
    assert (told["faults"], told["error"], told["source"]) == (0, "", "")
    assert told["bytes"] > 120_000
    after = (place(site, ONTOLOGY) / "deep/er/file").stat()
    # Reading may change the access time, and nothing else.
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)
    facts = site.modules["node"]["wb_dataset.held"]()[ONTOLOGY]
    assert facts["read"] > facts["verified"][:4]
    assert not facts["read"].startswith("2026-01-01")


def truncate(root):
    os.truncate(root / "gene_association.WS221.wb", 0)


def empty(root):
    for path in root.iterdir():
        if path.is_file():
            path.unlink()


@pytest.mark.parametrize("spoil", [truncate, empty])
def test_a_dataset_that_was_emptied_is_lacking_until_it_was_put_right(site, held, spoil):
    lacking = site.modules["node"]["wb_dataset.lacking"]
    assert lacking([ONTOLOGY, GENE, MYSQL]) == []
    spoil(place(site, ONTOLOGY))
    # Its marker still vouches for it.
    assert ONTOLOGY in site.modules["node"]["wb_dataset.held"]()
    assert lacking([ONTOLOGY, GENE, MYSQL]) == [ONTOLOGY]

    assert verify(site, ONTOLOGY)[ONTOLOGY]["error"] == ""
    assert lacking([ONTOLOGY]) == []


def spoil_bytes(root):
    # Of the same size and time: only reading it tells.
    path = root / "gene_association.WS221.wb"
    about = path.stat()
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def spoil_link(root):
    (root / "latest").unlink()
    (root / "latest").symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("spoil", "source"),
    [
        (spoil_bytes, "sibling"),
        (lambda root: (root / "deep/er/file").unlink(), "sibling"),
        (lambda root: (root / "a\nb").rename(root / "moved"), "sibling"),
        (spoil_link, ""),
        (lambda root: (root / "none").rmdir(), ""),
        (lambda root: (root / "deep/empty").chmod(0o600), ""),
    ],
    ids=["bytes", "file", "name", "link", "folder", "mode"],
)
def test_what_rotted_is_put_right_where_it_lies(site, held, spoil, source):
    root = place(site, ONTOLOGY)
    inode = root.stat().st_ino
    spoil(root)
    told = verify(site, ONTOLOGY)[ONTOLOGY]
    assert (told["faults"], told["source"], told["error"]) == (1, source, "")
    assert verify(site, ONTOLOGY)[ONTOLOGY]["faults"] == 0
    assert root.stat().st_ino == inode


def test_only_the_wrong_files_are_fetched(site, held):
    untouched = place(site, ONTOLOGY) / "gene_association.WS221.wb"
    before = untouched.stat().st_ino
    (place(site, ONTOLOGY) / "deep/er/file").write_bytes(b"DEEP")
    verify(site, ONTOLOGY)
    assert untouched.stat().st_ino == before


def test_a_sibling_whose_copy_rotted_too_is_passed_over(site, held):
    for node in ("node", "sibling"):
        (place(site, GENE, node) / "list").write_bytes(b"rot")
    assert verify(site, GENE)[GENE]["source"] == "wb-dev"
    assert verify(site, GENE)[GENE]["faults"] == 0


def test_what_nobody_has_is_told_and_read_again_the_next_night(site, held, monkeypatch):
    monkeypatch.setattr("wbnode.transport.pull._PAUSE_SECONDS", 0)
    read_long_ago(site, GENE)
    for node in ("node", "sibling", "wb-dev"):
        (place(site, GENE, node) / "list").write_bytes(b"rot")
    told = verify(site, GENE)[GENE]
    assert told["faults"] == 1 and "is not what was sealed" in told["error"]
    assert site.modules["node"]["wb_dataset.held"]()[GENE]["read"].startswith("2026-01-01")


def test_a_manifest_that_is_gone_is_told(site, held):
    (site.layout("node").manifests / "WS221.json").unlink()
    assert "the manifest of WS221 is missing" in verify(site, GENE)[GENE]["error"]


def test_what_is_not_held_is_told(site, held):
    dataset = "mysql/c_elegans_WS999"
    assert "not here and verified" in verify(site, dataset)[dataset]["error"]


def test_without_a_name_the_turn_of_the_oldest_has_come(site, held):
    read_long_ago(site, MYSQL)
    assert next(iter(verify(site))) == MYSQL
    assert next(iter(verify(site))) != MYSQL


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "deep/er/file").unlink(),
        lambda root: (root / "a\nb").rename(root / "moved"),
        lambda root: (root / "none").rmdir(),
        lambda root: (root / "deep/er/more").write_bytes(b"added"),
    ],
    ids=["file", "name", "folder", "added"],
)
def test_a_name_that_came_or_went_is_seen_without_reading(site, held, spoil):
    touched = site.modules["node"]["wb_dataset.touched"]
    assert touched(list(held)) == []
    spoil(place(site, ONTOLOGY))
    assert touched(list(held)) == [ONTOLOGY]
    verify(site, ONTOLOGY)
    assert touched(list(held)) == []


def test_what_a_server_writes_does_not_touch_a_dataset(site, held):
    database = place(site, "acedb/wormbase_WS221") / "database"
    for name in ("serverlog.wrm", "SERVER_PIDFILE.wrm"):
        (database / name).write_bytes(b"x")
    (database / "readlocks").mkdir()
    assert site.modules["node"]["wb_dataset.touched"](list(held)) == []


def test_the_state_puts_back_a_file_that_was_removed(site, held):
    file = place(site, ONTOLOGY) / "deep/er/file"
    file.unlink()
    options = {**site.modules["node"].opts, "test": False}
    present = salt.loader.states(options, site.modules["node"], {}, None)["wb_dataset.present"]
    digest = digest_of(site.layout("node").manifest(Build.parse("WS221")).read_bytes())
    given = {"manifests": {"WS221": digest}, "datasets": list(held), "sources": []}
    changed = present("datasets", **given)
    assert changed["changes"] == {ONTOLOGY: {"old": "touched", "new": "verified"}}
    assert file.read_bytes() == b"deep"
    assert present("datasets", **given)["changes"] == {}


def test_the_state_brings_what_was_sealed_anew_while_the_node_was_away(site, held):
    wb_dev = site.modules["wb-dev"]
    wb_dev["wb_build.unseal"]("WS221")
    (place(site, ONTOLOGY, "wb-dev") / "deep/er/file").write_bytes(b"mended")
    sealed = wb_dev["wb_build.seal"]("WS221")
    options = {**site.modules["node"].opts, "test": False}
    present = salt.loader.states(options, site.modules["node"], {}, None)["wb_dataset.present"]
    given = {
        "manifests": {"WS221": sealed["digest"]},
        "datasets": list(held),
        "sources": site.sources("wb-dev"),
    }
    changed = present("datasets", **given)
    assert changed["changes"][ONTOLOGY] == {"old": "of another sealing", "new": "verified"}
    assert (place(site, ONTOLOGY) / "deep/er/file").read_bytes() == b"mended"
    assert present("datasets", **given)["changes"] == {}


@pytest.fixture
def webapp(site, held):
    """``node`` is a web node on which a release of the webapp is live; its dataset, and what
    its modules asked for: they can reload it, or not (``webapp.can_reload``)."""
    name = "WS221-2010.12.24-0.02-1"
    site.pillar["nodes"]["node"]["roles"].append("web")
    wb_dev, node = site.load("wb-dev", site.pillar), site.load("node", site.pillar)
    site.modules["node"] = node
    make_staging(site.layout("wb-dev").staging)
    wb_dev["wb_webapp.assemble"](name)
    digest = wb_dev["wb_build.seal"](name)["digest"]
    node["wb_dataset.pull"](name, digest, [f"webapp/{name}"], site.sources("wb-dev"))
    site.layout("node").production.symlink_to(name)
    asked = []
    node["event.send"] = lambda tag, *_: asked.append(tag)
    node["wb_webapp.reload"] = lambda: asked.append("reload")
    node.pack["__salt__"] = node

    def spoilt(can_reload):
        node["wb_webapp.can_reload"] = lambda: can_reload
        (place(site, f"webapp/{name}") / "README").write_text("rot\n")
        assert verify(site, f"webapp/{name}")[f"webapp/{name}"]["error"] == ""
        return [one for one in asked if "drift" not in one], node["wb_service.due"]()

    return spoilt


def test_a_live_webapp_that_was_put_right_is_reloaded(webapp):
    assert webapp(can_reload=True) == (["reload"], [])


def test_a_live_webapp_without_a_reload_waits_until_the_node_is_out_of_the_pool(webapp):
    assert webapp(can_reload=False) == (["wormbase/due/node"], ["wormbase-starman"])


def just_before_reading(monkeypatch, happens):
    """Have something happen after what a dataset was sealed as is known, before it is read."""
    look = scrubbing.look

    def read(store, dataset, contents):
        happens()
        return look(store, dataset, contents)

    monkeypatch.setattr(scrubbing, "look", read)


def test_what_a_push_replaced_meanwhile_is_left_as_it_was_sealed_anew(site, held, monkeypatch):
    def push():
        site.modules["wb-dev"]["wb_build.unseal"]("WS221")
        (place(site, GENE, "wb-dev") / "list").write_bytes(b"made again")
        again = site.modules["wb-dev"]["wb_build.seal"]("WS221")
        site.modules["node"]["wb_dataset.pull"](
            "WS221", again["digest"], [GENE], site.sources("wb-dev")
        )

    just_before_reading(monkeypatch, push)
    assert verify(site, GENE) == {}
    assert (place(site, GENE) / "list").read_bytes() == b"made again"


def test_what_a_purge_removed_meanwhile_is_not_told(site, held, monkeypatch):
    def purge():
        site.modules["node"]["wb_dataset.remove"]([GENE])

    just_before_reading(monkeypatch, purge)
    assert verify(site, GENE) == {}


@pytest.mark.parametrize("purged", [False, True], ids=["ill", "purged"])
def test_a_dataset_that_can_not_be_looked_at_keeps_no_finding_from_being_told(
    site, held, monkeypatch, purged
):
    put_right = scrubbing.put_right

    def broken(job, dataset, contents, wrong):
        if str(dataset) != GENE:
            return put_right(job, dataset, contents, wrong)
        if purged:
            job.store.purge([dataset])
        raise FileNotFoundError("gone")

    monkeypatch.setattr(scrubbing, "put_right", broken)
    for one in (GENE, ONTOLOGY):
        spoil = next(path for path in place(site, one).rglob("*") if path.is_file())
        spoil.write_bytes(b"rot")
    told = verify(site, ONTOLOGY, GENE)
    assert told[ONTOLOGY]["source"] == "sibling"
    assert (GENE in told) is not purged
    assert purged or told[GENE]["error"] == "gone"
