#!/bin/sh
# Every machine: the groups that the databases belong to, and webdev, who makes releases.
set -eu

getent group acedb >/dev/null || groupadd --system acedb
id acedb >/dev/null 2>&1 || useradd --system --gid acedb --home-dir /usr/local/wormbase \
    --no-create-home --shell /usr/sbin/nologin acedb
id webdev >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups acedb,mysql webdev
echo 'webdev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/webdev
chmod 440 /etc/sudoers.d/webdev

# webdev's shell finds start-stop-daemon, also through ssh.
echo 'PATH=$PATH:/usr/sbin:/sbin' >/home/webdev/.bashrc
# webdev gets everywhere with one key, and keeps a connection for the next command.
cd /home/webdev/.ssh
cp id_ed25519.pub authorized_keys
cat >config <<'END'
StrictHostKeyChecking no
LogLevel ERROR
ControlMaster auto
ControlPath ~/.ssh/to-%h
ControlPersist 60
END
chmod 700 .
chmod 600 id_ed25519 authorized_keys
chown -R webdev:webdev /home/webdev

install -d -o webdev -g webdev /usr/local/wormbase
systemctl enable --quiet ssh
systemctl start ssh
