# SPDX-License-Identifier: ISC
"""Talk files: one story of a misbehaving server per file, and what mailhaul
must make of it. A model server (model.py) plays the parts that do not matter.

    imap | pop3                 first word of the file: the protocol
    tls none|starttls|implicit  default none
    set OPTION = VALUE          an option of the account, as in the manual
    uidvalidity N               of INBOX, default 1
    mail N "octets"             on the server; N: its UID (POP3: UIDL uidl-N)
    model no-uidl | capa TEXT   what the model offers

    session                     the next connection; without any, or after
                                the last: the model alone
    session *                   every further connection
      greet                     the model's greeting (first thing in "serve")
      S: text                   sent with CRLF; <name> is what C: captured
      S+ "octets"               sent as they are, no CRLF
      C: pattern                the next line heard must match; <name> takes
                                one word, * anything
      serve                     the model answers until the client is gone
      serve pattern             ... until a line matches (IMAP: without its
                                tag, which is <tag>); that line is ours
      tls                       TLS begins
      body N                    the octets of mail N
      silence                   nothing, until the client is gone
      cut | reset               the connection ends by FIN or RST
      times N text              S: N times; <i> counts
      octets N "octets"         S+ N times
      add N "octets" | drop N | uidvalidity N    changes on the server

    then
      fetch STATUS              a run; its exit status (a|b: either)
      retry                     "mailhaul held retry": what waits is due
      says TEXT | never TEXT    of the last run's output
      asked PATTERN | unasked PATTERN   of all commands, without tags
      delivered N...            the Maildir holds these and nothing else
      left N...                 on the server there are these
      silent                    no credential was heard, ever
      add, drop, uidvalidity    as above

Texts in quotes know \\r \\n \\0 \\t \\xHH \\\\ and \\". Always checked: no secret
in the clear before TLS, none in any output (all runs trace)."""

import ast
import re

import haul as haul_module
import model


def unquote(text):
    text = text.strip()
    assert text[:1] == text[-1:] == '"', "no text in quotes: " + text
    return ast.literal_eval("b" + text)


class Story:
    def __init__(self, path):
        self.protocol, self.tls = None, "none"
        self.options, self.mails = {}, []
        self.uidvalidity, self.uidl, self.capa = 1, True, None
        self.sessions, self.rest, self.then = [], None, []
        where = None
        with open(path, encoding="utf-8") as f:
            for n, raw in enumerate(f, 1):
                line = raw.strip()
                if not line or line.startswith("#"):
                    continue
                word, _, args = line.partition(" ")
                if word == "session":
                    where = []
                    if args == "*":
                        self.rest = where
                    else:
                        self.sessions.append(where)
                elif word == "then":
                    where = self.then
                elif where is not None:
                    where.append((n, word, args.strip()))
                else:
                    self.head(word, args.strip())

    def head(self, word, args):
        if word in ("imap", "pop3"):
            self.protocol = word
        elif word == "tls":
            self.tls = args
        elif word == "set":
            name, _, value = args.partition("=")
            value = value.strip()
            self.options[name.strip()] = \
                int(value) if value.isdigit() else \
                value == "true" if value in ("true", "false") else value
        elif word == "uidvalidity":
            self.uidvalidity = int(args)
        elif word == "mail":
            n, _, text = args.partition(" ")
            self.mails.append((int(n), unquote(text)))
        elif word == "model" and args == "no-uidl":
            self.uidl = False
        elif word == "model" and args.startswith("capa"):
            self.capa = args[5:].replace("\\n", "\n")
        else:
            raise ValueError("talk: " + word)


class Player:
    """Plays a story and checks what comes of it."""

    def __init__(self, story, haul, certs):
        self.story, self.haul = story, haul
        self.box = model.Box(story.uidvalidity)
        self.ever = {}
        for n, octets in story.mails:
            self.add(n, octets)
        self.models = []
        self.server = model.Server(
            self.serve, certs, implicit=story.tls == "implicit")
        haul.globals["log-level"] = "trace"
        o = dict(protocol=story.protocol, host="127.0.0.1",
                 port=self.server.port, tls=story.tls, user=model.USER,
                 password=model.PASSWORD, retries=0)
        if story.tls != "none":
            o["tls-ca-file"] = certs + "/ca.pem"
        o.update(story.options)
        self.maildir = haul.account("a", **o)
        self.last = None

    def add(self, n, octets):
        self.ever.setdefault(n, octets)  # "N": the first of that number
        self.box.add(octets, n)

    def change(self, word, args):
        if word == "add":
            n, _, text = args.partition(" ")
            self.add(int(n), unquote(text))
        elif word == "drop":
            self.box.mails = [m for m in self.box.mails
                              if m.number != int(args)]
        elif word == "uidvalidity":
            self.box.uidvalidity = int(args)
        else:
            return False
        return True

    # ---- the server's side ----

    def model(self, peer):
        s = self.story
        starttls = s.tls == "starttls"
        if s.protocol == "imap":
            m = model.Imap(peer, {"INBOX": self.box}, s.capa, starttls)
        else:
            m = model.Pop3(peer, self.box, s.capa, starttls, uidl=s.uidl)
        self.models.append(m)
        return m

    def serve(self, peer, number):
        m = self.model(peer)
        steps = self.story.rest
        if number < len(self.story.sessions):
            steps = self.story.sessions[number]
        if steps is None:
            steps = [(0, "serve", "")]
        words = {}
        for n, word, args in steps:
            try:
                if self.step(m, words, word, args) is False:
                    return
            except AssertionError as e:
                raise AssertionError("line %d: %s" % (n, e)) from None

    def step(self, m, words, word, args):
        p = m.p
        if word == "greet":
            m.greet()
        elif word == "S:":
            m.greeted = True
            p.send(fill(args, words).encode() + b"\r\n")
        elif word == "S+":
            m.greeted = True
            p.send(fill(unquote(args).decode("latin-1"),
                        words).encode("latin-1"))
        elif word == "C:":
            line = p.line()
            if line is not None:
                m.asked.append(line)
            assert line is not None, "no %r: the client is gone" % args
            assert match(args, line, words), "wanted %r, heard %r" % (
                args, line)
        elif word == "serve":
            if not m.greeted:
                m.greet()
            line = m.run(args or None)
            if line is None:
                assert not args, "no %r: the client is gone" % args
                return False
            words["tag"] = line.split(" ")[0]
            if re.match(r"\S+ (SELECT|EXAMINE) ", line, re.IGNORECASE):
                m.box, m.seen = self.box, list(self.box.mails)
            for i, w in enumerate(line.split(" ")[1:], 1):
                words[str(i)] = w
        elif word == "tls":
            p.start_tls()
        elif word == "body":
            p.send(self.ever[int(args)])
        elif word == "silence":
            while p.more():
                pass
            return False
        elif word in ("cut", "reset"):
            p.drop("fin" if word == "cut" else "reset")
        elif word == "times":
            count, _, text = args.partition(" ")
            data = b""
            for i in range(int(count)):
                data += fill(text, dict(words, i=str(i))).encode() + b"\r\n"
                if len(data) > 60000:
                    p.send(data)
                    data = b""
            p.send(data)
        elif word == "octets":
            count, _, text = args.partition(" ")
            m.greeted = True
            for _ in range(max(1, int(count) // 1000)):
                p.send(unquote(text) * min(1000, int(count)))
        elif not self.change(word, args):
            raise ValueError("talk: " + word)
        elif self.story.protocol == "imap":  # a session sees it at once
            m.seen = [x for x in m.seen if x in self.box.mails]
        return True

    # ---- what mailhaul makes of it ----

    def play(self):
        with self.server:
            for n, word, args in self.story.then:
                try:
                    self.check(word, args)
                except AssertionError as e:
                    wrong = "".join("\nserver: %s" % x
                                    for x in self.server.errors)
                    self.server.errors = []
                    raise AssertionError("then, line %d, %s %s: %s%s\n%r" % (
                        n, word, args, e, wrong, self.last)) from None
        if self.story.tls == "starttls":
            for p in self.server.peers:
                assert not model.secrets_in(p.clear), p.clear

    def asked(self):
        lines = [x for m in self.models for x in m.asked]
        if self.story.protocol == "imap":
            lines = [x.split(" ", 1)[-1] for x in lines]
        return lines

    def check(self, word, args):
        if word == "fetch":
            r = self.last = self.haul.run(timeout=30)
            assert str(r.status) in args.split("|")
        elif word == "retry":
            assert self.haul.run("retry", command="held").status == 0
        elif word == "says":
            assert args.lower() in self.last.text.lower()
        elif word == "never":
            assert args.lower() not in self.last.text.lower()
        elif word in ("asked", "unasked"):
            found = any(match(args, x, {}) for x in self.asked())
            assert found == (word == "asked"), self.asked()
        elif word == "delivered":
            haul_module.check(
                self.maildir, [self.ever[int(n)] for n in args.split()])
        elif word == "left":
            assert sorted(m.number for m in self.box.mails) == \
                sorted(int(n) for n in args.split())
        elif word == "silent":
            assert not model.secrets_in(self.server.heard())
        elif not self.change(word, args):
            raise ValueError("talk: " + word)


def fill(text, words):
    return re.sub(r"<(\w+)>", lambda m: words.get(m.group(1), m.group(0)),
                  text)


def match(pattern, line, words):
    names = re.findall(r"<(\w+)>", pattern)
    expr = re.escape(pattern).replace(r"\*", ".*")
    for name in names:
        expr = expr.replace(re.escape("<%s>" % name), r"(\S+)", 1)
    m = re.fullmatch(expr, line, re.IGNORECASE | re.DOTALL)
    if m:
        words.update(zip(names, m.groups()))
    return m is not None


