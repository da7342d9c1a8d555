#!/bin/sh
# Called by wormbase-init.sh, which sets what is used here.
exec starman -I"$APPDIR/lib" "$APPDIR/script/wormbase_psgi.psgi" --workers "$WORKERS" \
    --pid "$PIDFILE" --port "$PORT" --error-log "$APPDIR/logs/error.log" --daemonize
