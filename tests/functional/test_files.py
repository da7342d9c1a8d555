"""What root does to files below directories that users of services own."""

from __future__ import annotations

import os

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


def test_give_refuses_what_is_no_plain_file_and_a_second_name_of_another_file(tmp_path, secret):
    os.mkfifo(tmp_path / "fifo")
    os.link(secret, tmp_path / "gene.MYD")
    for name in ("fifo", "gene.MYD"):
        with pytest.raises(BadData, match=f"{name} is no plain file or folder, or has a second"):
            files.give(tmp_path, name, (123, 456), 0o666)
    about = secret.stat()
    assert (about.st_uid, about.st_mode & 0o777) == (0, 0o600)
    # Who keeps its owner gets nothing: administrators keep builds as hard links.
    files.give(tmp_path, "gene.MYD", (-1, -1), 0o640)
    assert secret.stat().st_mode & 0o777 == 0o640


@pytest.fixture
def led_away(tmp_path, secret):
    """A dataset whose folder is a link to a directory of root's."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    secret.rename(elsewhere / "secret")
    root = tmp_path / "wormbase_WS221"
    root.mkdir()
    (root / "database").symlink_to(elsewhere)
    return root


@pytest.mark.parametrize(
    "act",
    [
        lambda root, fresh: files.put(fresh, root, "database/secret"),
        lambda root, fresh: files.link(root, "database/secret", "target"),
        lambda root, fresh: files.link(root, "database/new", "target"),
        lambda root, fresh: files.make_folder(root, "database/new"),
        lambda root, fresh: files.make_folder(root, "database"),
        lambda root, fresh: files.give_link(root, "database/secret", (123, 456)),
    ],
)
def test_nothing_is_written_through_a_link_on_the_way(led_away, tmp_path, act):
    fresh = tmp_path / "fresh"
    fresh.write_text("new\n")
    with pytest.raises(BadData, match="goes through a link"):
        act(led_away, fresh)
    elsewhere = tmp_path / "elsewhere"
    assert [path.name for path in elsewhere.iterdir()] == ["secret"]
    assert (elsewhere / "secret").read_text() == "of root\n"
    assert (elsewhere / "secret").stat().st_uid == 0


def test_put_link_and_make_folder_replace_whatever_is_there(tmp_path, secret):
    root = tmp_path / "wormbase_WS221"
    for name in ("folder/below", "database"):
        (root / name).mkdir(parents=True)
    (root / "link").symlink_to(secret)
    (root / "dangling").symlink_to("nowhere")
    for name in ("folder", "link", "dangling", "database/new.wrm"):
        fresh = tmp_path / "fresh"
        fresh.write_text("new\n")
        files.put(fresh, root, name)
        assert (root / name).read_text() == "new\n" and not (root / name).is_symlink()
    for name in ("folder", "database", "fresh"):
        files.link(root, name, "target")
        files.link(root, name, "target")
        assert os.readlink(root / name) == "target"
    files.make_folder(root, "made")
    files.make_folder(root, "made")
    assert (root / "made").is_dir() and secret.read_text() == "of root\n"


def test_what_takes_the_place_of_a_working_directory_meanwhile_loses_nothing(tmp_path):
    incoming, live = tmp_path / ".incoming", tmp_path / "live"
    for folder in (incoming, live):
        (folder / "WS221").mkdir(parents=True)
    with files.own(incoming) as ours:
        incoming.rename(tmp_path / "away")
        incoming.symlink_to(live)
        files.remove(ours / "WS221")
    assert (live / "WS221").is_dir() and not (tmp_path / "away/WS221").exists()
    with pytest.raises(BadData, match="link"):
        files.remove_in(incoming, incoming / "WS221")
    assert (live / "WS221").is_dir()
    files.remove_in(tmp_path / "nowhere", tmp_path / "nowhere/WS221")


def test_open_file_opens_files_alone(tmp_path, secret):
    with files.open_file(secret) as file:
        assert file.read() == b"of root\n"
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo"):
        with pytest.raises(BadData, match=name):
            files.open_file(tmp_path / name)
