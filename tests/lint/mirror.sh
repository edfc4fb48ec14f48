#!/bin/sh
# Every source file of these rooms has its unit test, and no test is without
# its source.
status=0
for room in util sys proto io conf ledger deliver session fetch sched; do
	for c in src/$room/*.c; do
		[ -e "$c" ] || continue
		t=tests/unit/$room/$(basename "$c" .c)_test.c
		[ -e "$t" ] || { echo "$c: no $t"; status=1; }
	done
done
for t in tests/unit/*/*_test.c; do
	[ -e "$t" ] || continue
	c=src/${t#tests/unit/}
	c=${c%_test.c}
	[ -e "$c.c" ] || [ -e "$c.h" ] || { echo "$t: no $c.c"; status=1; }
done
exit $status
