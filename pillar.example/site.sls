# Settings that every node can read. The files in this folder list every setting of the release
# automation with its default. To start:
#
#     install -d /srv/wormbase-site
#     cp -r /srv/wormbase-release/pillar.example /srv/wormbase-site/pillar
#
# Then set the addresses here, the keys in carrier.sls, and mail and blog in announce.sls. You can
# delete what you do not change: everything but `nodes` has the default shown here. An unknown
# setting, or one of the wrong type, is refused by name. To encrypt values with Salt's GPG renderer,
# make `#!jinja|yaml|gpg` the first line of a file.
wormbase:

  # The nodes by minion id, in the order in which they are asked. `address` is where the other nodes
  # reach this one: an IPv4 address, or a host name for nodes without the role web. IPv6 does not
  # work. `site` is the place where it stands: a build travels to each site once, and from node to
  # node within the site. Roles:
  #   staging  the development server, where builds land (exactly one)
  #   proxy    nginx in front of the web nodes (exactly one)
  #   acedb, mysql, support  has these databases
  #   mining   also gets the support databases under `datasets:mining_only`
  #   web      runs the webapp; give it acedb and mysql as well
  nodes:
    wb-dev:
      address: 192.0.2.10
      site: local
      roles: [staging]
    fe:
      address: 192.0.2.11
      site: local
      roles: [proxy]
    wb-web1:
      address: 192.0.2.21
      site: local
      roles: [acedb, mysql, support, web]
    wb-web2:
      address: 192.0.2.22
      site: local
      roles: [acedb, mysql, support, web]
    wb-web3:
      address: 192.0.2.23
      site: local
      roles: [acedb, mysql, support, web]
    wb-web4:
      address: 192.0.2.24
      site: local
      roles: [acedb, mysql, support, web]
    wb-mining:
      address: 192.0.2.31
      site: local
      roles: [acedb, mysql, support, mining, web]
    wb-gb1:
      address: 192.0.2.41
      site: local
      roles: [mysql]
    wb-gb2:
      address: 192.0.2.42
      site: local
      roles: [mysql]
    canopus:
      address: 198.51.100.21
      site: remote
      roles: [acedb, mysql, support, web]

  # Which files of a build travel. The patterns are those of rsync's --exclude.
  datasets:
    acedb_exclude:
      - database/serverlog.wrm
      - database/log.wrm
      - database/readlocks
      - database/SERVER_PIDFILE.wrm
    mysql_exclude: ["*bak*", old, "*TMD*"]
    support_exclude: ["*bak*", web_data]
    # Folders of the support databases that go only to nodes with the role `mining`.
    mining_only: [blast, blat]
    # Percent of each disk that must stay free after a push.
    headroom_percent: 5

  # The AceDB server that xinetd starts at the first connection.
  acedb:
    port: 2005
    # The port on which a node tries a release before it goes live.
    preflight_port: 2006
    # The server's program: saceserver, or sgifaceserver, wherever your site has it. Builds are
    # counted with tace, on the development server.
    server: /usr/local/bin/saceserver
    tace: /usr/local/bin/tace
    # The file in /etc/xinetd.d that starts the server. If your site has one under another name,
    # give that name, and the states write that file instead of a second one for the same port.
    xinetd: acedb
    user: acedb
    group: acedb

  # The MySQL server.
  mysql:
    # Its unit, the socket at which it listens, and the one file of its configuration that is the
    # project's. That file sets the data directory and which folder there is no database. All the
    # rest is your site's.
    service: mariadb
    socket: /run/mysqld/mysqld.sock
    config: /etc/mysql/mariadb.conf.d/90-wormbase.cnf
    user: mysql
    group: mysql
    # The MySQL user of the webapp. It can read the databases of builds and no others. It is created
    # without a password, for a login by the socket, so its name has to be the user under `webapp`.
    # A user that exists keeps its password and grants, and gets the grants that are missing.
    reader: wormbase

  # The webapp and its Starman.
  webapp:
    # The unit that runs Starman. The states write it.
    service: wormbase-starman
    port: 5000
    # The port on which a node tries a release before it goes live.
    preflight_port: 5001
    workers: 2
    user: wormbase
    group: wormbase
    # A release has the files of website/staging that Mercurial or git tracks. It also has these
    # untracked files and whole folders, by their path there (such as `certs/*.pem`). They are never
    # public.
    untracked: [extlib, wormbase_local.conf]
    # Files that do not travel, and files that are left out of the public software release.
    exclude: [logs, tmp, .hg, .git, extlib.tgz]
    software_exclude: [logs, .hg, .git, extlib, wormbase_local.conf]
    # Links in the webapp that may lead out of it, as patterns such as root/gbrowse/i. Any other
    # link that leaves the release is refused by name.
    outside_links: []
    # Whether a major release tags the checkout in website/staging with the release's name.
    tag: false
    # The PSGI file of a release: the first of these paths that it has.
    psgi: [script/wormbase_psgi.psgi, wormbase.psgi]
    # Extra variables for the webapp, set before it sources wormbase.env. Quote numbers. Example:
    # {CATALYST_CONFIG_LOCAL_SUFFIX: production}
    environment: {}
    # The webapp's own script to start and stop it, such as bin/starman-production.sh, and its PID
    # file. If it is empty, the project's unit runs Starman. docs/webapp.md compares the two.
    start_script: ""
    pid_file: /tmp/production.pid
    # The configuration of the preflight, on top of the webapp's local one: where the new databases
    # are. {acedb_port} and {mysql:c_elegans} are replaced by the port and the new directory. A
    # value of one line is the path of such a file in the release.
    preflight_conf: |
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
    # Pages that must answer 200, before a release goes live and while it serves, each with a text
    # that must be in it. "{build}" and "{release}" stand for those that serve. A plain list of
    # paths asks for no text. WormBase's front page shows the build: {"/": "version {build}"}.
    check_paths: {"/": ""}
    # A page of the webapp that says in JSON what it serves, such as /version. It has to agree with
    # the servers. Empty: there is none, and none is needed.
    version_path: ""

  # The service on each web node that tells the proxy what the node serves. Only the proxy and the
  # node itself are answered. It has its own user, also in MySQL, who can read the builds.
  report:
    port: 5002
    user: wormbase-report

  # The nginx that visitors reach. The project has one file in it; other sites stay as they are.
  nginx:
    # That file. Empty if you pass requests to HAProxy yourself, with one line in a file of yours:
    # proxy_pass http://127.0.0.1:8081;
    file: /etc/nginx/conf.d/wormbase.conf
    port: 80
    # Names of the site. Empty: all names that no other site of this nginx has.
    names: []
    # Files on the proxy for TLS on `tls_port`, and whether HTTP/2 is spoken there. Empty: no TLS.
    certificate: ""
    key: ""
    tls_port: 443
    http2: true
    # Further lines of nginx for the site, such as "add_header X-Frame-Options SAMEORIGIN;".
    lines: []
    # Seconds that a web node may take for an answer, for example to a BLAST query. A release may
    # wait this long for the open requests of a node that leaves the pool.
    request_seconds: 60

  # The project's own HAProxy, between nginx and the web nodes. Only the proxy itself can reach it.
  haproxy:
    port: 8081

  # How far a build may differ from the live one before it is held. A checksum cannot see a build
  # that is complete and wrong. `shrink` and `grow` are percent. A difference smaller than `least`
  # is ignored, however many percent it is. What has disappeared always counts. Set all three values
  # of a tolerance together.
  contents:
    # Objects of each AceDB class.
    classes: {shrink: 5, grow: 50, least: 100}
    # Rows of each MySQL table.
    rows: {shrink: 10, grow: 50, least: 1000}
    # Sequences and letters of each BLAST database.
    sequences: {shrink: 5, grow: 50, least: 20}
    letters: {shrink: 5, grow: 50, least: 100000}
    # Files and bytes of each folder of the support databases.
    files: {shrink: 10, grow: 50, least: 50}
    bytes: {shrink: 20, grow: 100, least: 1000000}
    # Other tolerances for some figures, by a pattern. The first pattern that matches counts. A
    # figure is named by kind and name: classes/Gene, rows/c_elegans/fdata,
    # letters/blast/c_elegans/genome, bytes/support/gene. Example:
    #   rows/c_elegans_?map/*: {shrink: 30, grow: 100, least: 1000}
    exceptions: {}

  # How a build travels: as patches against what a node already has. They are made once.
  parcels:
    # The compression level of zstd. Above 12 it takes many times as long.
    level: 12
    # Seconds of CPU for the smallest patches of a build (bsdiff does about 3 MB in a second).
    fine_seconds: 300
    # Megabytes a second to the slowest site. The nodes rebuild MyISAM indexes if that is faster
    # than sending them.
    slowest_link: 5.0

  # How a release goes live.
  golive:
    # seamless: half of the web nodes go first and are compared with the others, then the whole
    # site moves at once. maintenance: all nodes at once, behind the maintenance page. A site with
    # one web node always uses maintenance.
    way: seamless
    # The paths that both halves are asked. An answer of the new release may take this many times as
    # long. Its numbers (bytes, links, rows) may be this many times as large, or as small.
    canary_paths: [/]
    slower_times: 3.0
    numbers_times: 5.0
    # Seconds for which errors are counted before the other half follows. If the share of requests
    # that fail rises by more than this many percentage points, the site goes back.
    watch_seconds: 10.0
    errors_percent: 1.0
    # Percent of the web nodes that must answer.
    quorum_percent: 50
    # Seconds after which a node that does not answer is left out.
    answer_seconds: 30
    # Seconds that a forecast assumes for the maintenance page.
    window_seconds: 5.0

  # Links of the download tree (/usr/local/ftp/pub/wormbase on the development server): the path of
  # a link, and where it leads from its own folder. Both are below the tree. `*` is any one folder,
  # {build} the build. A link is set only if its folder and its target exist. Nothing happens where
  # there is no such folder. `{}` sets no links. Example, for each species:
  #   species/*/current-production-release: "{build}"
  downloads:
    # Links to the build that is live. They move in the same moment as the site.
    production: {releases/current-production-release: "{build}"}
    # Links to the newest build that landed.
    development: {releases/current-development-release: "{build}"}

  # What starts by itself when a build lands on the development server (READY).
  landing:
    # release: the whole release. push: only send the databases to the nodes. nothing: no run.
    start: release
    # When a build that landed may go live, in UTC, such as "mon-fri 06:00-18:00". "22:00-04:00" is
    # every night, and empty is always. At other times the build is pushed, and goes live later.
    hours: ""
    # Whether a new revision in website/staging goes live by itself while its build is live.
    minor: false
    # Who gets a message when any run begins, ends or fails: mail addresses, by the server in
    # `mail`, and the webhook of a chat, which gets JSON with a `text`. Every node can read it.
    notify:
      mail: []
      webhook: ""
      # The address of the board, such as https://master.example.org:8443. Messages link to the run.
      board: ""

  # What every node does by itself. Its minion's schedule checks each minute whether it is time.
  enforce:
    # A node applies its states after this many minutes, and up to this many seconds later. It
    # also does so when its minion starts. It reports what had changed. 0 minutes: never.
    minutes: 15
    splay_seconds: 120
    # Each night from this hour (0 to 23, the node's local time) a node reads a part of its data
    # again. It reads every byte within this many days. 0 days: never.
    deep_hour: 2
    deep_days: 30

  # Which builds stay on the nodes beside the live release and the way back. A build that is marked
  # bad (wb_release.bad) goes first, then the oldest.
  retention:
    # How many of the newest other builds stay. A push that lacks room removes these too, as many as
    # it needs.
    keep: 1
    # Builds that are never removed, such as WS220.
    pinned: []
    # With 10, WS210, WS220 and so on are never removed either. 0 pins none.
    pinned_every: 0
    # Percent of each disk that should be free after a release. If it is less, further builds are
    # removed on that node only. 0 sets no floor.
    free_percent: 0

  # Metrics for the textfile collector of Prometheus' node_exporter on the master.
  metrics:
    # A path such as /var/lib/prometheus/node-exporter/wormbase.prom. Empty: no file is written.
    textfile: ""
