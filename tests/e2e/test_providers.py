# SPDX-License-Identifier: ISC
"""The examples of mailhaul-providers(7): each is a whole configuration."""

import os
import re

from haul import OK, TOP

PAGE = os.path.join(TOP, "man", "mailhaul-providers.7")


def examples():
    """(section, text) of each, as the page shows them."""
    with open(PAGE) as f:
        page = f.read()
    out, section = [], ""
    for part in re.finditer(
            r"^\.Sh ([^\n]+)$|^\.Bd -literal\n(.*?)^\.Ed$", page,
            re.M | re.S):
        if part[1]:
            section = part[1]
        else:
            out.append((section, part[2]))
    return out


def test_every_example_can_be_used_as_it_is(haul):
    found = examples()
    assert not any("\\" in text for _, text in found), "roff in an example"
    for section, text in found:
        haul.write_conf(text)
        r = haul.fetch(command="check", status=None)
        assert r.status == OK, "%s:\n%s%r" % (section, text, r)
        named = re.findall(r"^account (\S+) \{$", text, re.M)
        assert named, text
        for name in named:
            assert re.search("^%s: (imap|pop3) .* -> " % name, r.out, re.M)


def test_every_provider_has_one(haul):
    with open(PAGE) as f:
        sections = re.findall(r"^\.Sh (.+)$", f.read(), re.M)
    shown = {section for section, _ in examples()}
    assert len(shown) >= 10
    assert set(sections) - shown == {"NAME", "DESCRIPTION", "SEE ALSO"}
