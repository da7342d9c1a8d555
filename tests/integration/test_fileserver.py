"""What a node can list and fetch from the master: code that it needs, and nothing else."""

from __future__ import annotations

import pytest
from wbsite import WEB

SERVED = {
    "top.sls",
    "release/enforced.sls",
    "carrier/sshd_config",
    "orch/release.sls",
    "_modules/wb_build.py",
    "_states/wb_run.py",
    "_utils/wbcore/names.py",
    "_beacons/wb_build_ready.py",
    "reactor/build_ready.sls",
}
# Folders and files of the checkout and of the site that are nobody's business.
HIDDEN = ("pillar", ".git", ".ci", "tests", "lab", "bench", "bin", "etc", "docs", "salt", "site")


@pytest.fixture(scope="module")
def listed(master, minions):
    return master.salt_client().run("cp.list_master", minion_tgt=WEB)


def test_states_modules_and_orchestrations_are_listed(listed):
    assert set(listed) >= SERVED


def test_nothing_of_the_checkout_beside_them_is_listed(listed):
    folders = {path.split("/")[0] for path in listed}
    assert not folders & set(HIDDEN)
    names = {path.rsplit("/", 1)[-1] for path in listed}
    assert not names & {"master.conf", "site.sls", "pyproject.toml", "README.md", "carrier.sls"}


@pytest.mark.parametrize(
    "path",
    [
        "site.sls",
        "pillar/top.sls",
        "../pillar/top.sls",
        "../../site/pillar/site.sls",
        "orch/../../pillar/top.sls",
        "orch/../../../etc/master.conf",
        "etc/master.conf",
        "../etc/master.conf",
        "../.git/HEAD",
        ".git/HEAD",
        "../tests/conftest.py",
        "../lab/node.py",
    ],
)
def test_what_is_not_listed_can_not_be_fetched(master, minions, path):
    fetched = master.salt_client().run("cp.get_file_str", f"salt://{path}", minion_tgt=WEB)
    assert fetched is False or fetched == ""


def test_what_is_listed_can_be_fetched(master, minions):
    text = master.salt_client().run("cp.get_file_str", "salt://orch/release.sls", minion_tgt=WEB)
    assert "wb_run.begun" in text
