# SPDX-License-Identifier: ISC
"""What the scripted servers have in common: connections, and mailboxes."""

import base64
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
