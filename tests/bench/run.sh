#!/bin/bash
# make bench: MAILHAUL (a release binary) against its peers, one line per
# figure. The harness and the peers are in a directory of their own, $BENCH
# (default ../shared/bench); it needs root and the packages its README names.
# BENCH_STEPS picks from: small small1k rtt big poll accts memory idle delivery
# (that one needs no harness: delivery.py). The figures are kept in build/bench/, with
# those of the run before, to compare.
set -u
cd "$(dirname "$0")/../.." || exit 1
HERE=$PWD/tests/bench
BENCH=${BENCH:-$PWD/../shared/bench}
PYTHON=${PYTHON:-/usr/bin/python3}
MAILHAUL=$(realpath "${MAILHAUL:-build/release/mailhaul}")
D=${BENCH_DIR:-/var/tmp/mailhaul-bench}
OUT=$PWD/build/bench
RUNS=${RUNS:-3}
CLIENTS=${BENCH_CLIENTS:-ideal,mpop,mbsync,fdm,getmail,fetchmail-procmail,mailhaul}
FAST=${BENCH_CLIENTS:-ideal,mpop,mbsync,fdm,mailhaul}
export MAILHAUL PYTHONDONTWRITEBYTECODE=1

if [ "${BENCH_STEPS:-}" = delivery ]; then
	exec "$PYTHON" "$HERE/delivery.py" "$MAILHAUL" "$RUNS"
fi
if [ ! -r "$BENCH/run.py" ]; then
	cat <<-END
	bench: no harness at $BENCH
	It starts a private Dovecot, fills mailboxes and runs mailhaul and its
	peers in turn. Say where it is: make bench BENCH=/path/to/bench
	END
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "bench: the harness needs root: it runs each client as another user"
	exit 1
fi

py() {
	(cd "$BENCH" && "$PYTHON" "$@")
}

corpus() {
	[ -e "$D/pristine/$1" ] || py corpus.py "$D" "$1" || exit 1
}

run() { # name arguments...
	local name=$1
	shift
	[ ! -e "$OUT/$name.jsonl" ] ||
		mv "$OUT/$name.jsonl" "$OUT/$name.old.jsonl"
	py run.py --dir "$D" --runs "$RUNS" --out "$OUT/$name.jsonl" "$@" \
		>"$OUT/$name.log" 2>&1 || tail -n 20 "$OUT/$name.log"
	echo "== $name"
	py run.py --report "$OUT/$name.jsonl"
}

# The peak of all processes together: a message of 100 MB, and 100,000 messages.
memory() {
	local c proto conf confs=()
	local work=$D/memory
	rm -rf "$work"
	mkdir -p "$work"
	for c in big tiny; do
		corpus "$c"
		py -c 'import json, lib, sys
lib.restore(json.load(open(sys.argv[1] + "/env.json")), sys.argv[2])' "$D" "$c"
		chown -R "${BENCH_UID:-5000}" "$D/mail/$c"
		for proto in imap pop3; do
			conf=$work/$c-$proto.conf
			port=$("$PYTHON" -c 'import json, sys
print(json.load(open(sys.argv[1] + "/env.json"))[sys.argv[2] + "s"])' "$D" $proto)
			(umask 077 && cat >"$conf" <<-END
			state-dir = "$work/$c-$proto.state"
			account $c {
			    protocol = $proto
			    host = localhost
			    port = $port
			    tls-ca-file = "$D/tls/ca.pem"
			    user = $c
			    password = secret
			    maildir = "$work/$c-$proto.Maildir"
			}
			END
			)
			confs+=("$conf")
		done
	done
	echo "== memory"
	"$PYTHON" "$HERE/memory.py" "$MAILHAUL" "${confs[@]}"
	rm -rf "$work"
}

mkdir -p "$OUT"
if ! "$BENCH/server.sh" status "$D" >/dev/null 2>&1; then
	trap '"$BENCH/server.sh" stop "$D" >/dev/null' EXIT
	"$BENCH/server.sh" start "$D" || exit 1
fi
for step in ${BENCH_STEPS:-small rtt poll memory delivery}; do
	case $step in
	small) corpus small; run small --corpus small --clients "$CLIENTS" ;;
	small1k) corpus small1k; run small1k --corpus small1k --clients "$FAST" ;;
	rtt) corpus small1k; run rtt --corpus small1k --rtt 50 --clients "$FAST" ;;
	big) corpus big; run big --corpus big --clients "$FAST" ;;
	poll) corpus tiny; run poll --corpus tiny --mode poll --clients "$FAST" ;;
	accts) corpus accts; run accts --corpus accts:50 --clients "$FAST" ;;
	memory) memory ;;
	idle) "$PYTHON" "$HERE/idle.py" "$BENCH" "$D" memory flood latency ;;
	delivery) "$PYTHON" "$HERE/delivery.py" "$MAILHAUL" "$RUNS" ;;
	*) echo "bench: there is no step $step"; exit 1 ;;
	esac
done
