#!/bin/bash
# lint: every rule of the house that a machine can check. Each step says "ok"
# or what is wrong; all of them run.
set -u
cd "$(dirname "$0")/../.." || exit 1
JOBS=${JOBS:-2}
failed=0

shopt -s nullglob
src=(src/*.c src/*/*.[ch])
tests=(tests/*/*.[ch] tests/*/*/*.[ch])
programs=(src/*.c src/*/*.c)
pages=(man/*.[1-9])
flags=(-std=c11 -D_GNU_SOURCE -DMAILHAUL_CRASH_POINTS -Isrc -Itests
	'-DMAILHAUL_VERSION="0"')
read -r -a pkg <<<"${PKG_CFLAGS:-}"

step() { # name command...
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "lint: $name: ok"
	else
		echo "lint: $name: FAILED"
		printf '%s\n' "$out"
		failed=1
	fi
}

one_tidy() {
	clang-tidy --quiet --warnings-as-errors='*' "$@" -- "${flags[@]}" \
		"${pkg[@]}" 2>&1 | grep -v '^[0-9]* warnings\? generated'
	return "${PIPESTATUS[0]}"
}

tidy() {
	local status=0 i n=4 running=0
	for ((i = 0; i < ${#programs[@]}; i += n)); do
		one_tidy "${programs[@]:i:n}" &
		running=$((running + 1))
		if [ "$running" -ge "$JOBS" ]; then
			wait -n || status=1
			running=$((running - 1))
		fi
	done
	while [ "$running" -gt 0 ]; do
		wait -n || status=1
		running=$((running - 1))
	done
	return $status
}

check() {
	# the list macros, which cppcheck does not find by itself
	local queue
	queue=$(echo '#include <sys/queue.h>' | "${CC:-cc}" -E -H - 2>&1 >/dev/null |
		sed -n 's/^\. //p' | head -n 1)
	cppcheck --include="$queue" --quiet --std=c11 --language=c -j "$JOBS" --inline-suppr \
		--enable=warning,performance,portability --error-exitcode=1 \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		-D_GNU_SOURCE -D__linux__ -DMAILHAUL_CRASH_POINTS \
		'-DMAILHAUL_VERSION="0"' -Isrc src
}

# Options without an entry of their own and an example.
undocumented() {
	local name page=man/mailhaul.conf.5
	sed -n 's/^\t{ "\([a-z0-9-]*\)", .*/\1/p' \
		src/conf/conf_options.c src/conf/conf_oauth2.c |
		while read -r name; do
			grep -q "^\.It Ic $name\$" "$page" &&
				grep -q "^\.Dl $name = " "$page" ||
				echo "$page: $name: no entry, or no example"
		done
}

manual() {
	local out
	# whether the other pages are installed here does not matter
	out=$(mandoc -T lint "${pages[@]}" 2>&1 |
		grep -v 'referenced manual not found\|outdated mandoc.db')
	out+=$(undocumented)
	[ -z "$out" ] || { echo "$out"; return 1; }
}

step layers awk -f tests/lint/layers.awk tests/lint/layers.txt "${src[@]}"
step headers tests/lint/headers.sh
step banned awk -f tests/lint/banned.awk tests/lint/banned.txt \
	"${src[@]}" "${tests[@]}"
step mirror tests/lint/mirror.sh
step style tests/lint/style.sh
step clang-format clang-format --dry-run -Werror "${src[@]}" "${tests[@]}"
step manual manual
step cppcheck check
step clang-tidy tidy
exit $failed
