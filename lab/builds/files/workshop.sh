#!/bin/sh
# workshop.sh LOWER DIRECTORY COMMAND…: run a command in the nodes' base, with DIRECTORY
# as /build. Whatever it writes elsewhere is in memory and goes with it. To be called in
# a mount namespace of its own, so that nothing stays mounted, however it ends.
set -eu
lower=$1
directory=$2
shift 2
room=/var/cache/wormbase-lab/workshop

mkdir -p "$room"
mount -t tmpfs workshop "$room"
mkdir "$room/upper" "$room/work" "$room/root"
mount -t overlay -o "lowerdir=$lower,upperdir=$room/upper,workdir=$room/work" overlay "$room/root"
mkdir "$room/root/build"
mount --bind "$directory" "$room/root/build"
mount --rbind /dev "$room/root/dev"
mount -t proc proc "$room/root/proc"
cd "$room/root"
exec chroot . env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/build LANG=C.UTF-8 "$@"
