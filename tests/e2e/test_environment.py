# SPDX-License-Identifier: ISC
"""What the program is started in: its standard descriptors, its terminal,
signals to all of its group, and the rights of what it starts."""

import contextlib
import os
import pty
import signal
import subprocess

import pytest

import corpus
from haul import CONFIG, MAILHAUL, OK, TEMPFAIL, check, family, names_of, until

IOERR = 74


def shell(haul, words):
    """sh with the redirections of words behind mailhaul's own."""
    p = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" %s' % words, MAILHAUL,
         haul.conf], stdin=subprocess.DEVNULL, capture_output=True,
        env=haul.environ(None), timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def test_what_cannot_be_printed_is_no_success(account, haul):
    account("imap")
    for words in ("check >/dev/full", "check >&-", "--version >/dev/full",
                  "--help >&-"):
        status, _, err = shell(haul, words)
        assert status == IOERR, words
        assert "standard output" in err
    assert shell(haul, "check >/dev/full 2>&-")[0] == IOERR
    # a worse one stays
    haul.write_conf("nonsense")
    assert shell(haul, "check >/dev/full")[0] == CONFIG


def test_closed_standard_descriptors(account, haul):
    for p in ("imap", "pop3"):
        account(p, name=p).box.add(*corpus.messages(5))
    # what is said must go nowhere: not to a socket, not to a message
    haul.globals["log-level"] = "trace"
    haul.write_conf()
    status, out, err = shell(haul, "fetch <&- >&- 2>&-")
    assert (status, out, err) == (OK, "", "")
    for p in ("imap", "pop3"):
        check(haul.maildir(p), corpus.messages(5))
    status, _, err = shell(haul, "fetch <&-")
    assert status == OK and err != ""


def test_no_descriptor_of_ours_is_a_standard_one(fake, haul):
    held = []
    fake("imap", held_session(held))
    p = haul.start(preexec_fn=lambda: [os.close(fd) for fd in range(3)])
    until(lambda: held, what="a connection")
    try:
        for pid in family(p.pid):
            for fd in range(3):
                try:
                    to = os.readlink("/proc/%d/fd/%d" % (pid, fd))
                except PermissionError:
                    pytest.skip("only root may look")
                assert to == "/dev/null", (pid, fd)
    finally:
        p.terminate()
        haul.finish(p)


def held_session(held):
    def session(s, n):
        if n > 0:
            return None
        held.append(1)
        while s.p.more():
            pass
        return True
    return session


def test_a_hangup_of_the_whole_group(fake, haul):
    held = []
    f = fake("imap", held_session(held))
    f.box.add(corpus.message(1))
    p = haul.start(start_new_session=True)
    until(lambda: held, what="a connection")
    until(lambda: len(family(p.pid)) == 3, what="the children")
    os.killpg(p.pid, signal.SIGHUP)
    r = haul.finish(p, timeout=15)
    assert r.status == TEMPFAIL, r
    assert "Hangup" in r.text
    assert "killed" not in r.text, r  # it ended them, in order
    haul.fetch()
    check(f.maildir, [corpus.message(1)])


def on_a_terminal(haul):
    main, other = pty.openpty()
    p = subprocess.Popen(
        [MAILHAUL, "-c", haul.conf, "fetch"], stdin=other, stdout=other,
        stderr=other, env=haul.environ(None))
    os.close(other)
    out = b""
    with contextlib.suppress(OSError):  # it is gone with its last user
        while True:
            data = os.read(main, 65536)
            if not data:
                break
            out += data
    os.close(main)
    return p.wait(), out.decode(errors="replace")


def test_the_last_words_of_the_children_are_shown(fake, haul):
    """On a terminal they come through a pipe, which is not empty yet when
    the account is done."""
    def session(s, n):
        s.greet()
        tag = s.run("LOGOUT*").split(" ")[0]
        s.p.send(b"".join(b"* OK line %d %s\r\n" % (i, b"x" * 300)
                          for i in range(200)))
        s.p.send(b"* BYE\r\n%s OK the last words\r\n" % tag.encode())
        return True

    haul.globals["log-level"] = "trace"
    f = fake("imap", session)
    f.box.add(corpus.message(1))
    for _ in range(3):
        status, out = on_a_terminal(haul)
        assert status == OK, out
        assert "line 199 " in out and "the last words" in out, out[-2000:]


def no_new_privileges(pid):
    with open("/proc/%s/status" % pid) as f:
        for line in f:
            if line.startswith("NoNewPrivs:"):
                return int(line.split()[1])
    raise AssertionError("this kernel does not tell")


def test_a_password_command_may_gain_rights(fake, haul, tmp_path):
    """sudo(8) and setgid helpers are used for that; what reads foreign
    octets, and what it could give work to, may not."""
    if no_new_privileges("self") == 1:
        pytest.skip("we may not gain any ourselves")
    seen = tmp_path / "seen"
    held = []
    fake("imap", held_session(held), password=None, password_command=[
        "/bin/sh", "-c", "grep NoNewPrivs /proc/self/status >%s; "
        "echo s3cret-by-command" % seen])
    p = haul.start()
    until(lambda: held, what="a connection")
    try:
        assert seen.read_text().split() == ["NoNewPrivs:", "0"]
        names = names_of(family(p.pid))
        roles = [pid for pid, name in names.items() if ": " in name]
        assert len(roles) == 2, names
        assert [no_new_privileges(x) for x in roles] == [1, 1]
        assert no_new_privileges(p.pid) == 0
    finally:
        p.terminate()
        haul.finish(p)


PASSWORD = 'pa"ss\\w0rd'


def test_a_server_that_repeats_the_credential(fake, haul):
    """In a greeting of farewell, in the refusal, quoted or not: neither the
    errors nor the trace show it."""
    says = []

    def session(s, n):
        s.greet()
        s.run("LOGIN *")
        for octets in says:
            s.p.send(octets)
        return True

    haul.globals["log-level"] = "trace"
    fake("imap", session, password=PASSWORD, auth="login")
    for octets in (
            [b'* BYE did not understand LOGIN "u" "pa\\"ss\\\\w0rd"\r\n'],
            [b'* BYE what is pa"ss', b'\\w0rd?\r\n'],
            [b'A2 BAD LOGIN "u" "pa\\"ss\\\\w0rd"\r\n'],
            [b"A2 NO cGEic3NcdzByZA==\r\n"]):
        says[:] = octets
        r = haul.fetch(status=None)
        assert r.status != OK, r
        for form in (PASSWORD, 'pa\\"ss', "w0rd", "cGEic3N"):
            assert form not in r.text, r
        assert "(credentials)" in r.text


def test_the_time_that_is_told_is_the_time_that_was_waited(fake, haul):
    def session(s, n):
        s.greet()
        s.run("SELECT *")
        while s.p.more():
            pass
        return True

    fake("imap", session, command_timeout="1s")
    r = haul.fetch(status=None)
    assert "no answer for 1 s (select)" in r.text, r


def test_an_address_with_a_scope(account, haul):
    account("imap", host="fe80::1%eth0")
    r = haul.run(command="check")
    assert r.status == CONFIG and "scope" in r.text
