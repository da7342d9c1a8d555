"""wb_webapp.preflight with a real AceDB, MariaDB, and the webapp under Starman."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from databases import socket_of
from salt.exceptions import CommandExecutionError
from wbcore.errors import StepFailed
from wbcore.names import Release
from wbcore.settings import Settings
from wbnode.webapp.preflight import Preflight
from wbnode.webapp.trial import Trial
from websites import make_staging

from lab import base
from lab.builds import acedb as builds
from lab.webapp import extlib

RELEASE = "WS221-2010.12.24-0.02-1"
GENES = 'Gene : "WBGene00000898"\nPublic_name "daf-2"\nConcise_description "insulin"\n'
TABLES = """
CREATE USER wormbase@localhost;
CREATE DATABASE c_elegans_WS221;
CREATE TABLE c_elegans_WS221.meta (name VARCHAR(40), value VARCHAR(40));
INSERT INTO c_elegans_WS221.meta VALUES ('build', 'WS221');
CREATE TABLE c_elegans_WS221.features (gene VARCHAR(20), type VARCHAR(20), start INT, stop INT,
  strand CHAR(1), chromosome VARCHAR(20), note VARCHAR(40));
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


CONFIGURATION = """
<Model::WormBaseAPI>
  <args>
    <database>
      <acedb>
        port = {acedb_port}
      </acedb>
      <mysql>
        <data_sources>
          c_elegans = {mysql:c_elegans}
        </data_sources>
      </mysql>
    </database>
  </args>
</Model::WormBaseAPI>
"""
# What only this site has: a preflight that did not read it would find no MySQL.
LOCAL = """
<Model::WormBaseAPI>
  <args>
    <database>
      <acedb>
        host = localhost
        port = 1
      </acedb>
      <mysql>
        socket = SOCKET
      </mysql>
    </database>
  </args>
</Model::WormBaseAPI>
"""


@pytest.fixture
def pillar(programs):
    return {
        "acedb": {
            "user": "root",
            "group": "root",
            "preflight_port": free_port(),
            "server": str(programs / "bin/saceserver"),
        },
        "webapp": {
            "user": "root",
            "group": "root",
            "preflight_port": free_port(),
            "preflight_conf": CONFIGURATION,
            "check_paths": ["/version", "/gene/WBGene00000898"],
            "version_path": "/version",
        },
    }


@pytest.fixture(scope="module")
def programs() -> Path:
    """AceDB's programs, compiled once for the machine as the lab has them."""
    return base.acedb() / "usr/local"


@pytest.fixture
def database(layout, programs, monkeypatch) -> Path:
    monkeypatch.setenv("PATH", f"{programs}/bin:{os.environ['PATH']}")
    home = layout.kind("acedb") / "wormbase_WS221"
    shutil.copytree(programs / "share/acedb/wspec", home / "wspec")
    builds.specify(home / "wspec", "WS221")
    (home / "database").mkdir()
    (home.parent / "genes.ace").write_text(GENES)
    commands = f"y\nparse {home.parent}/genes.ace\nsave\nquit\n"
    subprocess.run(["tace", home], input=commands, text=True, check=True, capture_output=True)
    shutil.rmtree(home / "database/readlocks")
    (home / "database/log.wrm").unlink()
    return home


@pytest.fixture
def mysql(layout) -> Iterator[subprocess.Popen]:
    """A server whose reader was never allowed to read the new database."""
    data, sock = layout.kind("mysql"), socket_of(layout)
    sock.parent.mkdir(parents=True)
    data.parent.mkdir(parents=True)
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--innodb=OFF",
         "--default-storage-engine=MyISAM", "--user=root", "--skip-test-db"],
        check=True,
    )  # fmt: skip
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sock}",
         "--skip-networking", "--innodb=OFF", "--default-storage-engine=MyISAM"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not sock.exists():
        assert server.poll() is None
        time.sleep(0.02)
    client = ["mariadb", "--no-defaults", f"--socket={sock}"]
    subprocess.run(client, input=TABLES, text=True, check=True)
    yield server
    server.terminate()
    server.wait()


@pytest.fixture
def release(modules, layout, tmp_path) -> Path:
    extlib.unpack(tmp_path / "extlib")
    make_staging(layout.staging, tmp_path / "extlib")
    local = LOCAL.replace("SOCKET", str(socket_of(layout)))
    (layout.staging / "wormbase_local.conf").write_text(local)
    modules["wb_webapp.assemble"](RELEASE)
    return layout.website / RELEASE


def preflight(modules):
    return modules["wb_webapp.preflight"](
        RELEASE, {"c_elegans": "c_elegans_WS221"}, "wormbase_WS221"
    )


def state(directory: Path) -> dict[str, tuple[int, int]]:
    """Every path below a directory with its size and time."""
    return {
        str(path.relative_to(directory)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in directory.rglob("*")
        if path.is_file()
    } | {str(path): (0, 0) for path in directory.rglob("*") if path.is_dir()}


def nothing_listens(pillar) -> bool:
    return not any(listens(pillar[part]["preflight_port"]) for part in ("acedb", "webapp"))


def test_preflight_answers_and_leaves_nothing(modules, layout, pillar, database, mysql, release):
    before, tree = state(database), state(layout.website)
    told = preflight(modules)
    assert {path: one["status"] for path, one in told["answers"].items()} == {
        "/version": 200,
        "/gene/WBGene00000898": 200,
    }
    assert told["version"]["release"] == str(Release.parse(RELEASE))
    assert told["version"]["acedb"] == "WS221"
    assert told["version"]["mysql"] == {"c_elegans": "WS221"}
    assert told["version"]["revision"] == 1
    assert state(database) == before
    assert state(layout.website) == tree and not layout.production.exists()
    assert nothing_listens(pillar)


def test_preflight_of_a_webapp_without_a_page_on_versions(
    load, pillar, database, mysql, release, layout
):
    about = {**pillar["webapp"], "version_path": "", "check_paths": {"/gene/WBGene00000898": "WB"}}
    told = preflight(load("node", {**pillar, "webapp": about}))
    assert told["version"] == {"release": RELEASE, "acedb": "WS221"}
    assert told["answers"]["/gene/WBGene00000898"]["status"] == 200
    about["check_paths"] = {"/gene/WBGene00000898": "of {build} only"}
    with pytest.raises(CommandExecutionError, match="lacks 'of WS221 only'"):
        preflight(load("node", {**pillar, "webapp": about}))
    assert nothing_listens(pillar)


def test_preflight_of_a_webapp_that_does_not_load(modules, pillar, database, mysql, release):
    (release / "lib/WormBase/Release.pm").unlink()
    sentence = (
        r"script/wormbase_psgi\.psgi does not load: Can't locate WormBase/Release\.pm in @INC; fix"
    )
    before = state(database)
    with pytest.raises(CommandExecutionError, match=sentence):
        preflight(modules)
    assert state(database) == before
    assert nothing_listens(pillar)


def test_preflight_tells_of_a_dead_database(modules, pillar, database, mysql, release):
    mysql.terminate()
    mysql.wait()
    with pytest.raises(CommandExecutionError, match="Can't connect to local server"):
        preflight(modules)
    assert nothing_listens(pillar)


def test_preflight_port_in_use_is_told(modules, pillar, database, mysql, release):
    with socket.socket() as other:
        other.bind(("127.0.0.1", pillar["webapp"]["preflight_port"]))
        other.listen()
        port = pillar["webapp"]["preflight_port"]
        with pytest.raises(CommandExecutionError, match=f"port {port}, where Starman"):
            preflight(modules)
    assert nothing_listens(pillar)


def test_preflight_ends_what_one_that_died_left(modules, pillar, database, mysql, release):
    port = pillar["acedb"]["preflight_port"]
    left = subprocess.Popen(["saceserver", database, str(port), "600:600:0"])
    while not listens(port):
        time.sleep(0.02)
    # Whoever adopts a process of a preflight that died also reaps it.
    threading.Thread(target=left.wait, daemon=True).start()
    assert preflight(modules)["version"]["acedb"] == "WS221"
    assert left.wait() is not None


def test_preflight_of_a_database_that_is_none(modules, pillar, database, mysql, release):
    shutil.rmtree(database / "wspec")
    with pytest.raises(CommandExecutionError, match="AceDB does not serve the new database"):
        preflight(modules)
    assert nothing_listens(pillar)


def test_preflight_names_a_class_whose_objects_can_not_be_read(pillar, database):
    trial = Preflight(Settings.parse(pillar), database, database)
    with trial.database():
        pass
    block = database / "database/block1.wrm"
    data = block.read_bytes()
    # The block of the gene itself; the server starts without it.
    at = data.index(b"daf-\0") // 1024 * 1024
    block.write_bytes(data[:at] + b"\xff" * 1024 + data[at + 1024 :])
    sentence = r"does not answer queries of its classes: .*Gene \(.*; look at the database on the"
    with pytest.raises(StepFailed, match=sentence), trial.database():
        pass
    assert nothing_listens(pillar)


def test_preflight_twice_at_the_same_time(modules, pillar, database, mysql, release):
    # A job whose salt-run was killed goes on, and the same command is given again.
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(preflight, [modules, modules]))
    assert {one["version"]["acedb"] for one in told} == {"WS221"}
    assert nothing_listens(pillar)


# Starman of any release


TELLING = """
use FindBin;
open my $log, '>>', 'logs/said' or die "logs: $!";
print $log "started";
close $log;
sub slurp { open my $file, '<', $_[0] or return "none"; local $/; <$file> }
sub {
    my ($env) = @_;
    my ($user, $groups) = ((getpwuid $>)[0], join ' ', map { scalar getgrgid $_ } split / /, $));
    my %said = (
        who => "$user $groups",
        bin => $FindBin::Bin,
        environment => join("\n", map { "$_=$ENV{$_}" } sort keys %ENV),
        here => slurp("wormbase_preflight.conf"),
        live => slurp($ENV{LIVE} . "/VERSION.txt"),
        processes => join(' ', map { m{(\\d+)$} } glob '/proc/[0-9]*'),
    );
    [200, [], [$said{substr $env->{PATH_INFO}, 1}]];
}
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory as ``website/``, which everybody may enter; pytest's own is closed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def telling(place) -> Path:
    """A release that tells what it sees; its environment names the live link, as the field's."""
    release, old = place / RELEASE, place / "WS220-2010.11.20-0.02-1"
    for made in (release, old):
        made.mkdir()
        (made / "VERSION.txt").write_text(made.name)
    (place / "production").symlink_to(old.name)
    (release / "logs").mkdir()
    (release / "logs").chmod(0o777)
    (release / "wormbase.psgi").write_text(TELLING)
    (release / "wormbase.env").write_text(
        f"#!/bin/bash\nexport LIVE={place}/production\ncd $LIVE && cd ..\n"
        'export SOURCED="$(id -un)"\necho noise\n'
    )
    return release


def trial(release: Path, configuration: str = "a = 1\n", **webapp) -> Trial:
    about = {"user": "nobody", "group": "nogroup", "preflight_port": free_port(), **webapp}
    return Trial(Settings.parse({"webapp": about}).webapp, release, configuration)


def ask(one: Trial, what: str) -> str:
    url = f"http://127.0.0.1:{one.settings.preflight_port}/{what}"
    return urllib.request.urlopen(url, timeout=10).read().decode()


def test_nothing_of_a_release_is_run_as_root(telling):
    one = trial(telling)
    with one.serving():
        assert ask(one, "who") == "nobody nogroup nogroup"
        assert "SOURCED=nobody\n" in ask(one, "environment")


def test_root_runs_no_program_that_the_pillars_path_finds_in_a_release(telling, place):
    (telling / "bin").mkdir()
    program = telling / "bin/mkdir"
    program.write_text(f'#!/bin/sh\nid -un >>{place}/ran\nexec /bin/mkdir "$@"\n')
    program.chmod(0o755)
    one = trial(telling, environment={"PATH": f"{telling}/bin:/usr/bin:/bin"})
    with one.serving():
        assert f"PATH={telling}/bin:" in ask(one, "environment")
    assert not (place / "ran").exists()


def test_a_release_sees_itself_as_the_live_one(telling, place):
    one = trial(telling)
    with one.serving():
        assert (ask(one, "bin"), ask(one, "live")) == (str(telling), RELEASE)
        assert (place / "production/VERSION.txt").read_text() != RELEASE
    assert list((telling / "logs").iterdir()) == []


def test_root_writes_through_no_link_of_a_release(telling, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("root's\n")
    (telling / "wormbase_preflight.conf").symlink_to(secret)
    with trial(telling).serving():
        pass
    about = secret.stat()
    assert (secret.read_text(), about.st_uid) == ("root's\n", 0)
    assert (telling / "wormbase_preflight.conf").is_symlink()


def test_a_release_gets_the_pillars_environment_and_no_variable_of_ours(telling, monkeypatch):
    monkeypatch.setenv("WORMBASE_OF_THE_MINION", "1")
    one = trial(telling, environment={"EXTRA": "a 'b' $c"})
    with one.serving():
        said = dict(line.split("=", 1) for line in ask(one, "environment").splitlines())
    assert said["EXTRA"] == "a 'b' $c" and said["HOME"] == pwd.getpwnam("nobody").pw_dir
    ours = {name: value for name, value in said.items() if "WORMBASE" in name}
    assert set(ours) == {"WORMBASE_LOCAL_CONFIG_SUFFIX", "WORMBASE_WEB_CONFIG_LOCAL_SUFFIX"}
    assert said["CATALYST_CONFIG_LOCAL_SUFFIX"] == "preflight"


def test_the_sites_own_settings_stay_below_those_of_the_preflight(telling):
    local = (
        "base = /a\ncache = $base/b\n"
        "<m>\n  secret = a\\#b __path_to(x)__\n  list = 1\n  list = 2\n  port = 5\n</m>\n"
    )
    (telling / "wormbase_site.conf").write_text(local)
    environment = {"CATALYST_CONFIG_LOCAL_SUFFIX": "site"}
    one = trial(telling, "<m>\n  port = 6\n</m>\nx = 1\n", environment=environment)
    with one.serving():
        lines = [" ".join(line.split()) for line in ask(one, "here").splitlines()]
    wanted = ["<m>", "list 1", "list 2", "port 6", "secret a\\#b __path_to(x)__", "</m>", "x 1"]
    # A variable has to be set before it is used.
    assert lines[:2] == ["base /a", "cache $base/b"]
    assert sorted(lines[2:]) == sorted(wanted)


def test_settings_that_can_not_be_read_are_told(telling):
    (telling / "wormbase_local.conf").write_text("<m>\n")
    with pytest.raises(StepFailed, match=r"does not start: .*Config::General"):
        trial(telling).serving().__enter__()


def test_a_release_without_its_psgi_file_is_told(telling):
    (telling / "wormbase.psgi").unlink()
    with pytest.raises(
        StepFailed, match=r"no script/wormbase_psgi\.psgi and no wormbase\.psgi; set"
    ):
        trial(telling).serving().__enter__()


def test_why_a_release_does_not_load_is_told_from_the_lines_below_too(telling):
    # As Catalyst's cache says it, whose modules can be made in two ways.
    (telling / "wormbase.psgi").write_text(
        'die "It can not be made:\\n \\tCan\'t locate Dog.pm in \\@INC (you may need it)\\n";\n'
    )
    why = r"wormbase\.psgi does not load: It can not be made: Can't locate Dog\.pm in @INC; fix"
    with pytest.raises(StepFailed, match=why):
        trial(telling).serving().__enter__()


def test_a_trial_sees_no_process_of_others_and_leaves_none(telling):
    one = trial(telling)
    with one.serving():
        assert len(ask(one, "processes").split()) < 10
        assert any(str(telling) in line for line in processes())
    assert not any(str(telling) in line for line in processes())


def test_a_trial_ends_with_whoever_wanted_it(telling):
    one = trial(telling)
    child = os.fork()
    if not child:
        with one.serving():
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    until = time.monotonic() + 5
    while any(str(telling) in line for line in processes()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not listens(one.settings.preflight_port)
    assert not any(str(telling) in line for line in processes())


def processes() -> list[str]:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return found
