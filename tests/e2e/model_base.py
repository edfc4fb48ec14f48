# SPDX-License-Identifier: ISC
"""What the scripted servers have in common: connections, and mailboxes."""

import base64
import collections
import contextlib
import os
import select
import selectors
import socket
import ssl
import struct
import threading
import time

USER = "alice@example.org"
PASSWORD = "s3cret-Pa55"


class Cut(Exception):
    """The connection ends here, on purpose."""


class Peer:
    """One connection, seen from the server. Everything heard is kept:
    .clear before TLS, .heard in all.

    All of it happens in one thread. Others have things done there by call();
    what is to happen later is given to after()."""

    def __init__(self, sock, server):
        self.sock, self.server = sock, server
        self.thread = threading.current_thread()
        self.began, self.ended = time.monotonic(), None
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.lock = threading.Lock()
        self.tasks, self.timers = collections.deque(), []
        self.thawed = threading.Event()
        self.thawed.set()
        self.pending = b""
        self.clear, self.heard = b"", b""
        self.tls = False
        self.cut_after = None  # so many octets are sent, then it ends
        self.cut_how = "fin"
        self.sent = 0
        if server.implicit:
            try:
                self.start_tls()
            except OSError:
                os.close(self.wake)
                raise

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

    # ---- what happens while nothing is heard ----

    def call(self, task, wait=10):
        """Does task() in the thread of the connection, at once if it is
        waiting for the client. False: the connection has gone before."""
        if threading.current_thread() is self.thread:
            task()
            return True
        done = threading.Event()
        with self.lock:
            if self.ended is not None:
                return False
            self.tasks.append((task, done))
            os.eventfd_write(self.wake, 1)
        if wait:
            assert done.wait(wait), "the connection is busy"
        return not wait or self.ended is None

    def after(self, seconds, task, again=False):
        """Does task() after so long. Returns what can be given to never()."""
        timer = [time.monotonic() + seconds, task, seconds if again else None]
        self.timers.append(timer)
        return timer

    def never(self, *timers):
        for t in timers:
            if t in self.timers:
                self.timers.remove(t)

    def freeze(self):
        """From now on nothing is said nor heard, until thaw()."""
        cold = threading.Event()
        self.thawed.clear()
        if self.call(lambda: cold.set() or self.thawed.wait(), wait=0):
            assert cold.wait(10), "the connection is busy"

    def thaw(self):
        self.thawed.set()

    def work(self):
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.wake)
        while self.tasks:
            task, done = self.tasks.popleft()
            try:
                task()
            finally:
                done.set()
        for t in [t for t in self.timers if t[0] <= time.monotonic()]:
            if t not in self.timers:
                continue  # the one before took it out
            if t[2] is None:
                self.timers.remove(t)
            else:
                t[0] += t[2]
            t[1]()

    def wait(self, seconds=None, octets=True):
        """Until there are octets to hear: True; or for so long: False."""
        end = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.wake, select.POLLIN)
        if octets:
            poll.register(self.sock, select.POLLIN)
        while True:
            self.work()
            if octets and self.tls and self.sock.pending():
                return True
            due = [t[0] for t in self.timers] + ([end] if end else [])
            left = min(due) - time.monotonic() if due else None
            ready = poll.poll(None if left is None
                              else max(0, left * 1000 + 1))
            if ready and all(fd != self.wake for fd, _ in ready):
                return True  # else what is asked of us comes first
            if end is not None and time.monotonic() >= end:
                return False

    def over(self):
        """The last that happens in the thread."""
        with self.lock:
            self.ended = time.monotonic()
            for _, done in self.tasks:
                done.set()
            self.tasks.clear()
            os.close(self.wake)
        self.server.note()

    def more(self):
        self.wait()
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
    """Listens on free ports of an address; serve(peer, number) is called in a
    thread for each connection.

    .connects has the time of each connection, .logins (time, user, whether
    it was let in) of each login, .most the largest number of connections at
    one time. Tests wait for them by wait_for()."""

    def __init__(self, serve, certs=None, implicit=False, ports=1,
                 address="127.0.0.1"):
        self.serve, self.implicit, self.address = serve, implicit, address
        self.connects, self.logins, self.most = [], [], 0
        self.changed = threading.Condition()
        self.last_login = {}
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
        self.orders = collections.deque()
        self.wake_r, self.wake_w = socket.socketpair()
        self.selector.register(self.wake_r, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def listener(self, port=0):
        return socket.create_server((self.address, port), backlog=128)

    def note(self):
        """Something happened that a test may wait for."""
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, condition, timeout=40, what="it"):
        """Until condition() is true, mostly by what sessions do."""
        end = time.monotonic() + timeout
        with self.changed:
            while not condition():
                assert time.monotonic() < end, \
                    "%s does not happen at the server" % what
                self.changed.wait(0.1)  # not all that happens is noted

    def live(self):
        return [p for p in list(self.peers) if p.ended is None]

    def order(self, what):
        done = threading.Event()
        self.orders.append((what, done))
        self.wake_w.send(b"x")
        assert done.wait(10)

    def close_listeners(self):
        for s in self.listeners:
            self.selector.unregister(s)
            s.close()

    def occupied(self, port):
        """Nobody else gets it, and nobody listens."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.address, port))
        return s

    def down(self, reset=False):
        """The host is there, the server is not: connections are refused,
        those that were open end."""
        def close():
            self.close_listeners()
            self.listeners = [self.occupied(p) for p in self.ports]
        self.order(close)
        self.end_all(reset)

    def up(self):
        """Listens again, on the same ports."""
        def listen():
            for s in self.listeners:
                s.listen(128)
                self.selector.register(s, selectors.EVENT_READ)
        self.order(listen)

    def end_all(self, reset=False):
        for p in self.live():
            p.thaw()
            p.call(lambda p=p: p.drop("reset" if reset else "fin"), wait=0)
        self.wait_for(lambda: not self.live(), what="an end of all")

    def accept(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wake_r:
                    self.wake_r.recv(1)
                    if self.stopped:
                        return
                    order, done = self.orders.popleft()
                    order()
                    done.set()
                    break
                try:
                    sock, _ = key.fileobj.accept()
                except OSError:
                    continue
                self.connects.append(time.monotonic())
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
            self.most = max(self.most, len(self.live()))
            self.note()
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
            if peer:
                peer.over()

    def stop(self):
        if self.stopped:
            return
        self.stopped = True
        self.wake_w.send(b"x")
        self.thread.join()
        for s in self.listeners:
            s.close()
        for p in self.peers:  # whoever still waits sees the end
            p.thaw()
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
        self.mails, self.watchers = [], []
        self.next = 1
        for octets in mails or []:
            self.add(octets)

    def add(self, octets, number=None):
        """A message arrives; sessions that watch the mailbox tell of it."""
        number = number or self.next
        self.next = max(self.next, number + 1)
        m = Mail(number, octets)
        self.mails.append(m)
        self.tell()
        return m

    def remove(self, mail):
        """Another client expunges it."""
        self.mails.remove(mail)
        self.tell()

    def tell(self, but=None):
        for session in list(self.watchers):
            if session is not but and not session.p.call(
                    lambda s=session: s.news(self), wait=0):
                self.watchers.remove(session)

    def octets(self):
        return [m.octets for m in self.mails]
