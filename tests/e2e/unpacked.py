# SPDX-License-Identifier: ISC
"""Servers that cannot be installed beside Dovecot: "make deps" has unpacked
them here. What they need to run from there, and in a directory of their
own."""

import glob
import os

import haul

ROOT = "/var/cache/mailhaul-tests"
PRIVATE = os.path.join(haul.BUILD, "tests", "e2e", "private.so")


def program(path):
    """The same path, if it can be run."""
    if not os.access(path, os.X_OK):
        raise RuntimeError("there is no %s: make deps" % path)
    if not os.access(PRIVATE, os.X_OK):
        raise RuntimeError("there is no %s: make e2e" % PRIVATE)
    return path


def found(top, *patterns):
    return [f for p in patterns for f in glob.glob(os.path.join(top, p))]


def environ(directory, **more):
    """Of a server whose things are in this directory."""
    libs = found(ROOT, "usr/lib", "usr/lib/*-linux-gnu*", "lib/*-linux-gnu*")
    sasl = [f for d in ["/usr/lib"] + libs
            for f in found(d, "sasl2", "*-linux-gnu*/sasl2")]
    return dict(
        PATH="/usr/sbin:/usr/bin:/sbin:/bin",
        LD_LIBRARY_PATH=":".join(libs),
        LD_PRELOAD=PRIVATE,
        SASL_PATH=":".join(sasl),
        MAILHAUL_AUTHDAEMON=os.path.join(directory, "authdaemon"),
        MAILHAUL_SYSLOG=os.path.join(directory, "log"),
        **more)
