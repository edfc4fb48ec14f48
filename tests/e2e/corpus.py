# SPDX-License-Identifier: ISC
"""Messages: ordinary ones, reproducible, and hostile ones, each with the
reason why it is here. Lines end in CRLF as on the wire unless that is the
point."""

import base64
import random

WORDS = ("the of and to in is that for it as was with be by on not he this "
         "are or his from at which but have an had they you were mail server "
         "message delivery queue attachment report meeting invoice naïve "
         "Größe смета 報告").split()


def header(rng, i, kind):
    return [
        "Return-Path: <sender%d@example.org>" % (i % 50),
        "Received: from relay%d.example.org ([192.0.2.%d])" % (i, i % 250),
        "\tby mx.example.net with ESMTPS id %012X" % rng.getrandbits(48),
        'From: "Sender %d" <sender%d@example.org>' % (i, i % 50),
        "To: User <user@example.net>",
        "Subject: %s" % " ".join(rng.choices(WORDS[:30], k=4)),
        "Date: Mon, %02d Jan 2024 %02d:00:%02d +0000" % (
            1 + i % 28, i % 24, i % 60),
        "Message-ID: <%d.%08x@example.org>" % (i, rng.getrandbits(32)),
        "MIME-Version: 1.0",
        "Content-Type: " + kind]


def text(rng, lines):
    out = []
    for _ in range(lines):
        k = rng.random()
        if k < 0.02:
            out.append(".")
        elif k < 0.04:
            out.append(".." + rng.choice(WORDS))
        elif k < 0.06:
            out.append("From " + rng.choice(WORDS))
        elif k < 0.12:
            out.append("")
        else:
            out.append(" ".join(rng.choices(WORDS, k=rng.randint(3, 12))))
    return out


def message(i, seed=1, size=None):
    """Number i of a series; every third has an attachment."""
    rng = random.Random(seed * 1000003 + i)
    lines = size // 60 if size else rng.choice((1, 5, 20, 60, 200))
    if i % 3:
        out = header(rng, i, "text/plain; charset=utf-8") + [""]
        out += text(rng, lines)
    else:
        b = "b%08x" % rng.getrandbits(32)
        raw = base64.b64encode(rng.randbytes(57 * lines)).decode()
        out = header(rng, i, 'multipart/mixed; boundary="%s"' % b)
        out += ["", "--" + b, "Content-Type: text/plain", ""]
        out += text(rng, 5)
        out += ["--" + b, "Content-Type: application/octet-stream",
                "Content-Transfer-Encoding: base64", ""]
        out += [raw[k:k + 76] for k in range(0, len(raw), 76)]
        out += ["--" + b + "--"]
    return "\r\n".join(out + [""]).encode()


def messages(n, seed=1, size=None):
    return [message(i, seed, size) for i in range(n)]


H = b"From: a@example.org\r\nSubject: %s\r\nMessage-ID: <%s@hostile>\r\n\r\n"


def with_header(name, body):
    return H % (name, name) + body


def hostile():
    """name -> octets."""
    every = bytes(b for b in range(256) if b not in b"\r\n")
    long_line = b"x" * (10 << 20)
    m = {
        "empty": b"",
        "only-crlf": b"\r\n",
        "headers-only": b"Subject: no end of header\r\nX: y\r\n",
        "headers-only-unfinished": b"Subject: no line end",
        "body-only": b"\r\nno header at all\r\n",
        "no-final-newline": with_header(b"nonl", b"last line without end"),
        "every-octet": with_header(b"octets", every + b"\r\n"),
        "nul": with_header(b"nul", b"a\0b\0\0\r\n\0\r\n\0"),
        "nul-in-header": b"Sub\0ject: x\0y\r\n\r\nbody\r\n",
        "eight-bit-header": b"Subject: \xff\xfe\x80 \xc3\xa4\r\n\r\nx\r\n",
        "bare-cr": with_header(b"cr", b"a\rb\r\rc\r \r\nd\r"),
        "cr-cr-lf": with_header(b"crcrlf", b"a\r\r\nb\r\r\r\n\r\r\n"),
        "lone-dots": with_header(
            b"dots", b".\r\n..\r\n...\r\n.x\r\n. \r\n\r\n.\r\n.\r\n"),
        "final-dot": with_header(b"fdot", b"text\r\n."),
        "from-lines": with_header(
            b"from", b"From me\r\n>From you\r\n\r\nFrom  \r\n"),
        "mbox-in-body": b"From x Mon Jan  1 00:00:00 2024\r\n"
                        b"Subject: mboxed\r\n\r\nFrom y\r\n",
        "imap-talk": with_header(
            b"talk", b")\r\nA0001 OK done\r\n* BYE\r\n* 1 FETCH (UID 1 "
                     b"BODY[] {3}\r\nabc)\r\n+ go\r\n"),
        "pop3-talk": with_header(b"ptalk", b"+OK\r\n-ERR\r\n.\r\n+OK 2\r\n"),
        "long-line": with_header(b"long", long_line + b"\r\nafter\r\n"),
        "long-header-line": b"Subject: " + b"y" * (1 << 20) + b"\r\n\r\nz\r\n",
        "many-header-lines": b"".join(
            b"X-%d: y\r\n" % i for i in range(20000)) + b"\r\nz\r\n",
        "many-newlines": with_header(b"lines", b"\r\n" * 100000),
        "control": with_header(b"esc", b"\x1b]0;title\x07\x1b[2J\x9b1m\r\n"),
        "format": b"Subject: %n%s%x%1$s\r\nMessage-ID: <%n@%s>\r\n\r\n%s\r\n",
        "no-message-id": b"From: b@example.org\r\n\r\nanonymous\r\n",
    }
    # cut where buffers end
    for n in (4095, 4096, 16383, 16384, 65535, 65536):
        body = b"z" * (n - len(with_header(b"edge%d" % n, b"")) - 1)
        m["edge-%d" % n] = with_header(b"edge%d" % n, body) + b"\r\n\r\nq\r\n"
    return m
