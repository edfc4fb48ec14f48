#!/bin/bash
# make bench: MAILHAUL (a release binary) against its peers, one line per
# figure. The harness and the peers are in a directory of their own, $BENCH
# (default ../shared/bench); it needs root and the packages its README names.
# BENCH_STEPS picks: small1k poll small rtt big accts. The last run is kept in
# build/bench/ to compare with.
set -u
cd "$(dirname "$0")/../.." || exit 1
BENCH=${BENCH:-$PWD/../shared/bench}
PYTHON=${PYTHON:-/usr/bin/python3}
MAILHAUL=$(realpath "${MAILHAUL:-build/release/mailhaul}")
export MAILHAUL
D=${BENCH_DIR:-/var/tmp/mailhaul-bench}
OUT=$PWD/build/bench
RUNS=${RUNS:-3}
CLIENTS=${BENCH_CLIENTS:-ideal,mpop,mbsync,fdm,mailhaul}

if [ ! -x "$BENCH/run.py" ] && [ ! -r "$BENCH/run.py" ]; then
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

mkdir -p "$OUT"
trap '"$BENCH/server.sh" stop "$D" >/dev/null' EXIT
"$BENCH/server.sh" start "$D" || exit 1
run() { # name arguments...
	local name=$1
	shift
	[ ! -e "$OUT/$name.jsonl" ] || mv "$OUT/$name.jsonl" "$OUT/$name.old.jsonl"
	(cd "$BENCH" && PYTHONDONTWRITEBYTECODE=1 "$PYTHON" run.py --dir "$D" \
		--runs "$RUNS" --out "$OUT/$name.jsonl" "$@") >"$OUT/$name.log" 2>&1 ||
		tail -n 20 "$OUT/$name.log"
	echo "bench: $name"
	(cd "$BENCH" && "$PYTHON" run.py --report "$OUT/$name.jsonl")
}
corpus() {
	[ -e "$D/pristine/$1" ] ||
		(cd "$BENCH" && "$PYTHON" corpus.py "$D" "$1") || exit 1
}

for step in ${BENCH_STEPS:-small1k poll}; do
	case $step in
	small1k) corpus small1k; run small1k --corpus small1k --clients "$CLIENTS" ;;
	small) corpus small; run small --corpus small --clients "$CLIENTS" ;;
	rtt) corpus small1k; run rtt --corpus small1k --rtt 50 --clients "$CLIENTS" ;;
	big) corpus big; run big --corpus big --clients "$CLIENTS" ;;
	poll) corpus tiny; run poll --corpus tiny --mode poll --clients "$CLIENTS" ;;
	accts) corpus accts; run accts --corpus accts:50 --clients "$CLIENTS" ;;
	*) echo "bench: there is no step $step"; exit 1 ;;
	esac
done
