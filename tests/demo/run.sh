#!/bin/sh
# make demo: a two-minute tour on loopback; see demo.py.
exec env PYTHONDONTWRITEBYTECODE=1 "${PYTHON:-/usr/bin/python3}" \
	"$(dirname "$0")/demo.py"
