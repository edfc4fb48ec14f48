#!/bin/bash
# What clang-format cannot see: a licence line on top, no unfinished work.
status=0
for f in src/*.c src/*/*.[ch] tests/*/*/*.[ch] tests/*/*.[ch]; do
	[ -e "$f" ] || continue
	[ "$(head -n 1 "$f")" = "/* SPDX-License-Identifier: ISC */" ] || {
		echo "$f:1: no licence line"
		status=1
	}
	if grep -nE '\<(TODO|FIXME|XXX)\>' "$f" /dev/null; then
		status=1
	fi
done
exit $status
