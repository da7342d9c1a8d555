#!/bin/sh
# starman-production.sh start|stop|restart|status: the webapp under Starman.
#
# What is set in the environment goes before wormbase.env. Server::Starter holds the port
# and starts a new Starman a second before it ends the old one: a restart loses no request,
# and a release that does not load leaves the old one serving. What it says is in the .log
# beside WORMBASE_PIDFILE.
set -u

here=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=/dev/null
[ ! -e "$here/wormbase.env" ] || . "$here/wormbase.env"
: "${WORMBASE_APP:=$(basename "$here")}" "${WORMBASE_PORT:=5000}" "${WORMBASE_WORKERS:=2}"
: "${WORMBASE_USER:=wormbase}" "${WORMBASE_START_SECONDS:=20}"
: "${WORMBASE_PIDFILE:=/run/wormbase-starman/$WORMBASE_PORT.pid}"
export WORMBASE_APP WORMBASE_PORT WORMBASE_WORKERS WORMBASE_PIDFILE

# Through the name of the app, which may be a symlink: a restart follows it.
boot=$(dirname "$here")/$WORMBASE_APP/bin/boot.psgi
log=${WORMBASE_PIDFILE%.pid}.log
generations=${WORMBASE_PIDFILE%.pid}.status

fail() {
    echo "starman-production.sh: $*" >&2
    exit 1
}

as_user() {
    run=$(dirname "$WORMBASE_PIDFILE")
    if [ "$(id -u)" != 0 ] || [ "$WORMBASE_USER" = root ]; then
        mkdir -p "$run" || fail "$run can not be made; start it as root"
        return
    fi
    group=$(id -gn "$WORMBASE_USER") || fail "there is no user $WORMBASE_USER"
    install -d -o "$WORMBASE_USER" -g "$group" "$run"
    exec setpriv --reuid "$WORMBASE_USER" --regid "$group" --init-groups \
        "$here/bin/$(basename "$0")" "$@"
}

# Server::Starter holds a lock on its pid file as long as it lives.
running() {
    [ -s "$WORMBASE_PIDFILE" ] && ! flock --nonblock "$WORMBASE_PIDFILE" true
}

# Any answer will do; the port is open before the app is loaded, so this waits for it.
answers() {
    perl -MHTTP::Tiny -e \
        'exit(HTTP::Tiny->new(timeout => 2)->get($ARGV[0])->{status} == 599)' \
        "http://127.0.0.1:$WORMBASE_PORT/"
}

# Loads the release on its own, for Perl's reason why it can not be loaded.
why_not() {
    said=$(perl -MPlack::Util -e 'Plack::Util::load_psgi($ARGV[0])' "$boot" 2>&1 >/dev/null) ||
        fail "$boot does not load: $(echo "$said" | sed 's/^Error while loading [^:]*: //; s/ (you may .*//; q')"
    fail "$1 within $WORMBASE_START_SECONDS s; see $log"
}

failed_to_load() {
    tail -n "+$((lines + 1))" "$log" | grep -q 'failed to start\|died unexpectedly'
}

# await CONDITION: until it holds; fails when it can not be any more, or in time.
await() {
    until_second=$(($(date +%s) + WORMBASE_START_SECONDS))
    until "$@"; do
        ! failed_to_load && [ "$(date +%s)" -lt "$until_second" ] || return 1
        sleep 0.1
    done
}

# A Server::Starter that was killed leaves a Starman that keeps the port.
end_leftovers() {
    [ -e "$generations" ] || return 0
    while IFS=: read -r _ pid; do
        grep -q '^starman master' "/proc/$pid/cmdline" 2>/dev/null || continue
        kill "$pid"
        while [ -d "/proc/$pid" ]; do sleep 0.1; done
    done <"$generations"
    rm -f "$generations"
}

start() {
    if running; then
        echo "already running"
        return 0
    fi
    end_leftovers
    true >"$log" || fail "$log can not be written"
    lines=0
    cd /
    start_server --daemonize --port="$WORMBASE_PORT" --interval=1 \
        --pid-file="$WORMBASE_PIDFILE" --status-file="$generations" --log-file="$log" \
        --signal-on-hup=QUIT --signal-on-term=TERM -- \
        starman --preload-app --workers="$WORMBASE_WORKERS" --max-requests=100000 \
        --access-log="$(dirname "$boot")/../logs/access.log" "$boot" 2>"$log.start" ||
        fail "$(grep -v '^start_server' "$log.start")"
    sentence="the webapp did not answer on port $WORMBASE_PORT"
    await answers || { stop && why_not "$sentence"; }
}

stop() {
    if running; then
        kill "$(cat "$WORMBASE_PIDFILE")"
        flock --wait "$WORMBASE_START_SECONDS" "$WORMBASE_PIDFILE" true ||
            fail "it did not end within $WORMBASE_START_SECONDS s"
    fi
    end_leftovers
}

# The newest generation of Starman, and how many there are.
generation() {
    newest=0 count=0
    while IFS=: read -r number _; do
        count=$((count + 1))
        [ "$number" -le "$newest" ] || newest=$number
    done <"$generations"
}

only_newer_than() {
    generation
    [ "$count" = 1 ] && [ "$newest" -gt "$1" ]
}

restart() {
    if ! running; then
        start
        return
    fi
    lines=$(wc -l <"$log")
    await test -s "$generations" || fail "Server::Starter did not write $generations"
    generation
    before=$newest
    kill -HUP "$(cat "$WORMBASE_PIDFILE")"
    await only_newer_than "$before" || why_not "the new Starman did not take over"
    await answers || why_not "the new Starman did not answer"
}

status() {
    if ! running; then
        echo "stopped"
        return 3
    fi
    answers || fail "it runs and does not answer on port $WORMBASE_PORT"
    echo "running"
}

case "${1:-}" in
    start | stop | restart | status) as_user "$@" && "$1" ;;
    *) fail "usage: starman-production.sh start|stop|restart|status" ;;
esac
