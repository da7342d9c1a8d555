# What every node knows of a site. The files of this folder are everything that the release
# automation can be told, with every default:
#
#     cp -r pillar.example /srv/wormbase-site/pillar
#
# then set addresses here, the keys in carrier.sls, mail and blog in announce.sls, and leave out
# what you do not change: all but `nodes` has the default that stands here. A setting that is
# unknown or of the wrong type is refused by name. With `#!jinja|yaml|gpg` as the first line of a
# file, any value may be encrypted as Salt's GPG renderer has it.
wormbase:

  # The nodes by their minion ids, in the order in which they are asked. `address` is where
  # the others reach a node: an IPv4 address, or for other than web nodes a host name (IPv6 does
  # not work). `site` names the place where it stands: the data of a build travel
  # to each site once, and from node to node within it. Roles:
  #   staging  the development server, where builds land (exactly one)
  #   proxy    nginx in front of the web nodes (exactly one)
  #   acedb, mysql, support  holds these databases
  #   mining   also gets the support databases under `datasets:mining_only`
  #   web      runs the webapp; has acedb and mysql as well
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

  # What of a build travels. The patterns are those of rsync's --exclude.
  datasets:
    acedb_exclude:
      - database/serverlog.wrm
      - database/log.wrm
      - database/readlocks
      - database/SERVER_PIDFILE.wrm
    mysql_exclude: ["*bak*", old, "*TMD*"]
    support_exclude: ["*bak*", web_data]
    # Folders of the support databases that only nodes with the role `mining` get.
    mining_only: [blast, blat]
    # Percent of each disk that have to stay free when a build has come.
    headroom_percent: 5

  # The AceDB server that xinetd starts at the first connection.
  acedb:
    port: 2005
    # Where a release is tried before it goes live, on the node itself.
    preflight_port: 2006
    user: acedb
    group: acedb

  # The MySQL server.
  mysql:
    user: mysql
    group: mysql
    # The MySQL user as whom the webapp reads; it can read the databases of builds alone. It is
    # made without a password, for a login by the socket, so it has to be the user under `webapp`.
    # One that exists keeps password and grants and gets those that are lacking.
    reader: wormbase

  # The webapp and its Starman.
  webapp:
    port: 5000
    # Where a release is tried before it goes live, on the node itself.
    preflight_port: 5001
    workers: 2
    user: wormbase
    group: wormbase
    # Of website/staging the files that Mercurial tracks are released, and these untracked files
    # and whole folders, by their path there (`certs/*.pem`). They are never public.
    untracked: [extlib, wormbase_local.conf]
    # What of all that does not travel, and what is not in the public software release.
    exclude: [logs, tmp, .hg, extlib.tgz]
    software_exclude: [logs, .hg, extlib, wormbase_local.conf]
    # Paths that have to answer 200 before a release goes live.
    check_paths: [/version, /gene/WBGene00000898]

  # The proxy: the public port, and two that only the proxy itself reaches.
  nginx:
    port: 80
    asking_port: 8081
    idle_port: 8082
    # Seconds that a web node may take for an answer, a BLAST query for example. A release waits
    # so long for what a node that leaves the pool was asked.
    request_seconds: 60

  # How far a build may be from the live one before it is held: whole and wrong is what no
  # checksum sees. `shrink` and `grow` are percent; a difference of less than `least` counts
  # for nothing, whatever it is in percent. What is gone altogether always counts. A tolerance
  # is given whole.
  contents:
    # Objects of each class of AceDB.
    classes: {shrink: 5, grow: 50, least: 100}
    # Rows of each table of MySQL.
    rows: {shrink: 10, grow: 50, least: 1000}
    # Sequences and letters of each BLAST database.
    sequences: {shrink: 5, grow: 50, least: 20}
    letters: {shrink: 5, grow: 50, least: 100000}
    # Files and bytes of each folder of the support databases.
    files: {shrink: 10, grow: 50, least: 50}
    bytes: {shrink: 20, grow: 100, least: 1000000}
    # Other tolerances for some, by a pattern of kind and name, the first that fits. Names are
    # classes/Gene, rows/c_elegans/fdata, letters/blast/c_elegans/genome, bytes/support/gene:
    #   rows/c_elegans_?map/*: {shrink: 30, grow: 100, least: 1000}
    exceptions: {}

  # How a build travels: as patches against the release that a node has, made once.
  parcels:
    # How hard zstd looks for what is the same. Above 12 it takes many times as long.
    level: 12
    # Seconds of CPU that the smallest patches of a build may take (bsdiff, some 3 MB in one).
    fine_seconds: 300
    # Megabytes a second to the site that is reached slowest. MyISAM indexes are made anew on
    # the nodes where that takes less time than sending them.
    slowest_link: 5.0

  # How a release goes live.
  golive:
    # seamless: half of the web nodes first, compared with the others, then the whole site at
    # once; maintenance: behind the maintenance page, all nodes at once (one web node always).
    way: seamless
    # What both halves are asked; an answer of the new release may be so many times as slow,
    # and its numbers (bytes, links, rows) so many times as large, or as small.
    canary_paths: [/version, /gene/WBGene00000898]
    slower_times: 3.0
    numbers_times: 5.0
    # For so many seconds errors are counted before the other half follows; so many percent
    # of all requests more than before bring the site back.
    watch_seconds: 10.0
    errors_percent: 1.0
    # Percent of the web nodes that have to answer.
    quorum_percent: 50
    # Seconds after which a node that does not answer is left out.
    answer_seconds: 30
    # Seconds for which the maintenance page is reckoned to be up, for the forecast.
    window_seconds: 5.0

  # What happens when a build lands on the development server (READY), without anybody.
  landing:
    # release: the whole release; push: only the databases to the nodes; nothing.
    start: release
    # When a landing may go live, in UTC, such as "mon-fri 06:00-18:00" ("22:00-04:00" is every
    # night); empty is always. At other times it is pushed, and goes live when the hours come.
    hours: ""
    # Whether a new revision in website/staging goes live by itself while its build is live.
    minor: false
    # Whom to tell when any run begins, ends or fails: addresses, by the server in `mail`; and
    # the webhook of a chat, which gets JSON with a `text`. Every node can read this file.
    notify:
      mail: []
      webhook: ""

  # What every node does by itself; its minion's schedule asks each minute whether it is time.
  enforce:
    # Every so many minutes, and so many seconds later at most, a node brings itself to its
    # state and tells what had changed; also when its minion starts. 0 minutes: never.
    minutes: 15
    splay_seconds: 120
    # Hour of the day (0 to 23) from which a part of the data is read again each night, and the
    # days within which every byte has been. 0 days: never.
    deep_hour: 2
    deep_days: 30

  # What stays on the nodes beside the live release and the way back. A build that is marked bad
  # (wb_release.bad) goes first, the others by their age, the oldest first.
  retention:
    # So many further builds, the newest, as long as there is room: a push that lacks room lets
    # them go too, as many as it takes.
    keep: 1
    # Builds that are never removed, such as WS220.
    pinned: []
    # With 10, WS210, WS220 and so on are never removed either. 0 pins none.
    pinned_every: 0
    # Percent of each disk to be free after a release: below it further builds go, on that node
    # alone. 0 sets no floor.
    free_percent: 0

  # What is measured, for the textfile collector of Prometheus' node_exporter on the master.
  metrics:
    # A path such as /var/lib/prometheus/node-exporter/wormbase.prom; empty writes none.
    textfile: ""
