#!/bin/sh
# AceDB: compiled here as sgifaceserver, started by xinetd at the first connection.
set -eu

install -d -o webdev -g acedb -m 2775 /usr/local/wormbase/acedb
install -d -o webdev -g acedb /usr/local/wormbase/acedb/bin
cd /usr/local/wormbase/acedb/bin
[ -e sgifaceserver ] || mv /usr/local/bin/saceserver sgifaceserver
[ -e tace ] || mv /usr/local/bin/tace tace

cat >/etc/xinetd.d/elegans <<'END'
# The C. elegans database
service elegans
{
    type        = UNLISTED
    port        = 2005
    socket_type = stream
    protocol    = tcp
    flags       = REUSE IPv4
    wait        = yes
    user        = acedb
    group       = acedb
    server      = /usr/local/wormbase/acedb/bin/sgifaceserver
    server_args = /usr/local/wormbase/acedb/wormbase 1200:1200:0
    disable     = no
}
END
systemctl enable --quiet xinetd
systemctl restart xinetd
