#!/bin/bash
# Every header compiles alone, and twice.
set -u
O=$(mktemp -d) || exit 1
trap 'rm -rf "$O"' EXIT
status=0
for h in src/*/*.h; do
	guard=MAILHAUL_$(echo "${h#src/}" | sed 's,[/.],_,g' | tr a-z A-Z)
	grep -q "^#ifndef ${guard}\$" "$h" || {
		echo "$h: the guard is not $guard"
		status=1
	}
	printf '#include "%s"\n' "${h#src/}" "${h#src/}" >"$O/h.c"
	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Isrc \
		${PKG_CFLAGS:-} -fsyntax-only "$O/h.c" || status=1
done
exit $status
