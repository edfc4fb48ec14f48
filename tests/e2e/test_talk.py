# SPDX-License-Identifier: ISC
"""Every talks/*.talk, see talk.py."""

import glob
import os

import pytest

import talk

FILES = sorted(glob.glob(os.path.join(os.path.dirname(__file__),
                                      "talks", "*.talk")))


@pytest.mark.parametrize(
    "path", FILES, ids=[os.path.basename(f)[:-5] for f in FILES])
def test_talk(path, haul, certs):
    talk.Player(talk.Story(path), haul, certs).play()
