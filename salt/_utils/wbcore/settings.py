"""Every setting of the pillar root ``wormbase``, with its default.

``pillar.example`` documents each of them; a test keeps the two alike. A wrong or
unknown setting is a ReleaseError that names it, never a silent default.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from .errors import BadRequest
from .hours import Hours
from .names import Build, is_build

ROLES = ("staging", "proxy", "acedb", "mysql", "support", "mining", "web")
SEAMLESS, MAINTENANCE = "seamless", "maintenance"
WAYS = (SEAMLESS, MAINTENANCE)
STARTS = ("release", "push", "nothing")
NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# An IPv4 address or a host name; what stands in it reaches the command line of ssh.
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_URL_PATH = re.compile(r"/[!-~]*")
_ADDRESS = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?")
_PATH = re.compile(r"[A-Za-z0-9._/-]+")
# What nginx takes for a name: a wildcard may stand for its first or last part.
_SERVER_NAME = re.compile(r"[A-Za-z0-9*.-]+")
_FULL_PATH = re.compile(r"(/[A-Za-z0-9._-]+)+")
# No dot: xinetd reads no file with one, and systemd takes what is behind it for a unit's kind.
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@-]*")
# A link of the download tree, and where it leads.
_LINK = re.compile(r"([A-Za-z0-9._*-]+/)*[A-Za-z0-9._-]+")
_TARGET = re.compile(r"(?!/)[A-Za-z0-9._/-]*(\{build\}[A-Za-z0-9._/-]*)+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Where WormBase's webapp reads where AceDB is (docs/field.md, "The webapp").
_PREFLIGHT_CONF = """\
<Model::WormBaseAPI>
  <args>
    <database>
      <acedb>
        host = localhost
        port = {acedb_port}
      </acedb>
    </database>
  </args>
</Model::WormBaseAPI>
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """A node: where it is reached, at which site it stands, what it serves."""

    address: str
    site: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Datasets:
    """What of a build travels, and where to."""

    acedb_exclude: tuple[str, ...] = (
        "database/serverlog.wrm",
        "database/log.wrm",
        "database/readlocks",
        "database/SERVER_PIDFILE.wrm",
    )
    mysql_exclude: tuple[str, ...] = ("*bak*", "old", "*TMD*")
    support_exclude: tuple[str, ...] = ("*bak*", "web_data")
    mining_only: tuple[str, ...] = ("blast", "blat")
    headroom_percent: int = 5


@dataclass(frozen=True)
class AceDB:
    """The AceDB server that xinetd starts on each node with the role ``acedb``.

    server, tace
        Where the programs are.
    xinetd
        Name of the file below ``/etc/xinetd.d``.
    """

    port: int = 2005
    preflight_port: int = 2006
    server: str = "/usr/local/bin/saceserver"
    tace: str = "/usr/local/bin/tace"
    xinetd: str = "acedb"
    user: str = "acedb"
    group: str = "acedb"


@dataclass(frozen=True)
class MySQL:
    """The MySQL server of each node with the role ``mysql``.

    config
        The one file of its configuration that is the project's.
    """

    service: str = "mariadb"
    socket: str = "/run/mysqld/mysqld.sock"
    config: str = "/etc/mysql/mariadb.conf.d/90-wormbase.cnf"
    user: str = "mysql"
    group: str = "mysql"
    reader: str = "wormbase"


@dataclass(frozen=True)
class Webapp:
    """The webapp and its Starman.

    service
        The unit that runs Starman.
    psgi
        Where a release may have its PSGI file; the first that is there counts.
    start_script
        The webapp's own script that starts and stops Starman; empty for the project's unit.
    preflight_conf
        The text of a configuration file, or, of one line, the path of one in the release.
    check_paths
        Path → text that must be in its page, where ``{build}`` and ``{release}`` stand for the
        live ones.
    version_path
        A page that tells the versions as the report does, or empty.
    """

    service: str = "wormbase-starman"
    port: int = 5000
    preflight_port: int = 5001
    workers: int = 2
    user: str = "wormbase"
    group: str = "wormbase"
    untracked: tuple[str, ...] = ("extlib", "wormbase_local.conf")
    exclude: tuple[str, ...] = ("logs", "tmp", ".hg", ".git", "extlib.tgz")
    software_exclude: tuple[str, ...] = ("logs", ".hg", ".git", "extlib", "wormbase_local.conf")
    outside_links: tuple[str, ...] = ()
    tag: bool = False
    psgi: tuple[str, ...] = ("script/wormbase_psgi.psgi", "wormbase.psgi")
    environment: Mapping[str, str] = field(default_factory=dict)
    start_script: str = ""
    pid_file: str = "/tmp/production.pid"
    preflight_conf: str = _PREFLIGHT_CONF
    check_paths: Mapping[str, str] = field(default_factory=lambda: {"/": ""})
    version_path: str = ""


@dataclass(frozen=True)
class Report:
    """The service on each web node that tells the proxy what the node serves."""

    port: int = 5002
    user: str = "wormbase-report"


@dataclass(frozen=True)
class Nginx:
    """The nginx that visitors reach, in which the project has one file.

    file
        That file; empty if a file of your own passes requests to HAProxy.
    names
        Names of the site; none for all that no other site of this nginx has.
    certificate, key
        Files for TLS on ``tls_port``; empty for none.
    lines
        Further lines for the site.
    request_seconds
        How long a web node may take for an answer. A node that leaves the pool finishes what it
        was asked, so a release may have to wait so long.
    """

    file: str = "/etc/nginx/conf.d/wormbase.conf"
    port: int = 80
    names: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    tls_port: int = 443
    http2: bool = True
    lines: tuple[str, ...] = ()
    request_seconds: int = 60


@dataclass(frozen=True)
class HAProxy:
    """The project's own HAProxy between nginx and the web nodes, on loopback of the proxy."""

    port: int = 8081


@dataclass(frozen=True)
class Carrier:
    """How nodes fetch from one another: rsync in ssh, read-only, as a user of its own."""

    user: str = "wbcarrier"
    port: int = 8022
    private_key: str = ""
    public_key: str = ""


@dataclass(frozen=True)
class Parcels:
    """How the development server makes the patches by which a build travels."""

    level: int = 12
    fine_seconds: int = 300
    slowest_link: float = 5.0


@dataclass(frozen=True)
class Tolerance:
    """By how many percent a figure may shrink and grow; a difference of less than ``least``
    counts for nothing."""

    shrink: int
    grow: int
    least: int


@dataclass(frozen=True)
class Contents:
    """How far the contents of a build may be from those of the live one. ``exceptions`` are
    for the figures that match a pattern, kind and name, such as ``rows/clustal/*``."""

    classes: Tolerance = Tolerance(5, 50, 100)
    rows: Tolerance = Tolerance(10, 50, 1_000)
    sequences: Tolerance = Tolerance(5, 50, 20)
    letters: Tolerance = Tolerance(5, 50, 100_000)
    files: Tolerance = Tolerance(10, 50, 50)
    bytes: Tolerance = Tolerance(20, 100, 1_000_000)
    exceptions: Mapping[str, Tolerance] = field(default_factory=dict)


@dataclass(frozen=True)
class GoLive:
    """How a release goes live."""

    way: str = SEAMLESS
    canary_paths: tuple[str, ...] = ("/",)
    slower_times: float = 3.0
    numbers_times: float = 5.0
    watch_seconds: float = 10.0
    errors_percent: float = 1.0
    quorum_percent: int = 50
    answer_seconds: int = 30
    window_seconds: float = 5.0


@dataclass(frozen=True)
class Downloads:
    """Links of the download tree: path of a link, ``*`` for the name of any folder → target.

    production, development
        Those that lead to the live build, and to the newest that landed.
    """

    production: Mapping[str, str] = field(
        default_factory=lambda: {"releases/current-production-release": "{build}"}
    )
    development: Mapping[str, str] = field(
        default_factory=lambda: {"releases/current-development-release": "{build}"}
    )


@dataclass(frozen=True)
class Notify:
    """Who is notified when a run begins, ends or fails; ``board`` is the address to look at."""

    mail: tuple[str, ...] = ()
    webhook: str = ""
    board: str = ""


@dataclass(frozen=True)
class Landing:
    """What starts when a build lands on the development server."""

    start: str = "release"
    hours: str = ""
    minor: bool = False
    notify: Notify = field(default_factory=Notify)


@dataclass(frozen=True)
class Enforce:
    """How often a node brings itself to its state, and when it reads its data again; 0 minutes,
    or 0 days, for never."""

    minutes: int = 15
    splay_seconds: int = 120
    deep_hour: int = 2
    deep_days: int = 30


@dataclass(frozen=True)
class Retention:
    """What stays on the nodes beside the live release and the way back."""

    keep: int = 1
    pinned: tuple[str, ...] = ()
    pinned_every: int = 0
    free_percent: int = 0

    def pins(self, build: Build) -> bool:
        """Whether a build is kept for ever."""
        every = self.pinned_every
        return str(build) in self.pinned or (every > 0 and build.number % every == 0)


@dataclass(frozen=True)
class Metrics:
    """Where Prometheus' node_exporter finds what is measured."""

    textfile: str = ""


@dataclass(frozen=True)
class Mail:
    """The letter that announces a release."""

    host: str = ""
    port: int = 25
    starttls: bool = True
    username: str = ""
    password: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blog:
    """The WordPress blog that announces a release."""

    url: str = ""
    username: str = ""
    password: str = ""


@dataclass(frozen=True)
class Settings:
    """The whole pillar root ``wormbase``, as a node or the master sees it."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    datasets: Datasets = field(default_factory=Datasets)
    acedb: AceDB = field(default_factory=AceDB)
    mysql: MySQL = field(default_factory=MySQL)
    webapp: Webapp = field(default_factory=Webapp)
    report: Report = field(default_factory=Report)
    nginx: Nginx = field(default_factory=Nginx)
    haproxy: HAProxy = field(default_factory=HAProxy)
    carrier: Carrier = field(default_factory=Carrier)
    contents: Contents = field(default_factory=Contents)
    parcels: Parcels = field(default_factory=Parcels)
    golive: GoLive = field(default_factory=GoLive)
    downloads: Downloads = field(default_factory=Downloads)
    landing: Landing = field(default_factory=Landing)
    enforce: Enforce = field(default_factory=Enforce)
    retention: Retention = field(default_factory=Retention)
    metrics: Metrics = field(default_factory=Metrics)
    mail: Mail = field(default_factory=Mail)
    blog: Blog = field(default_factory=Blog)

    @classmethod
    def parse(cls, pillar: object) -> Settings:
        """Settings of the pillar root ``wormbase``; what an external pillar adds under
        ``live`` is no setting and is left to its reader."""
        if not isinstance(pillar, Mapping):
            raise _wrong("wormbase", "a dictionary", pillar)
        given = {key: value for key, value in pillar.items() if key != "live"}
        nodes = given.pop("nodes", {})
        if not isinstance(nodes, Mapping):
            raise _wrong("wormbase:nodes", "a dictionary", nodes)
        parsed = {name: _node(name, value) for name, value in nodes.items()}
        settings = _section(cls, given, "wormbase", nodes=parsed)
        if settings.golive.way not in WAYS:
            raise _wrong("wormbase:golive:way", f"one of {', '.join(WAYS)}", settings.golive.way)
        _check_servers(settings)
        _check_webapp(settings.webapp)
        _check_nginx(settings.nginx)
        _check_enforce(settings.enforce)
        _check_retention(settings.retention)
        _check_metrics(settings.metrics)
        _check_tolerances(settings.contents)
        _check_landing(settings.landing)
        _check_downloads(settings.downloads)
        return settings

    def having(self, role: str) -> list[str]:
        """Ids of the nodes with a role, in the order of the pillar."""
        return [name for name, node in self.nodes.items() if role in node.roles]

    @property
    def staging(self) -> str:
        """Id of the development server, where builds land."""
        return self._only("staging")

    @property
    def proxy(self) -> str:
        """Id of the proxy in front of the web nodes."""
        return self._only("proxy")

    @property
    def serving(self) -> list[str]:
        """Ids of the nodes that hold datasets of their own."""
        kinds = {"acedb", "mysql", "support", "web"}
        return [name for name, node in self.nodes.items() if kinds & set(node.roles)]

    def _only(self, role: str) -> str:
        names = self.having(role)
        if len(names) != 1:
            raise BadRequest(
                f"{len(names)} nodes have the role {role!r} in the pillar",
                "give it to exactly one under wormbase:nodes",
            )
        return names[0]


def _check_nginx(nginx: Nginx) -> None:
    where = "wormbase:nginx"
    for name in ("file", "certificate", "key"):
        path = getattr(nginx, name)
        if path and not _FULL_PATH.fullmatch(path):
            raise _wrong(f"{where}:{name}", "a full path, or empty", path)
    if bool(nginx.certificate) != bool(nginx.key):
        raise _wrong(where, "both certificate and key, or neither", nginx.key or nginx.certificate)
    for name in nginx.names:
        if not _SERVER_NAME.fullmatch(name):
            raise _wrong(f"{where}:names", "a list of names such as www.example.org", name)
    for line in nginx.lines:
        if not line.isprintable():
            raise _wrong(f"{where}:lines", "a list of lines", line)


def _check_servers(settings: Settings) -> None:
    """What they name reaches files of configuration and command lines as it is."""
    acedb, mysql = settings.acedb, settings.mysql
    paths = {
        "acedb:server": acedb.server,
        "acedb:tace": acedb.tace,
        "mysql:socket": mysql.socket,
        "mysql:config": mysql.config,
    }
    for name, path in paths.items():
        if not _FULL_PATH.fullmatch(path):
            raise _wrong(f"wormbase:{name}", "a full path", path)
    if not mysql.config.endswith(".cnf"):
        raise _wrong("wormbase:mysql:config", "a file that ends in .cnf", mysql.config)
    names = {
        "acedb:xinetd": acedb.xinetd,
        "mysql:service": mysql.service,
        "webapp:service": settings.webapp.service,
    }
    for name, value in names.items():
        if not _SERVICE.fullmatch(value):
            raise _wrong(f"wormbase:{name}", "a plain name, such as mariadb", value)


def _check_webapp(webapp: Webapp) -> None:
    where = "wormbase:webapp"
    for pattern in webapp.untracked:
        if not _is_below(pattern):
            form = "a list of paths below website/staging, such as extlib"
            raise _wrong(f"{where}:untracked", form, pattern)
    if not webapp.psgi:
        raise _wrong(f"{where}:psgi", "a list of at least one path", [])
    _check_in_release(f"{where}:psgi", webapp.psgi)
    _check_in_release(f"{where}:start_script", filter(None, [webapp.start_script]))
    if "\n" not in webapp.preflight_conf:
        _check_in_release(f"{where}:preflight_conf", [webapp.preflight_conf])
    if not webapp.pid_file.startswith("/"):
        raise _wrong(f"{where}:pid_file", "a full path", webapp.pid_file)
    for path in webapp.check_paths:
        if not _URL_PATH.fullmatch(path):
            raise _wrong(f"{where}:check_paths", "paths that begin with /", path)
    if webapp.version_path and not _URL_PATH.fullmatch(webapp.version_path):
        form = "empty, or a path that begins with /"
        raise _wrong(f"{where}:version_path", form, webapp.version_path)
    _check_environment(f"{where}:environment", webapp.environment)


def _check_in_release(where: str, paths: Iterable[str]) -> None:
    for path in paths:
        # They reach a shell's script as they are.
        if not _is_below(path) or not _PATH.fullmatch(path):
            raise _wrong(where, "a path in the release, such as bin/start.sh", path)


def _check_environment(where: str, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            raise _wrong(where, "a mapping of names of variables to texts", name)
        if not value.isprintable():
            raise _wrong(f"{where}:{name}", "text of one line", value)


def _is_below(path: str) -> bool:
    """Whether a path, or a pattern of paths, stays in the directory that it starts from."""
    return not {"", ".", ".."} & set(path.split("/"))


def _check_enforce(enforce: Enforce) -> None:
    limits = {"minutes": (0, 1440), "splay_seconds": (0, 3600)}
    limits |= {"deep_hour": (0, 23), "deep_days": (0, 365)}
    for name, (least, most) in limits.items():
        value = getattr(enforce, name)
        if not least <= value <= most:
            raise _wrong(f"wormbase:enforce:{name}", f"from {least} to {most}", value)


def _check_retention(retention: Retention) -> None:
    where = "wormbase:retention"
    for name in ("keep", "pinned_every"):
        if getattr(retention, name) < 0:
            raise _wrong(f"{where}:{name}", "0 or more", getattr(retention, name))
    if not 0 <= retention.free_percent <= 90:
        raise _wrong(f"{where}:free_percent", "0 to 90", retention.free_percent)
    for build in retention.pinned:
        if not is_build(build):
            raise _wrong(f"{where}:pinned", "a list of builds, such as WS220", build)


def _check_metrics(metrics: Metrics) -> None:
    path = metrics.textfile
    if path and not (path.startswith("/") and path.endswith(".prom")):
        raise _wrong("wormbase:metrics:textfile", "a full path that ends in .prom, or empty", path)


def _check_downloads(downloads: Downloads) -> None:
    for name, links in vars(downloads).items():
        where = f"wormbase:downloads:{name}"
        for link, target in links.items():
            if not _LINK.fullmatch(link) or not _is_below(link) or "**" in link:
                form = "the path of a link in the download tree, with * for folders alone"
                raise _wrong(where, form, link)
            end = posixpath.normpath(f"{posixpath.dirname(link)}/{target}".lstrip("/"))
            if not _TARGET.fullmatch(target) or end.split("/")[0] == "..":
                form = "a relative path in the download tree with {build} in it"
                raise _wrong(f"{where}:{link}", form, target)
    both = sorted(downloads.production.keys() & downloads.development.keys())
    if both:
        raise _wrong(
            "wormbase:downloads", "given once, under production or under development", both[0]
        )


def _check_landing(landing: Landing) -> None:
    where = "wormbase:landing"
    if landing.start not in STARTS:
        raise _wrong(f"{where}:start", f"one of {', '.join(STARTS)}", landing.start)
    try:
        Hours.parse(landing.hours)
    except ValueError:
        form = "empty, or hours in UTC such as mon-fri 06:00-18:00"
        raise _wrong(f"{where}:hours", form, landing.hours) from None
    for address in landing.notify.mail:
        if not _ADDRESS.fullmatch(address):
            raise _wrong(f"{where}:notify:mail", "a list of mail addresses", address)
    if landing.notify.webhook and not _URL.fullmatch(landing.notify.webhook):
        # The address itself is as good as a password, so it is not repeated.
        raise _wrong(f"{where}:notify:webhook", "empty, or an address of http or https", "wrong")
    if landing.notify.board and not _URL.fullmatch(landing.notify.board):
        form = "empty, or an address of http or https"
        raise _wrong(f"{where}:notify:board", form, landing.notify.board)


def _node(name: object, value: object) -> Node:
    where = f"wormbase:nodes:{name}"
    if not isinstance(name, str) or not NODE_ID.fullmatch(name):
        raise _wrong("wormbase:nodes", "a mapping of minion ids", name)
    if not isinstance(value, Mapping):
        raise _wrong(where, "a dictionary", value)
    node = _section(Node, value, where)
    unknown = sorted(set(node.roles) - set(ROLES))
    if unknown:
        raise _wrong(f"{where}:roles", f"some of {', '.join(ROLES)}", unknown[0])
    _check_address(node, f"{where}:address")
    return node


def _check_address(node: Node, where: str) -> None:
    """HAProxy looks up no names while it runs; rsync and HAProxy take an IPv6 address in brackets
    only."""
    if _is_ipv4(node.address):
        return
    if "web" in node.roles:
        form = "an IPv4 address, such as 192.0.2.21, on a web node (no name, no IPv6)"
        raise _wrong(where, form, node.address)
    if not HOST.fullmatch(node.address) or not re.search("[A-Za-z]", node.address):
        raise _wrong(where, "an IPv4 address or a host name (no IPv6)", node.address)


def _is_ipv4(address: str) -> bool:
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return True


def _check_tolerances(contents: Contents) -> None:
    kinds = {name: value for name, value in vars(contents).items() if name != "exceptions"}
    for name, tolerance in {**kinds, **contents.exceptions}.items():
        if min(tolerance.shrink, tolerance.grow, tolerance.least) < 0:
            raise _wrong(f"wormbase:contents:{name}", "three numbers from 0 on", tolerance)


def _section(cls: type[T], given: Mapping[Any, Any], where: str, **ready: Any) -> T:
    hints = get_type_hints(cls)
    unknown = sorted(str(key) for key in given if key not in hints or key in ready)
    if unknown:
        raise BadRequest(
            f"the pillar has the unknown setting {where}:{unknown[0]}",
            "remove or rename it; pillar.example lists them all",
        )
    values = dict(ready)
    for entry in fields(cls):  # type: ignore[arg-type]
        if entry.name in ready:
            continue
        if entry.name in given:
            values[entry.name] = _value(
                hints[entry.name], given[entry.name], f"{where}:{entry.name}"
            )
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise BadRequest(
                f"the pillar lacks {where}:{entry.name}", "pillar.example shows how to set it"
            )
    return cls(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise _wrong(where, "a dictionary", value)
        return _section(kind, value, where)  # type: ignore[arg-type]
    if get_origin(kind) is Mapping:
        item = get_args(kind)[1]
        if item is str and isinstance(value, (list, tuple)):
            value = dict.fromkeys(map(str, value), "")
        if not isinstance(value, Mapping):
            raise _wrong(where, "a dictionary", value)
        return {str(key): _value(item, one, f"{where}:{key}") for key, one in value.items()}
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, item) for v in value):
            raise _wrong(where, "a list of strings", value)
        return tuple(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise _wrong(where, f"of type {kind.__name__}", value)
    return value


def _wrong(where: str, expected: str, value: object) -> BadRequest:
    return BadRequest(
        f"the setting {where} is {str(value)[:60]!r}",
        f"it has to be {expected}; pillar.example shows how to set it",
    )
