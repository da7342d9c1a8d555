#!/bin/bash
# What was done by hand at the end: downloads, letter and blog post. announce.sh WSXXX
. "$(dirname "$0")/nodes.sh"
. ~/passwords
release=${1:?usage: announce.sh WSXXX}
letter=/usr/local/wormbase/builds/$release/letter.$release

# The builders' part of the tree is root's.
sudo chown -R webdev:webdev $FTP
mkdir -p $FTP/releases/$release $FTP/species/c_elegans/$release
cp $letter $FTP/releases/$release/
gzip -c $SUPPORT/$release/gene/geneIDs.$release.txt \
    >$FTP/species/c_elegans/$release/c_elegans.$release.geneIDs.txt.gz
for place in $FTP/releases $FTP/species/c_elegans; do
    cd $place
    rm -f current-production-release current-development-release
    ln -s $release current-production-release
    ln -s $release current-development-release
done

subject="New release of WormBase $release"
{
    echo "From: releases@wb-dev"
    echo "To: announce@wb-dev"
    echo "Subject: $subject"
    echo "Date: Tue, 21 Dec 2010 17:00:00 +0000"
    echo
    cat $letter
} >/tmp/letter
curl -sS --ssl-reqd --url smtp://wb-dev:25 --user "releases:$MAIL_PASSWORD" \
    --mail-from releases@wb-dev --mail-rcpt announce@wb-dev --upload-file /tmp/letter
curl -sS --fail --user "releases:$BLOG_PASSWORD" --data status=publish \
    --data date=2010-12-21T17:00:00 --data-urlencode "title=$subject" \
    --data-urlencode "content@$letter" --output /dev/null \
    'http://wb-dev:8080/index.php?rest_route=/wp/v2/posts'
