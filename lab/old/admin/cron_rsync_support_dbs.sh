#!/bin/bash
# Push the support databases of a release: cron_rsync_support_dbs.sh WSXXX
. "$(dirname "$0")/nodes.sh"
release=${1:?usage: cron_rsync_support_dbs.sh WSXXX}

for node in $SUPPORT_NODES; do
    echo "support: $node"
    mining="--exclude blast --exclude blat"
    [ $node != $MINING_NODE ] || mining=
    ssh $node mkdir -p $SUPPORT
    rsync -Cav --rsh=ssh --exclude '*bak*' --exclude web_data/ $mining \
        $SUPPORT/$release $node:$SUPPORT/ || echo "rsync to $node failed"
done
