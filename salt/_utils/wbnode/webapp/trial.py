"""A release's Starman on a spare port, in namespaces of its own, which end with it.

The webapp looks for its configuration where it always does: in the directory that it is started
in, in its home, or below the live link that ``wormbase.env`` names. So the trial sees an overlay
of ``website/``, in which the release has one file more and ``production`` leads to the release.
Nobody else sees it, and what the webapp writes is gone with it.
"""

from __future__ import annotations

import contextlib
import pwd
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wbcore.errors import StepFailed
from wbcore.settings import Webapp

_SECONDS = 60
_END_SECONDS = 10
_POLL_SECONDS = 0.05
# Lines of what was said that an error quotes.
_LAST_WORDS = 3
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]

# $1 website, $2 release, $3 user, $4 group, $5 bytes of the configuration, then the command of the
# user. Root's part; process 1 of the trial, so all of it ends when this ends.
_PREPARE = """
set -eu
mount -t tmpfs -o mode=700 tmpfs /mnt
mkdir /mnt/work /mnt/website
chmod --reference="$1" /mnt/website
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/website,workdir=/mnt/work" overlay "$1"
umount --lazy /mnt
ln -sfnT "$2" "$1/production"
cd "$1/$2"
# A release may bring a link of that name; root writes through none, not even one made just now.
rm -rf wormbase_preflight.conf
set -C
head -c "$5" >wormbase_preflight.conf
chown -h "$3:$4" wormbase_preflight.conf
chmod 600 wormbase_preflight.conf
exec 3<&0
user=$3 group=$4
shift 5
setpriv --reuid="$user" --regid="$group" --init-groups "$@" </dev/null 3<&- &
server=$!
# Whoever wanted the trial holds the other end. It closes when they are done, and when they die.
{ read -r _ <&3 || kill -KILL "$server"; } &
wait "$server"
"""

# $0 home of the release, $1 its PSGI file, $2 port, $3 how to merge. The user's part.
# wormbase.env is sourced as the wiki page says; it changes the directory.
_SERVE = """
cd "$0" && . ./wormbase.env >/dev/null
cd "$0" || exit
local=wormbase_${WORMBASE_WEB_CONFIG_LOCAL_SUFFIX:-${CATALYST_CONFIG_LOCAL_SUFFIX:-local}}.conf
[ ! -e "$local" ] || perl -MConfig::General -e "$3" "$local" wormbase_preflight.conf || exit
export WORMBASE_LOCAL_CONFIG_SUFFIX=preflight
export WORMBASE_WEB_CONFIG_LOCAL_SUFFIX=preflight CATALYST_CONFIG_LOCAL_SUFFIX=preflight
exec starman --preload-app --workers 1 --host 127.0.0.1 --port "$2" "$1"
"""

# ConfigLoader reads one local file only. So the site's own stays below what the preflight sets.
# Its order and its variables stay, since the webapp may have them replaced.
_MERGE = """
sub merge {
    my ($below, $above) = @_;
    for (keys %$above) {
        my $both = ref $below->{$_} eq 'HASH' && ref $above->{$_} eq 'HASH';
        $both ? merge($below->{$_}, $above->{$_}) : ($below->{$_} = $above->{$_});
    }
}
my @as_it_is = (-NoEscape => 1, -Tie => 'Tie::IxHash');
my ($local, $ours) = map { Config::General->new(-ConfigFile => $_, @as_it_is) } @ARGV;
tie my %merged, 'Tie::IxHash', $local->getall;
merge(\\%merged, { $ours->getall });
$ours->save_file($ARGV[1], \\%merged);
"""


@dataclass(frozen=True)
class Trial:
    """A release that is tried out, and the configuration that it gets."""

    settings: Webapp
    release: Path
    configuration: str

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """The release serves on its spare port; no process and no file stays afterwards."""
        psgi = self._psgi()
        with tempfile.TemporaryFile() as said, self._start(psgi, said) as server:
            try:
                self._wait(server, psgi, said)
                yield
            finally:
                # Process 1 of the trial reads this end; the namespaces are empty when it is reaped.
                _stdin(server).close()
                _reap(server)

    def _psgi(self) -> str:
        for path in self.settings.psgi:
            if (self.release / path).is_file():
                return path
        raise StepFailed(
            f"{self.release.name} has no {' and no '.join(self.settings.psgi)}",
            "set webapp:psgi in the pillar to the path of the webapp's PSGI file",
        )

    def _start(self, psgi: str, said: IO[bytes]) -> subprocess.Popen[bytes]:
        webapp, text = self.settings, self.configuration.encode()
        about = pwd.getpwnam(webapp.user)
        server = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _PREPARE, "sh",
             str(self.release.parent), self.release.name, webapp.user, webapp.group,
             str(len(text)), *self._command(psgi)],
            # What the unit's environment has, and nothing of the minion's.
            env={"PATH": _PATH, "LANG": "C.UTF-8", "HOME": about.pw_dir, "USER": webapp.user,
                 "LOGNAME": webapp.user},
            cwd="/", stdin=subprocess.PIPE, stdout=said, stderr=said, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
        # One that ended already says why itself.
        with contextlib.suppress(BrokenPipeError):
            _stdin(server).write(text)
        return server

    def _command(self, psgi: str) -> list[str]:
        """What the user runs. The pillar's variables may name programs and libraries of the
        release, such as PATH and LD_LIBRARY_PATH, so root does not have them."""
        variables = [f"{name}={value}" for name, value in self.settings.environment.items()]
        port = str(self.settings.preflight_port)
        return ["env", *variables, "bash", "-c", _SERVE, str(self.release), psgi, port, _MERGE]

    def _wait(self, server: subprocess.Popen[bytes], psgi: str, said: IO[bytes]) -> None:
        """Until Starman listens, which it does once it has loaded the release."""
        until = time.monotonic() + _SECONDS
        while not _listens(self.settings.preflight_port):
            if server.poll() is not None:
                raise StepFailed(
                    _reason(psgi, _text(said)),
                    "fix the webapp; the one that is live was not touched",
                )
            if time.monotonic() > until:
                raise StepFailed(
                    f"{psgi} does not load within {_SECONDS} s: {_last_words(_text(said))}",
                    "fix the webapp; the one that is live was not touched",
                )
            time.sleep(_POLL_SECONDS)


def _stdin(server: subprocess.Popen[bytes]) -> IO[bytes]:
    if server.stdin is None:
        raise ValueError("the trial was started without a pipe")
    return server.stdin


def _reap(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _text(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode("utf-8", "replace")


def _reason(psgi: str, text: str) -> str:
    """Perl's own first sentence with the lines that are indented below it, which say why; without
    the directories that it looked in."""
    found = re.search(r"^Error while loading [^:]*: (.*(?:\n[ \t]+.*)*)", text, re.MULTILINE)
    if not found:
        return f"Starman of the new release does not start: {_last_words(text)}"
    sentence = re.split(r" \((?:you may need|@INC)", found[1])[0]
    return f"{psgi} does not load: {' '.join(sentence.split())}"


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[-_LAST_WORDS:]) or "it said nothing"
