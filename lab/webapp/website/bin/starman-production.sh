#!/bin/sh
# starman-production.sh start|stop|restart|status: the webapp under Starman.
#
# Source wormbase.env first. Server::Starter holds the port while an old Starman ends and
# a new one begins, so a restart loses no request; a release that does not load leaves the
# old one serving. What it says is in the .log beside WORMBASE_PIDFILE.
set -u

here=$(cd "$(dirname "$0")/.." && pwd -P)
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
    [ "$(id -u)" = 0 ] || return 0
    group=$(id -gn "$WORMBASE_USER") || fail "there is no user $WORMBASE_USER"
    install -d -o "$WORMBASE_USER" -g "$group" "$(dirname "$WORMBASE_PIDFILE")"
    exec setpriv --reuid "$WORMBASE_USER" --regid "$group" --init-groups "$here/bin/$(basename "$0")" "$@"
}

# Server::Starter holds a lock on its pid file as long as it lives.
running() {
    [ -s "$WORMBASE_PIDFILE" ] && ! flock --nonblock "$WORMBASE_PIDFILE" true
}

answers() {
    perl -MHTTP::Tiny -e \
        'exit(HTTP::Tiny->new(timeout => 2)->get($ARGV[0])->{status} == 599)' \
        "http://127.0.0.1:$WORMBASE_PORT/"
}

# A release that does not load is told with Perl's reason before anything is ended.
check() {
    said=$(perl -MPlack::Util -e 'Plack::Util::load_psgi($ARGV[0])' "$boot" 2>&1 >/dev/null) ||
        fail "$boot does not load: $(echo "$said" | head -n 1)"
}

# await SENTENCE CONDITION: until the condition holds.
await() {
    sentence=$1
    shift
    until_second=$(($(date +%s) + WORMBASE_START_SECONDS))
    until "$@"; do
        [ "$(date +%s)" -lt "$until_second" ] ||
            fail "$sentence within $WORMBASE_START_SECONDS s; see $log"
        sleep 0.05
    done
}

# A Server::Starter that was killed leaves a Starman that keeps the port.
end_leftovers() {
    [ -e "$generations" ] || return 0
    for pid in $(cut -d: -f2 "$generations"); do
        if grep -q '^starman master' "/proc/$pid/cmdline" 2>/dev/null; then
            kill "$pid"
            while [ -d "/proc/$pid" ]; do sleep 0.05; done
        fi
    done
    rm -f "$generations"
}

start() {
    if running; then
        echo "already running"
        return 0
    fi
    end_leftovers
    : >"$log" || fail "$log can not be written"
    cd /
    check
    start_server --daemonize --port="$WORMBASE_PORT" --interval=0 \
        --pid-file="$WORMBASE_PIDFILE" --status-file="$generations" --log-file="$log" \
        --signal-on-hup=QUIT --signal-on-term=TERM -- \
        starman --preload-app --workers="$WORMBASE_WORKERS" --max-requests=100000 \
        --access-log="$(dirname "$boot")/../logs/access.log" "$boot" 2>"$log.start" ||
        fail "$(grep -v '^start_server' "$log.start")"
    await "the webapp did not answer on port $WORMBASE_PORT" answers
}

stop() {
    if running; then
        kill "$(cat "$WORMBASE_PIDFILE")"
        flock --wait "$WORMBASE_START_SECONDS" "$WORMBASE_PIDFILE" true ||
            fail "it did not end within $WORMBASE_START_SECONDS s"
    fi
    end_leftovers
}

newest() {
    cut -d: -f1 "$generations" 2>/dev/null | sort -n | tail -n 1
}

only_newer_than() {
    [ "$(wc -l <"$generations")" = 1 ] && [ "$(newest)" -gt "$1" ]
}

restart() {
    if ! running; then
        start
        return
    fi
    await "Server::Starter did not write $generations" test -s "$generations"
    before=$(newest)
    check
    kill -HUP "$(cat "$WORMBASE_PIDFILE")"
    await "the new Starman did not take over" only_newer_than "$before"
    await "the webapp did not answer on port $WORMBASE_PORT" answers
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
