#!/bin/sh
# compile.sh DEST: AceDB's tace, saceserver, saceclient and makeUserPasswd, compiled
# from Debian's source into DEST/usr/local/bin, and the source's wspec/ into
# DEST/usr/local/share/acedb. Debian 12, as root. Run again it does nothing.
#
# Where the programs run they need the packages libglib2.0-0 and libreadline8.
set -eu

recipe=$(cd "$(dirname "$0")" && pwd)
dest=${1:?usage: compile.sh DEST}
programs="tace saceserver saceclient makeUserPasswd"
needed="bison csh dpkg-dev flex gcc libc6-dev libfl-dev libglib2.0-dev libncurses-dev
        libreadline-dev libtirpc-dev make pkg-config xz-utils"

# Whoever installs packages for the lab takes this lock: apt-get update waits for none.
packages() {
    DEBIAN_FRONTEND=noninteractive flock /run/lock/wormbase-lab.apt \
        apt-get -qq -o DPkg::Lock::Timeout=600 "$@" </dev/null >/dev/null
}

install_build_packages() {
    if ! dpkg-query --show $needed >/dev/null 2>&1; then
        packages update
        packages install -y --no-install-recommends $needed
    fi
}

# The upstream tarball, from the mirror that the machine's own packages come from. Lists
# and sources are private, so the machine's package configuration stays as it is.
fetch_source() {
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    private="-o Dir::Etc::sourcelist=$PWD/sources.list -o Dir::Etc::sourceparts=/dev/null
             -o Dir::State::lists=$PWD/lists -o APT::Sandbox::User=root"
    mkdir -p lists/partial
    [ -n "$(apt-get indextargets 'Created-By: Packages' 'Origin: Debian')" ] || packages update
    apt-get indextargets 'Created-By: Packages' 'Origin: Debian' 'Release: bookworm' \
        --format "deb-src [signed-by=$key] \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" >sources.list
    apt-get $private -qq update
    apt-get $private -qq source --download-only --tar-only acedb >/dev/null
    tar -xf acedb_*.orig.tar.xz
}

# The source is of 2008: glibc no longer has the list of signal names that it reads.
patch_source() {
    chmod -R u+w .
    sed -i -e '/= &(_sys_siglist/d' -e 's/signal_textlist\[sig_num\]/strsignal(sig_num)/' \
        w4/sigsubs.c
    cp "$recipe/WB_DEF" wmake/
    cp -r "$recipe/stub" .
    mkdir bin.WB
}

install_programs() {
    install -d "$dest/usr/local/bin" "$dest/usr/local/share/acedb"
    for program in $programs; do
        install -s -m 755 "bin.WB/$program" "$dest/usr/local/bin/"
    done
    cp -r wspec "$dest/usr/local/share/acedb/"
    echo "$version" >"$stamp"
}

version=$(cat "$recipe/compile.sh" "$recipe/WB_DEF" "$recipe"/stub/*/*.h | sha256sum)
stamp=$dest/usr/local/share/acedb/recipe
if [ "$(cat "$stamp" 2>/dev/null)" = "$version" ]; then exit 0; fi

install_build_packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fetch_source
patch_source
if ! make ACEDB_MACHINE=WB $programs >make.log 2>&1; then
    tail -n 20 make.log >&2
    echo "AceDB did not compile; the lines above are the last of make's" >&2
    exit 1
fi
install_programs
