#!/bin/sh
# Starts and stops Starman for APP, a directory below website/. Scripts such as
# starman-production.sh set APP, WORKERS and PORT, and source this file.

if [ -z "$APP" ]; then
    echo "APP is not set; call starman-production.sh"
    exit 1
fi

export APPDIR="/usr/local/wormbase/website/$APP"
export PIDFILE="/tmp/$APP.pid"
STARMAN="$APPDIR/bin/starman-wormbase.sh"

if [ ! -d "$APPDIR" ]; then
    echo "there is no directory $APPDIR"
    exit 1
fi

running() {
    [ -s "$PIDFILE" ] && kill -0 "$(cat "$PIDFILE")" 2>/dev/null
}

launch() {
    start-stop-daemon --start --pidfile "$PIDFILE" --chdir "$APPDIR" --startas "$STARMAN"
    for second in 1 2 3 4; do
        sleep 1
        if running; then
            return 0
        fi
    done
    return 1
}

start() {
    if running; then
        echo "$APP is running already"
        exit 0
    fi
    rm -f "$PIDFILE"
    # The second try helps when the port was still taken at the first.
    launch || launch
}

stop() {
    start-stop-daemon --stop --oknodo --pidfile "$PIDFILE"
    sleep 3
}

case "$1" in
    start) start ;;
    stop) stop ;;
    restart | force-reload) stop && start ;;
    *)
        echo "usage: $0 start|stop|restart"
        exit 1
        ;;
esac
