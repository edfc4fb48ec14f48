#!/bin/bash
# fuzz.sh PROGRAM...: each fuzz target for $T seconds from its corpus, with its
# dictionary. What it learns goes to $O/tests/fuzz/found/, not into the tree;
# an input that breaks something stays in $O/tests/fuzz/crashes/.
set -u
O=${O:-build/fuzz}
T=${T:-60}
JOBS=${JOBS:-2}
export O T
mkdir -p "$O/tests/fuzz/crashes"

one() {
	local name found dict=() log status
	name=${1#"$O"/tests/fuzz/}
	name=${name%_fuzz}
	name=${name//\//_}
	found=$O/tests/fuzz/found/$name
	log=$O/tests/fuzz/$name.log
	mkdir -p "$found"
	[ ! -e "tests/fuzz/$name.dict" ] || dict=("-dict=tests/fuzz/$name.dict")
	"$1" -max_total_time="$T" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
		-artifact_prefix="$O/tests/fuzz/crashes/$name-" \
		-print_final_stats=1 "${dict[@]}" "$found" \
		"tests/fuzz/corpus/$name" >"$log" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ]; then
		echo "fuzz $name: ok, $(sed -n \
			's/^stat::number_of_executed_units: *//p' "$log") runs"
	else
		echo "fuzz $name: FAILED, exit status $status"
		tail -n 40 "$log"
	fi
	return $status
}
export -f one

[ $# -gt 0 ] || { echo "fuzz: no targets" >&2; exit 1; }
printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 bash -c 'one "$0"'
