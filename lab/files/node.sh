#!/bin/sh
# First process of a node, in namespaces of its own: mounts the node's root file
# system, moves into it and becomes its systemd.
# Usage: node.sh NAME DISK LOWERDIRS
set -eu
name=$1 disk=$2 lower=$3
root=$disk/root

hostname "$name"
mount -t overlay "$name" -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work,redirect_dir=on" "$root"
# /usr/local is a file system of its own: device and inode numbers there survive a
# crash, as on a real disk, which those of an overlay do not.
if [ -e "$disk/local.img" ]; then
    mount -o loop "$disk/local.img" "$root/usr/local"
else
    mount --bind "$disk/local" "$root/usr/local"
fi

cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
# The cgroup that the node was launched in is the root of its own.
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid run run
mount -t tmpfs -o mode=755,nosuid dev dev
mkdir dev/pts dev/shm run/lock
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
chmod 1777 run/lock
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
# Nobody sits at the console.
mknod -m 600 dev/console c 1 3
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
rm -rf tmp/* tmp/.[!.]*

pivot_root . .
umount -l .
exec env -i container=lab LANG=C.UTF-8 /sbin/init </dev/null
