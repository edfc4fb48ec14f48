# SPDX-License-Identifier: ISC
"""The trouble of one account is not that of another."""

import corpus
from haul import check


def test_certificates_that_make_no_sense(fake, haul, tmp_path):
    pem = tmp_path / "broken.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n"
                   "-----END CERTIFICATE-----\n")
    fake("imap", name="bad", tls="implicit", tls_ca_file=str(pem))
    good = fake("imap", name="good")
    good.box.add(corpus.message(1))
    r = haul.fetch(status=78)
    assert "bad: error:" in r.text and "tls-ca-file" in r.text
    assert "good: error:" not in r.text
    check(good.maildir, good.box.octets())
