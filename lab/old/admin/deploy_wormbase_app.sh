#!/bin/bash
# Deploy website/staging to the web nodes: deploy_wormbase_app.sh WSXXX
. "$(dirname "$0")/nodes.sh"
release=${1:?usage: deploy_wormbase_app.sh WSXXX}
date=${DATE:-$(date +%Y.%m.%d)}

cd $WEBSITE/staging || exit
version=$(sed -n "s/^our \$VERSION = '\(.*\)';/\1/p" lib/WormBase/Web.pm)
changeset=$(hg tip --template '{rev}')
name=$release-$date-$version-$changeset

sed 's/\[% app %\]/production/' wormbase.env.template >/tmp/wormbase.env
cat >/tmp/VERSION.txt <<END
DATE=$date
DATABASE_VERSION=$release
SOFTWARE_VERSION=$version
CHANGESET=$changeset
END
tar -czf extlib.tgz extlib

for node in $WEB_NODES; do
    echo "webapp: $node"
    ssh $node mkdir -p $WEBSITE/$name
    rsync -Cav --rsh=ssh --exclude logs --exclude tmp --exclude .hg --exclude extlib \
        --exclude extlib.tgz ./ $node:$WEBSITE/$name/ || echo "rsync to $node failed"
    scp -q extlib.tgz /tmp/wormbase.env /tmp/VERSION.txt $node:$WEBSITE/$name/
    ssh $node "cd $WEBSITE/$name && tar -xzf extlib.tgz && rm extlib.tgz &&
        chmod 755 wormbase.env && mkdir -p logs && chmod 777 logs
        cd .. && rm -f production; ln -s $name production"
done

# The release of the software, and the copy for reference.
mkdir -p $FTP/software
tar -czf $FTP/software/$name.tgz --exclude ./logs --exclude ./.hg --exclude './extlib*' \
    --exclude ./wormbase_local.conf .
cd $FTP/software && rm -f current.tgz && ln -s $name.tgz current.tgz
cd .. && rsync -Ca $WEBSITE/staging/ $WEBSITE/production/
