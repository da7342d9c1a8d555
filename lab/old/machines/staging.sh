#!/bin/sh
# wb-dev: where builds are staged. tace counts them; the curators ask wb-web1 from here.
set -eu

install -d -o webdev -g acedb -m 2775 /usr/local/wormbase/acedb
install -d -o webdev -g acedb /usr/local/wormbase/acedb/bin
[ -e /usr/local/wormbase/acedb/bin/tace ] || mv /usr/local/bin/tace /usr/local/wormbase/acedb/bin/tace
install -d -o webdev -g webdev /usr/local/wormbase/website /usr/local/wormbase/databases
install -d -o webdev -g webdev /usr/local/ftp /usr/local/ftp/pub /usr/local/ftp/pub/wormbase

# mariadb --defaults-file=/etc/curation.cnf curation
cat >/etc/curation.cnf <<'END'
[client]
host     = wb-web1
user     = curator
password = curation
END
