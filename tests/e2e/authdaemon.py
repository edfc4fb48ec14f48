# SPDX-License-Identifier: ISC
"""Courier's authdaemon, as far as servers ask for it: whoever has the
password PASSWORD is let in, and has a home of his own. Courier asks it by
libcourierauth, Cyrus by libsasl2."""

import os
import socketserver
import threading

from dovecot import PASSWORD


class Asked(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        while b"=" in line:  # who asks, and from where
            line = self.rfile.readline()
        answer = "FAIL\n"
        if line.startswith(b"AUTH "):
            lines = self.rfile.read(int(line[5:])).decode().split("\n")
            _service, kind, user, password = (lines + [""] * 4)[:4]
            if kind == "login" and password == PASSWORD:
                answer = self.server.known(user)
        self.wfile.write(answer.encode())


class Authdaemon(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, path, homes, uid, gid):
        super().__init__(path, Asked)
        os.chmod(path, 0o666)
        self.homes, self.uid, self.gid = homes, uid, gid
        self.thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def known(self, user):
        return "UID=%d\nGID=%d\nHOME=%s\nADDRESS=%s\n.\n" % (
            self.uid, self.gid, os.path.join(self.homes, user), user)

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()
