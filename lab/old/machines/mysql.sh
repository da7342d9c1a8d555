#!/bin/sh
# MariaDB: the genome databases have a place of their own, and other machines may ask.
set -eu

cat >/etc/mysql/mariadb.conf.d/60-elegans.cnf <<'END'
[mariadbd]
datadir                 = /usr/local/mysql/data
bind-address            = 0.0.0.0
key-buffer-size         = 64M
innodb-buffer-pool-size = 32M
innodb-log-file-size    = 16M
END
# Debian's unit leaves /usr read-only to the server. (systemctl edit mariadb)
install -d /etc/systemd/system/mariadb.service.d
cat >/etc/systemd/system/mariadb.service.d/override.conf <<'END'
[Service]
ReadWritePaths=/usr/local/mysql/data
END
systemctl daemon-reload

install -d -o mysql -g mysql -m 2775 /usr/local/mysql/data
[ -d /usr/local/mysql/data/mysql ] || mariadb-install-db --user=mysql --skip-test-db >/dev/null
chmod 2775 /usr/local/mysql/data
systemctl enable --quiet mariadb
systemctl restart mariadb

mariadb <<'END'
CREATE USER IF NOT EXISTS wormbase@localhost;
GRANT SELECT ON `b_malayi%`.* TO wormbase@localhost;
GRANT SELECT ON `c_angaria%`.* TO wormbase@localhost;
GRANT SELECT ON `c_brenneri%`.* TO wormbase@localhost;
GRANT SELECT ON `c_briggsae%`.* TO wormbase@localhost;
GRANT SELECT ON `c_elegans%`.* TO wormbase@localhost;
GRANT SELECT ON `c_japonica%`.* TO wormbase@localhost;
GRANT SELECT ON `c_remanei%`.* TO wormbase@localhost;
GRANT SELECT ON `clustal%`.* TO wormbase@localhost;
GRANT SELECT ON `h_contortus%`.* TO wormbase@localhost;
GRANT SELECT ON `m_hapla%`.* TO wormbase@localhost;
GRANT SELECT ON `m_incognita%`.* TO wormbase@localhost;
GRANT SELECT ON `p_pacificus%`.* TO wormbase@localhost;
END
