"""What root does to files below directories that users of services own."""

from __future__ import annotations

import pytest
from wbcore.errors import BadData
from wbnode import files


@pytest.fixture
def secret(tmp_path):
    """A file of root's that nobody else may read."""
    secret = tmp_path / "secret"
    secret.write_text("of root\n")
    secret.chmod(0o600)
    return secret


def test_give_sets_owner_and_mode_of_files_folders_and_the_root(tmp_path):
    root = tmp_path / "wormbase_WS221"
    (root / "database").mkdir(parents=True)
    (root / "database/block1.wrm").write_text("")
    for path, mode in (("database/block1.wrm", 0o666), ("database", 0o2775), ("", 0o755)):
        files.give(root, path, (123, 456), mode)
        about = (root / path).stat()
        assert (about.st_uid, about.st_gid, about.st_mode & 0o7777) == (123, 456, mode)


def test_give_follows_no_link_at_the_end_of_a_path(tmp_path, secret):
    root = tmp_path / "wormbase_WS221"
    (root / "database").mkdir(parents=True)
    (root / "database/log.wrm").symlink_to(secret)
    with pytest.raises(BadData, match=r"database/log\.wrm is or goes through a link"):
        files.give(root, "database/log.wrm", (0, 0), 0o666)
    assert secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("linked", ["wormbase_WS221", "wormbase_WS221/database"])
def test_give_follows_no_link_on_the_way(tmp_path, secret, linked):
    elsewhere = tmp_path / "elsewhere/database"
    elsewhere.mkdir(parents=True)
    secret.rename(elsewhere / "secret")
    root = tmp_path / "wormbase_WS221"
    if linked.endswith("database"):
        root.mkdir()
        (root / "database").symlink_to(elsewhere)
    else:
        root.symlink_to(elsewhere.parent)
    with pytest.raises(BadData, match="a link"):
        files.give(root, "database/secret", (0, 0), 0o666)
    assert (elsewhere / "secret").stat().st_mode & 0o777 == 0o600
