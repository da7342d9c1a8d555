#!/bin/bash
# Push every AceDB database to the AceDB nodes.
. "$(dirname "$0")/nodes.sh"

for node in $ACEDB_NODES; do
    echo "acedb: $node"
    for database in $ACEDB/wormbase_*; do
        rsync -Cav --rsh=ssh --exclude serverlog.wrm --exclude log.wrm \
            --exclude database/readlocks "$database" $node:$ACEDB/ || echo "rsync to $node failed"
    done
    ssh $node "chgrp -R acedb $ACEDB/wormbase_*
        for database in $ACEDB/wormbase_*/database; do
            touch \$database/log.wrm \$database/serverlog.wrm
            chmod 666 \$database/block* \$database/log.wrm \$database/serverlog.wrm
            rm -rf \$database/readlocks
        done"
done
