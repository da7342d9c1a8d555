#!/bin/bash
# Make a release live on every node, one after another: go_live.sh WSXXX
. "$(dirname "$0")/nodes.sh"
release=${1:?usage: go_live.sh WSXXX}

for node in $ACEDB_NODES; do
    echo "go live, acedb: $node"
    ssh $node "cd $ACEDB && rm -f wormbase; ln -s wormbase_$release wormbase
        sudo killall -q sgifaceserver"
done

for node in $MYSQL_NODES; do
    echo "go live, mysql: $node"
    ssh $node "cd $MYSQL && for directory in *_$release; do
            rm -f \${directory%_$release}; ln -s \$directory \${directory%_$release}
        done
        sudo systemctl restart mariadb"
done

# Each restart takes some seconds.
for node in $WEB_NODES; do
    echo "go live, webapp: $node"
    ssh $node "cd $WEBSITE/production && . ./wormbase.env &&
        bin/starman-production.sh restart >logs/start.log 2>&1" </dev/null &
done
wait
