#!/bin/sh
# A web node, by hand after each boot: nothing else starts Starman.
set -eu

# Only if there is one to start, and nobody did.
[ -e /usr/local/wormbase/website/production ] || exit 0
[ -z "$(ss -Hltn 'sport = :5000')" ] || exit 0
su - webdev -c 'ssh localhost "cd /usr/local/wormbase/website/production && . ./wormbase.env &&
    bin/starman-production.sh start >logs/start.log 2>&1" </dev/null'
