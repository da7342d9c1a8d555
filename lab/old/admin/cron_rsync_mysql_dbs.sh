#!/bin/bash
# Push the MySQL databases that were rebuilt for a release: cron_rsync_mysql_dbs.sh WSXXX
. "$(dirname "$0")/nodes.sh"
release=${1:?usage: cron_rsync_mysql_dbs.sh WSXXX}

for node in $MYSQL_NODES; do
    echo "mysql: $node"
    rsync -Cav --rsh=ssh --exclude '*bak*' --exclude old --exclude '*TMD*' \
        $MYSQL/*_$release $node:$MYSQL/ || echo "rsync to $node failed"
    ssh $node "chgrp -R mysql $MYSQL/*_$release; chmod 2775 $MYSQL/*_$release"
done
