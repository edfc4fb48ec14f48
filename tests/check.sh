#!/bin/bash
# check.sh unit PROGRAM... | e2e | all PROGRAM...: run tests, say how they went, and
# end with "N passed, M failed". O has what was built. Also for scripts: the
# figures of each run are added to the file $COUNTS when that is set.
set -u
O=${O:-build/debug}
JOBS=${JOBS:-2}
PYTHON=${PYTHON:-/usr/bin/python3}
export O
passed=0
failed=0

count() { # what passed failed
	printf '%s: %d passed, %d failed\n' "$@"
	passed=$((passed + $2))
	failed=$((failed + $3))
}

# One unit program; its output only if something is wrong.
one() {
	local log=$1.log ok bad status
	timeout -k 5 300 "$1" >"$log" 2>&1 </dev/null
	status=$?
	ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
	bad=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log" | tail -n 1)
	# a program that died has failed, whatever it had passed
	[ "$status" -eq 0 ] || [ "${bad:-0}" -gt 0 ] || bad=1
	if [ "${bad:-0}" -gt 0 ]; then
		echo "---- $1: exit status $status" >&2
		grep -v '^\[ RUN \|^\[       OK' "$log" >&2
	fi
	echo "${ok:-0} ${bad:-0}"
}
export -f one

unit() {
	local ok bad
	read -r ok bad < <(printf '%s\n' "$@" |
		xargs -r -P "$JOBS" -n 1 bash -c 'one "$0"' |
		awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }')
	count "unit ($# programs)" "$ok" "$bad"
}

# One more at a time than there are processors: they often wait.
e2e() {
	local sum=$O/tests/e2e.sum ok bad
	mkdir -p "$O/tests"
	rm -f "$sum"
	MAILHAUL=${MAILHAUL:-$O/mailhaul} E2E_SUM=$sum PYTHONDONTWRITEBYTECODE=1 \
		bash -c '"$0" -m pytest -q -p no:cacheprovider -n "$1" \
			'"${E2E_ARGS:-}"' tests/e2e' "$PYTHON" "$((JOBS + 1))" </dev/null
	read -r ok bad 2>/dev/null <"$sum" || { ok=0 bad=1; }
	count e2e "$ok" "$bad"
}

what=$1
shift
[ "$what" = e2e ] || unit "$@"
[ "$what" = unit ] || e2e
[ -z "${COUNTS:-}" ] || echo "$passed $failed" >>"$COUNTS"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
