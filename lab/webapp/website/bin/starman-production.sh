#!/bin/sh
# The webapp that is live: starman-production.sh start|stop|restart
export APP="production"
export APPLIB="WormBase"
export WORKERS=2
export PORT=5000
export PERL5LIB="/usr/local/wormbase/website/production/extlib/lib/perl5:$PERL5LIB"

. "$(cd "$(dirname "$0")" && pwd)/wormbase-init.sh"
