# SPDX-License-Identifier: ISC
"""Small IMAP and POP3 servers that do what they are told: correct by
themselves, with hooks for every kind of misbehaviour, and exact about octets
(real servers replace NULs, add line ends, and never break the protocol)."""

import base64
import fnmatch
import re
import selectors
import socket
import ssl
import struct
import threading

USER = "alice@example.org"
PASSWORD = "s3cret-Pa55"


class Cut(Exception):
    """The connection ends here, on purpose."""


class Peer:
    """One connection, seen from the server. Everything heard is kept:
    .clear before TLS, .heard in all."""

    def __init__(self, sock, server):
        self.sock, self.server = sock, server
        self.pending = b""
        self.clear, self.heard = b"", b""
        self.tls = False
        self.cut_after = None  # so many octets are sent, then it ends
        self.cut_how = "fin"
        self.sent = 0
        if server.implicit:
            self.start_tls()

    def start_tls(self):
        assert self.pending == b"", "octets behind STARTTLS"
        self.sock = self.server.context.wrap_socket(
            self.sock, server_side=True)
        self.tls = True

    def send(self, data):
        if self.cut_after is not None and \
                self.sent + len(data) >= self.cut_after:
            data = data[:self.cut_after - self.sent]
            self.sock.sendall(data)
            self.sent += len(data)
            self.drop(self.cut_how)
        self.sock.sendall(data)
        self.sent += len(data)

    def drop(self, how="fin"):
        if how == "reset":
            s = self.sock
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
        elif self.pending == b"":
            # a close with input unread would be a reset
            self.sock.settimeout(0.02)
            try:
                self.sock.shutdown(socket.SHUT_WR)
                while self.sock.recv(65536):
                    pass
            except (OSError, ValueError):
                pass
        raise Cut()

    def more(self):
        data = self.sock.recv(65536)
        self.heard += data
        if not self.tls:
            self.clear += data
        self.pending += data
        return data

    def line(self):
        """The next line without its CRLF; None at the end."""
        while b"\r\n" not in self.pending:
            if not self.more():
                return None
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line.decode("latin-1")

    def octets(self, n):
        while len(self.pending) < n:
            if not self.more():
                raise Cut()
        data, self.pending = self.pending[:n], self.pending[n:]
        return data


class Server:
    """Listens on free ports of 127.0.0.1; serve(peer, number) is called in a
    thread for each connection."""

    def __init__(self, serve, certs=None, implicit=False, ports=1):
        self.serve, self.implicit = serve, implicit
        self.context = None
        if certs is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(
                certs + "/server.pem", certs + "/server.key")
        self.selector = selectors.DefaultSelector()
        self.listeners = []
        for _ in range(ports):
            s = self.listener()
            self.selector.register(s, selectors.EVENT_READ)
            self.listeners.append(s)
        if self.listeners[0].family == socket.AF_INET:
            self.ports = [s.getsockname()[1] for s in self.listeners]
            self.port = self.ports[0]
        self.peers, self.threads, self.errors = [], [], []
        self.lock = threading.Lock()
        self.counts = {}
        self.stopped = False
        self.wake_r, self.wake_w = socket.socketpair()
        self.selector.register(self.wake_r, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def listener(self):
        return socket.create_server(("127.0.0.1", 0), backlog=128)

    def accept(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake_r:
                    return
                try:
                    sock, _ = key.fileobj.accept()
                except OSError:
                    continue
                t = threading.Thread(
                    target=self.one, daemon=True, args=(
                        sock, self.listeners.index(key.fileobj)))
                self.threads.append(t)
                t.start()

    def one(self, sock, index):
        peer = None
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self.lock:
                number = self.counts.get(index, 0)
                self.counts[index] = number + 1
            peer = Peer(sock, self)
            peer.index = index
            self.peers.append(peer)
            self.serve(peer, number)
        except (Cut, OSError):
            pass
        except Exception as e:  # a test wants to know
            self.errors.append(e)
        finally:
            try:
                (peer.sock if peer else sock).close()
            except OSError:
                pass

    def stop(self):
        if self.stopped:
            return
        self.stopped = True
        self.wake_w.send(b"x")
        self.thread.join()
        for s in self.listeners:
            s.close()
        for p in self.peers:  # whoever still waits sees the end
            try:
                p.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for t in self.threads:
            t.join(5)
        self.selector.close()
        self.wake_r.close()
        self.wake_w.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None and self.errors:
            raise self.errors[0]

    def heard(self):
        return b"".join(p.heard for p in self.peers)


def secrets_in(data, password=PASSWORD, user=USER):
    """The ways in which a credential shows in octets."""
    forms = [password.encode()]
    plain = ("\0%s\0%s" % (user, password)).encode()
    forms.append(base64.b64encode(plain))
    forms.append(base64.b64encode(password.encode()).rstrip(b"="))
    return [f for f in forms if f in data]


class Mail:
    def __init__(self, number, octets):
        self.number, self.octets, self.flags = number, octets, set()
        self.uidl = "uidl-%d" % number


class Box:
    def __init__(self, uidvalidity=1, mails=None):
        self.uidvalidity = uidvalidity
        self.mails = []
        self.next = 1
        for octets in mails or []:
            self.add(octets)

    def add(self, octets, number=None):
        number = number or self.next
        self.next = max(self.next, number + 1)
        m = Mail(number, octets)
        self.mails.append(m)
        return m

    def octets(self):
        return [m.octets for m in self.mails]


class Imap:
    """One session. .capa and .capa_after are what it offers."""

    CAPA = "IMAP4rev1 SASL-IR ID LITERAL+ UIDPLUS IDLE"

    def __init__(self, peer, boxes, capa=None, starttls=False,
                 password=PASSWORD, user=USER):
        self.p, self.boxes = peer, boxes
        self.capa = self.CAPA if capa is None else capa
        self.starttls = starttls
        self.password, self.user = password, user
        self.box, self.seen = None, []
        self.logged_in = False
        self.greeted = False
        self.asked = []
        self.refuse_login = "NO [AUTHENTICATIONFAILED] Not you"

    def capabilities(self):
        extra = ""
        if self.starttls and not self.p.tls:
            extra = " STARTTLS LOGINDISABLED"
        elif not self.logged_in:
            extra = " AUTH=PLAIN"
        return self.capa + extra

    def greet(self, text="* OK ready"):
        self.greeted = True
        self.say(text)

    def say(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.p.send(text + b"\r\n")

    def command(self):
        """The next whole command with its literals: (tag, words)."""
        line = self.p.line()
        if line is None:
            return None
        full = line
        while True:
            m = re.search(r"\{(\d+)(\+?)\}$", line)
            if not m:
                break
            if not m.group(2):
                self.say("+ go on")
            octets = self.p.octets(int(m.group(1))).decode("latin-1")
            line = self.p.line() or ""
            full = full[:full.rindex("{")] + self.quote(octets) + line
        return full

    @staticmethod
    def quote(s):
        return '"%s"' % s.replace("\\", "\\\\").replace('"', '\\"')

    @staticmethod
    def words(text):
        out = []
        for m in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', text):
            out.append(re.sub(r"\\(.)", r"\1", m.group(1))
                       if m.group(2) is None else m.group(2))
        return out

    def run(self, until=None):
        """Answers commands; a line that matches the pattern is not answered
        but returned. None: the client has gone."""
        while True:
            full = self.command()
            if full is None:
                return None
            self.asked.append(full)
            if until and fnmatch.fnmatchcase(
                    full.split(" ", 1)[-1].upper(), until.upper()):
                return full
            if not self.answer(full):
                return None

    def answer(self, full):
        tag, _, rest = full.partition(" ")
        verb = rest.split(" ")[0].upper() if rest else ""
        args = rest[len(verb):].strip()
        if verb == "UID":
            verb = "UID_" + args.split(" ")[0].upper()
            args = args[len(verb) - 4:].strip()
        do = getattr(self, "do_" + verb.lower(), None)
        if do is None:
            self.say(tag + " BAD what?")
            return True
        return do(tag, args) is not False

    def do_capability(self, tag, args):
        self.say("* CAPABILITY " + self.capabilities())
        self.say(tag + " OK done")

    def do_noop(self, tag, args):
        self.say(tag + " OK done")

    do_check = do_noop

    def do_id(self, tag, args):
        self.say('* ID ("name" "model")')
        self.say(tag + " OK done")

    def do_starttls(self, tag, args):
        self.say(tag + " OK begin")
        self.p.start_tls()

    def do_login(self, tag, args):
        self.login(tag, *(self.words(args) + ["", ""])[:2])

    def login(self, tag, user, password):
        if (user, password) == (self.user or user, self.password):
            self.logged_in = True
            self.who = user
            self.say(tag + " OK logged in")
        else:
            self.say(tag + " " + self.refuse_login)

    def do_authenticate(self, tag, args):
        words = args.split()
        if words[0].upper() != "PLAIN":
            self.say(tag + " NO only PLAIN")
            return
        if len(words) < 2:
            self.say("+ ")
            words.append(self.p.line() or "")
        plain = base64.b64decode(words[1]).decode()
        self.login(tag, *plain.split("\0")[1:3])

    def do_logout(self, tag, args):
        self.say("* BYE bye")
        self.say(tag + " OK done")
        return False

    def do_list(self, tag, args):
        for name in self.boxes:
            self.say('* LIST () "/" %s' % self.quote(name))
        self.say(tag + " OK done")

    def do_status(self, tag, args):
        name = self.words(args)[0]
        b = self.boxes[name]
        self.say("* STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)" % (
            self.quote(name), len(b.mails), b.next, b.uidvalidity))
        self.say(tag + " OK done")

    def do_select(self, tag, args):
        name = self.words(args)[0]
        if name not in self.boxes:
            self.say(tag + " NO [NONEXISTENT] no such mailbox")
            return
        self.box = self.boxes[name]
        self.seen = list(self.box.mails)
        self.say("* FLAGS (\\Deleted \\Seen)")
        self.say("* %d EXISTS" % len(self.seen))
        self.say("* 0 RECENT")
        self.say("* OK [UIDVALIDITY %d] ok" % self.box.uidvalidity)
        self.say("* OK [UIDNEXT %d] ok" % self.box.next)
        self.say(tag + " OK [READ-WRITE] done")

    do_examine = do_select

    def do_close(self, tag, args):
        self.expunge([m for m in self.seen if "\\Deleted" in m.flags], True)
        self.box = None
        self.say(tag + " OK done")

    def do_unselect(self, tag, args):
        self.box = None
        self.say(tag + " OK done")

    def chosen(self, text):
        last = self.seen[-1].number if self.seen else 0
        out = []
        ranges = []
        for part in text.split(","):
            a, _, b = part.partition(":")
            lo, hi = [last if x == "*" else int(x) for x in (a, b or a)]
            ranges.append((min(lo, hi), max(lo, hi)))
        for m in self.seen:
            if any(lo <= m.number <= hi for lo, hi in ranges):
                out.append(m)
        return out

    def do_uid_search(self, tag, args):
        found = list(self.seen)
        words = args.upper().split()
        if "UID" in words:
            words = words[words.index("UID") + 1:]
        for w in words:
            if re.fullmatch(r"[\d:,*]+", w):
                found = [m for m in found if m in self.chosen(w)]
            elif w == "DELETED":
                found = [m for m in found if "\\Deleted" in m.flags]
        self.say("* SEARCH" + "".join(" %d" % m.number for m in found))
        self.say(tag + " OK done")

    def do_uid_fetch(self, tag, args):
        which, _, items = args.partition(" ")
        for m in self.chosen(which):
            self.fetched(m, items)
        self.say(tag + " OK done")

    def fetched(self, m, items):
        head = m.octets.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
        out = b"* %d FETCH (UID %d" % (self.seen.index(m) + 1, m.number)
        up = items.upper()
        if "RFC822.SIZE" in up:
            out += b" RFC822.SIZE %d" % len(m.octets)
        if "FLAGS" in up:
            out += b" FLAGS (%s)" % " ".join(m.flags).encode()
        if "INTERNALDATE" in up:
            out += b' INTERNALDATE "01-Jan-2024 00:00:00 +0000"'
        fields = re.search(r"HEADER\.FIELDS \(([^)]*)\)", up)
        if fields:
            data = self.only(head, fields.group(1).split())
            out += b" BODY[HEADER.FIELDS (%s)] {%d}\r\n" % (
                fields.group(1).encode(), len(data)) + data
        elif "BODY[HEADER]" in up or "BODY.PEEK[HEADER]" in up:
            out += b" BODY[HEADER] {%d}\r\n" % len(head) + head
        elif "[]" in up:
            out += b" BODY[] {%d}\r\n" % len(m.octets) + m.octets
        self.say(out + b")")

    @staticmethod
    def only(head, names):
        out, keep = b"", False
        for line in head.split(b"\r\n"):
            if not line.startswith((b" ", b"\t")):
                keep = line.split(b":")[0].strip().decode(
                    "latin-1").upper() in names
            if keep and line:
                out += line + b"\r\n"
        return out + b"\r\n"

    def do_uid_store(self, tag, args):
        which, _, rest = args.partition(" ")
        for m in self.chosen(which):
            if "\\DELETED" in rest.upper():
                m.flags.add("\\Deleted")
            if ".SILENT" not in rest.upper():
                self.say("* %d FETCH (UID %d FLAGS (%s))" % (
                    self.seen.index(m) + 1, m.number, " ".join(m.flags)))
        self.say(tag + " OK done")

    def expunge(self, mails, quiet=False):
        for m in mails:
            if m not in self.seen:
                continue
            if not quiet:
                self.say("* %d EXPUNGE" % (self.seen.index(m) + 1))
            self.seen.remove(m)
            if m in self.box.mails:
                self.box.mails.remove(m)

    def do_uid_expunge(self, tag, args):
        self.expunge([m for m in self.chosen(args) if "\\Deleted" in m.flags])
        self.say(tag + " OK done")

    def do_expunge(self, tag, args):
        self.expunge([m for m in self.seen if "\\Deleted" in m.flags])
        self.say(tag + " OK done")


class Pop3:
    """One session on a Box."""

    CAPA = "TOP\nUIDL\nRESP-CODES\nPIPELINING\nUSER\nSASL PLAIN"

    def __init__(self, peer, box, capa=None, starttls=False,
                 password=PASSWORD, user=USER, uidl=True):
        self.p, self.box = peer, box
        self.capa = self.CAPA if capa is None else capa
        self.starttls, self.uidl = starttls, uidl
        self.password, self.user = password, user
        self.mails = list(box.mails)
        self.deleted = []
        self.name = ""
        self.greeted = False
        self.asked = []
        self.refuse_login = "-ERR [AUTH] Not you"

    def greet(self, text="+OK ready"):
        self.greeted = True
        self.say(text)

    def say(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.p.send(text + b"\r\n")

    def run(self, until=None):
        while True:
            line = self.p.line()
            if line is None:
                return None
            self.asked.append(line)
            if until and fnmatch.fnmatchcase(line.upper(), until.upper()):
                return line
            verb, _, args = line.partition(" ")
            do = getattr(self, "do_" + verb.lower(), None)
            if do is None:
                self.say("-ERR what?")
            elif do(args) is False:
                return None

    def many(self, lines):
        self.say("\r\n".join(["+OK"] + list(lines) + ["."]))

    def do_capa(self, args):
        lines = [c for c in self.capa.split("\n") if c]
        if not self.uidl:
            lines = [c for c in lines if c != "UIDL"]
        if self.starttls and not self.p.tls:
            lines.append("STLS")
        self.many(lines)

    def do_stls(self, args):
        self.say("+OK begin")
        self.p.start_tls()

    def login(self, user, password):
        if (user, password) == (self.user or user, self.password):
            self.who = user
            self.say("+OK logged in")
        else:
            self.say(self.refuse_login)

    def do_user(self, args):
        self.name = args
        self.say("+OK")

    def do_pass(self, args):
        self.login(self.name, args)

    def do_auth(self, args):
        words = args.split()
        if words[:1] != ["PLAIN"]:
            self.say("-ERR only PLAIN")
            return
        if len(words) < 2:
            self.say("+ ")
            words.append(self.p.line() or "")
        plain = base64.b64decode(words[1]).decode()
        self.login(*plain.split("\0")[1:3])

    def alive(self):
        return [(i + 1, m) for i, m in enumerate(self.mails)
                if m not in self.deleted]

    def do_stat(self, args):
        a = self.alive()
        self.say("+OK %d %d" % (len(a), sum(len(m.octets) for _, m in a)))

    def do_noop(self, args):
        self.say("+OK")

    def do_rset(self, args):
        self.deleted = []
        self.say("+OK")

    def do_list(self, args):
        self.many("%d %d" % (i, len(m.octets)) for i, m in self.alive())

    def do_uidl(self, args):
        if not self.uidl:
            self.say("-ERR no UIDL here")
            return
        self.many("%d %s" % (i, m.uidl) for i, m in self.alive())

    def number(self, args):
        n = int(args.split()[0])
        m = self.mails[n - 1] if 0 < n <= len(self.mails) else None
        if m is None or m in self.deleted:
            self.say("-ERR no such message")
            return None
        return m

    @staticmethod
    def stuffed(octets):
        if octets and not octets.endswith(b"\r\n"):
            octets += b"\r\n"
        if octets.startswith(b"."):
            octets = b"." + octets
        return octets.replace(b"\r\n.", b"\r\n..")

    def do_retr(self, args):
        m = self.number(args)
        if m is not None:
            self.p.send(b"+OK %d octets\r\n" % len(m.octets) +
                        self.stuffed(m.octets) + b".\r\n")

    def do_top(self, args):
        m = self.number(args)
        if m is not None:
            head = m.octets.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self.p.send(b"+OK\r\n" + self.stuffed(head) + b".\r\n")

    def do_dele(self, args):
        m = self.number(args)
        if m is not None:
            self.deleted.append(m)
            self.say("+OK")

    def do_quit(self, args):
        self.update()
        self.say("+OK bye")
        return False

    def update(self):
        for m in self.deleted:
            if m in self.box.mails:
                self.box.mails.remove(m)
