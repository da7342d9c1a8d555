#!/bin/sh
# Every machine: the groups that the databases belong to, and webdev, who makes releases.
set -eu

getent group acedb >/dev/null || groupadd --system acedb
id acedb >/dev/null 2>&1 || useradd --system --gid acedb --home-dir /usr/local/wormbase \
    --no-create-home --shell /usr/sbin/nologin acedb
id webdev >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups acedb,mysql webdev
echo 'webdev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/webdev
chmod 440 /etc/sudoers.d/webdev

# webdev gets everywhere with one key.
cd /home/webdev/.ssh
cp id_ed25519.pub authorized_keys
printf 'StrictHostKeyChecking no\nLogLevel ERROR\n' >config
chmod 700 .
chmod 600 id_ed25519 authorized_keys
chown -R webdev:webdev /home/webdev

install -d -o webdev -g webdev /usr/local/wormbase
systemctl enable --quiet ssh
systemctl start ssh
