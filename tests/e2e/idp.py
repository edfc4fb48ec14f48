# SPDX-License-Identifier: ISC
"""An identity provider of our own (OAuth 2.0) over HTTPS, exact about what it
is asked, and misbehaving on demand.

    with Idp(certs) as idp:         # ca.pem, server.pem, server.key in there
        idp.options()               # of a section "oauth2 NAME" for it
        idp.tokens("alice")         # as if she had logged in before
        idp.browser(url)            # what a browser does with the URL printed
        idp.enter(code)             # what is done with a device's code

What it does wrong is said by traits, which may be changed at any time:

    pending, slow_down   so many answers of the kind before the device's own
    interval             of the device flow; None: it is not said
    device_life          seconds; device: "ok", "denied" or "expired"
    enter                the user must enter the code (enter()); else it counts
                         as entered at once
    deny                 the browser comes back with this error
    life                 seconds of an access token; None: it is not said
    rotate               each refresh gives another refresh token, and whoever
                         uses the one before is a thief: all is revoked
    refresh              False: no refresh token at all
    scope                what is granted; None: what was asked for, unsaid
    secret               which client secret is demanded; None: a public client
    extra                members added to each answer with tokens
    late                 an Event: what was decided is not said before it is set
    trouble              {endpoint: what}: what is a status (503), bytes (the
                         body), (status, bytes), "html", "json", "big", "hang",
                         "cut", "redirect", "close", a list of those to be used
                         up one after the other (None: all is well), or a
                         function of the request

Endpoints: device, auth, token, introspect, tokeninfo. All requests are kept:
.requests, .count(endpoint). .secrets are all that were ever given out."""

import base64
import contextlib
import hashlib
import http.server
import json
import os
import secrets
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request

CLIENT = "mailhaul-test"
SCOPE = "mail offline_access"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

DEFAULTS = dict(
    pending=0, slow_down=0, interval=1, device_life=600, device="ok",
    enter=False, deny=None, life=3600, rotate=True, refresh=True, scope=None,
    secret=None, extra={}, late=None, trouble={})

BIG = b'{"access_token": "' + b"a" * (1 << 20) + b'"}'
HTML = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"


class Request:
    """What was asked: .endpoint, .method, .params, .headers, .at; and how it
    was answered: .status, .answer."""

    def __init__(self, endpoint, method, params, headers):
        self.endpoint, self.method = endpoint, method
        self.params, self.headers = params, headers
        self.at = time.monotonic()
        self.status = self.answer = None

    def __repr__(self):
        return "%s %s %r -> %s %r" % (
            self.method, self.endpoint, self.params, self.status, self.answer)


class Refused(Exception):
    def __init__(self, error, status=400, description=None):
        self.error, self.status = error, status
        self.description = description


class Grant:
    """What a user has allowed a client to do. .refresh is the token that is
    good now, .old are those before."""

    def __init__(self, user, scope):
        self.user, self.scope = user, scope
        self.refresh, self.old = None, []
        self.revoked = False


def s256(verifier):
    """RFC 7636 4.2"""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def basic(client, secret):
    return "Basic " + base64.b64encode(
        ("%s:%s" % (client, secret)).encode()).decode()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # who goes away early is part of the tests

    def server_bind(self):
        # without the look-up of our own name that HTTPServer makes
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def setup(self):
        idp = self.server.idp
        with idp.lock:
            idp.connections += 1
        if idp.context:
            self.request.settimeout(self.timeout)
            self.request = idp.context.wrap_socket(
                self.request, server_side=True)
        super().setup()

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.serve(urllib.parse.urlsplit(self.path).query)

    def do_POST(self):
        n = int(self.headers.get("Content-Length") or 0)
        self.serve(self.rfile.read(n).decode())

    def serve(self, text):
        idp = self.server.idp
        path = urllib.parse.urlsplit(self.path).path
        params = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        r = Request(path.strip("/"), self.command, params,
                    dict(self.headers.items()))
        with idp.lock:
            idp.requests.append(r)
            trouble = idp.trouble_for(r)
            if trouble is None:
                status, headers, body = idp.answer(r)
            idp.changed.notify_all()
        if trouble is not None:
            self.misbehave(r, trouble)
            return
        if idp.traits["late"]:
            idp.traits["late"].wait(60)
        self.say(status, body, headers)

    def say(self, status, body, headers=(), length=None):
        self.send_response(status)
        headers = dict(headers)
        headers.setdefault("Content-Type", "application/json")
        headers["Content-Length"] = str(
            len(body) if length is None else length)
        for k, v in headers.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def misbehave(self, r, what):
        good = b'{"access_token": "half", "token_type": "Bearer"}'
        r.status = what
        self.close_connection = True
        if isinstance(what, int):
            self.say(what, b"", {"Retry-After": "7"} if what == 429 else {})
        elif isinstance(what, bytes):
            self.say(200, what)
        elif isinstance(what, tuple):
            self.say(*what)
        elif what == "html":
            self.say(200, HTML, {"Content-Type": "text/html"})
        elif what == "json":
            self.say(200, b'{"access_token": ')
        elif what == "big":
            self.say(200, BIG)
        elif what == "cut":
            self.say(200, good[:20], length=len(good))
        elif what == "redirect":
            self.say(302, b"", {
                "Location": self.server.idp.base + "/elsewhere"})
        elif what == "hang":
            self.server.idp.over.wait(120)
        else:
            assert what == "close", what


class Idp:
    def __init__(self, certs=None, address="localhost", client=CLIENT,
                 **traits):
        """certs None: plain HTTP, for what is no client of ours."""
        self.traits = {**DEFAULTS, **traits}
        assert self.traits.keys() == DEFAULTS.keys(), traits
        self.traits["trouble"] = dict(self.traits["trouble"])
        self.client = client
        self.ca = certs and os.path.join(certs, "ca.pem")
        self.context = None
        if certs:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(
                os.path.join(certs, "server.pem"),
                os.path.join(certs, "server.key"))
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.over = threading.Event()
        self.requests, self.connections = [], 0
        self.now = time.time  # a test may have another clock
        self.number = 0
        self.devices, self.codes, self.access, self.grants = {}, {}, {}, []
        self.secrets = []
        self.http = Server(("127.0.0.1", 0), Handler)
        self.http.idp = self
        self.port = self.http.server_port
        self.base = "%s://%s:%d" % (
            "https" if certs else "http", address, self.port)
        self.thread = threading.Thread(
            target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.stop()

    def stop(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def url(self, endpoint):
        return "%s/%s" % (self.base, endpoint)

    def options(self, *without, **more):
        """The options of a section for us, by their names in the file. without:
        "device" or "auth", which it then cannot do; more: others, or None."""
        o = {"client-id": self.client, "scopes": SCOPE,
             "device-url": self.url("device"), "auth-url": self.url("auth"),
             "token-url": self.url("token")}
        if self.ca:
            o["ca-file"] = self.ca
        if self.traits["secret"]:
            o["client-secret"] = self.traits["secret"]
        for name in without:
            del o[name + "-url"]
        o.update({k.replace("_", "-"): v for k, v in more.items()})
        return {k: v for k, v in o.items() if v is not None}

    def section(self, name="idp", *without, **more):
        """The same as text for the configuration."""
        lines = ['    %s = "%s"' % x
                 for x in self.options(*without, **more).items()]
        return "oauth2 %s {\n%s\n}\n" % (name, "\n".join(lines))

    # ---- what the tests ask and do ----

    def asked(self, endpoint=None):
        with self.lock:
            return [r for r in self.requests
                    if endpoint in (None, r.endpoint)]

    def count(self, endpoint=None, grant=None):
        """grant: only those with this grant_type."""
        return len([r for r in self.asked(endpoint)
                    if grant in (None, r.params.get("grant_type"))])

    def wait(self, n, endpoint=None, timeout=20):
        """Until so many requests have come."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: self.count(endpoint) >= n, timeout), self.requests

    def tokens(self, user="alice", life=None, scope=SCOPE):
        """What a login of his gives, as the answer has it."""
        with self.lock:
            return self.issue(Grant(user, scope), life=life)

    def grant_of(self, user):
        with self.lock:
            return [g for g in self.grants if g.user == user][-1]

    def revoke(self, user):
        """He has withdrawn it all: no token of his is good any more."""
        with self.lock:
            for g in self.grants:
                if g.user == user:
                    self.end(g)

    def expire(self, user):
        """His access tokens, but the refresh token stays good."""
        with self.lock:
            for token, (g, _) in list(self.access.items()):
                if g.user == user:
                    self.access[token] = (g, 0)

    def user_of(self, access_token):
        """Whose token it is; None: it is not good (any more). For servers
        that are logged in to with it."""
        with self.lock:
            grant, until = self.access.get(access_token, (None, 0))
            if grant is None or grant.revoked:
                return None
            return grant.user if until is None or self.now() < until else None

    def enter(self, user_code, user="alice"):
        with self.lock:
            for d in self.devices.values():
                if d["user_code"] == user_code:
                    d["user"] = user
                    return
        raise AssertionError("nobody has the code %s" % user_code)

    def browser(self, url, user="alice"):
        """Follows the URL that a browser was sent to: where it ends up (that
        is not asked any more)."""
        context = self.ca and ssl.create_default_context(cafile=self.ca)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), Stay(),
            *([urllib.request.HTTPSHandler(context=context)]
              if context else []))
        with contextlib.suppress(KeyError):
            r = opener.open(url + "&test_user=" + user, timeout=20)
            assert r.status in (302, 303), r.read()
            return r.headers["Location"]
        raise AssertionError("no redirection")

    # ---- what is answered ----

    def trouble_for(self, r):
        what = self.traits["trouble"].get(r.endpoint)
        if isinstance(what, list):
            what = what.pop(0) if what else None
        return what(r) if callable(what) else what

    def answer(self, r):
        headers = {}
        try:
            serve = getattr(self, "serve_" + r.endpoint, None)
            if serve is None:
                raise Refused("not_found", 404)
            if r.endpoint == "auth":
                r.status, r.answer = 302, None
                headers["Location"] = serve(r)
            else:
                r.status, r.answer = 200, serve(r)
        except Refused as e:
            r.status, r.answer = e.status, {"error": e.error}
            if e.description:
                r.answer["error_description"] = e.description
        body = b"" if r.answer is None else json.dumps(r.answer).encode()
        headers["Cache-Control"] = "no-store"
        return r.status, headers, body

    def new(self, kind):
        """A token: it has octets that must be encoded in a form."""
        self.number += 1
        token = "%s-%d/%s+=&~" % (kind, self.number, secrets.token_hex(16))
        self.secrets.append(token)
        return token

    def check_client(self, r):
        """RFC 6749 2.3.1: in the form, or by Basic."""
        want = self.traits["secret"]
        said = r.headers.get("Authorization")
        if said is not None:
            if said != basic(self.client, want):
                raise Refused("invalid_client", 401)
        elif r.params.get("client_id") != self.client or \
                r.params.get("client_secret") != want:
            raise Refused("invalid_client", 401,
                          "AADSTS7000215: Invalid client secret provided.")

    def serve_device(self, r):
        if r.method != "POST" or r.params.get("client_id") != self.client:
            raise Refused("invalid_client", 401)
        code = self.new("device")
        self.number += 1
        t = self.traits
        d = {"device_code": code, "user_code": "WDJB-%04d" % self.number,
             "verification_uri": self.url("enter"),
             "expires_in": t["device_life"]}
        d["verification_uri_complete"] = \
            self.url("enter?user_code=") + d["user_code"]
        if t["interval"] is not None:
            d["interval"] = t["interval"]
        self.devices[code] = {
            "user_code": d["user_code"], "until": self.now() + t["device_life"],
            "scope": r.params.get("scope"), "pending": t["pending"],
            "slow_down": t["slow_down"],
            "user": None if t["enter"] else "alice"}
        return d

    def serve_auth(self, r):
        """The page of a browser, where the user says yes at once."""
        p, back = r.params, {}
        if r.method != "GET" or p.get("client_id") != self.client:
            raise Refused("unauthorized_client")
        if p.get("response_type") != "code" or "redirect_uri" not in p:
            raise Refused("invalid_request")
        if p.get("code_challenge_method") != "S256" or \
                len(p.get("code_challenge", "")) != 43:
            raise Refused("invalid_request", 400, "PKCE is required")
        if len(p.get("state", "")) < 16:
            raise Refused("invalid_request", 400, "a state is required")
        back["state"] = p["state"]
        if self.traits["deny"]:
            back["error"] = self.traits["deny"]
            back["error_description"] = "The user said no.\r\nTrace: 1"
        else:
            back["code"] = self.new("code")
            self.codes[back["code"]] = (p, p.get("test_user", "alice"))
        to = p["redirect_uri"]
        return to + ("&" if "?" in to else "?") + urllib.parse.urlencode(back)

    def serve_token(self, r):
        if r.method != "POST":
            raise Refused("invalid_request", 405)
        self.check_client(r)
        kinds = {"authorization_code": self.by_code,
                 "refresh_token": self.by_refresh,
                 DEVICE_GRANT: self.by_device}
        by = kinds.get(r.params.get("grant_type"))
        if by is None:
            raise Refused("unsupported_grant_type")
        return by(r.params)

    def by_code(self, p):
        asked, user = self.codes.pop(p.get("code"), (None, None))
        if asked is None:
            raise Refused("invalid_grant", 400, "no such code")
        if asked["redirect_uri"] != p.get("redirect_uri"):
            raise Refused("invalid_grant", 400, "another redirect_uri")
        verifier = p.get("code_verifier", "")
        if not 43 <= len(verifier) <= 128 or \
                s256(verifier) != asked["code_challenge"]:
            raise Refused("invalid_grant", 400, "PKCE does not fit")
        return self.issue(Grant(user, asked.get("scope")))

    def by_device(self, p):
        d = self.devices.get(p.get("device_code"))
        if d is None:
            raise Refused("invalid_grant", 400, "no such device_code")
        if self.now() >= d["until"] or self.traits["device"] == "expired":
            raise Refused("expired_token")
        if d["pending"] > 0 or d["slow_down"] > 0:
            kind = "pending" if d["pending"] > 0 else "slow_down"
            d[kind] -= 1
            # Google says 428
            raise Refused("authorization_pending", 428) \
                if kind == "pending" else Refused("slow_down")
        if self.traits["device"] == "denied":
            raise Refused("access_denied", 403)
        if d["user"] is None:
            raise Refused("authorization_pending")
        del self.devices[p["device_code"]]
        return self.issue(Grant(d["user"], d["scope"]))

    def by_refresh(self, p):
        token = p.get("refresh_token")
        for g in self.grants:
            if token in g.old:  # somebody has stolen it: who is not known
                self.end(g)
            if token == g.refresh and not g.revoked:
                return self.issue(g)
        raise Refused("invalid_grant", 400,
                      "AADSTS700082: The refresh token has expired.\r\n"
                      "Trace ID: 0")

    def issue(self, grant, life=None):
        t = self.traits
        out = {"access_token": self.new("access"), "token_type": "Bearer"}
        life = t["life"] if life is None else life
        if life is not None:
            out["expires_in"] = life
        if t["scope"] is not None:
            grant.scope = out["scope"] = t["scope"]
        if grant not in self.grants:
            self.grants.append(grant)
        if t["refresh"] and (t["rotate"] or grant.refresh is None):
            if grant.refresh is not None:
                grant.old.append(grant.refresh)
            out["refresh_token"] = grant.refresh = self.new("refresh")
        self.access[out["access_token"]] = (
            grant, None if life is None else self.now() + life)
        out.update(t["extra"])
        return out

    def end(self, grant):
        grant.revoked = True
        for token, (g, _) in list(self.access.items()):
            if g is grant:
                del self.access[token]

    def describe(self, token):
        """RFC 7662 2.2"""
        user = self.user_of(token)
        if user is None:
            return {"active": False}
        grant, until = self.access[token]
        out = {"active": True, "username": user, "email": user,
               "scope": grant.scope, "client_id": self.client}
        if until is not None:
            out["exp"] = int(until)
            out["expires_in"] = int(until - self.now())
        return out

    def serve_introspect(self, r):
        """By POST with token=, or by GET with it as Bearer (Dovecot's "post"
        and "auth")."""
        bearer = r.headers.get("Authorization", "")
        if bearer.startswith("Bearer "):
            return self.describe(bearer[len("Bearer "):])
        return self.describe(r.params.get("token"))

    def serve_tokeninfo(self, r):
        """GET ...?access_token=; who has none that is good is refused."""
        d = self.describe(r.params.get("access_token"))
        if not d["active"]:
            raise Refused("invalid_token", 401)
        return d


class Stay(urllib.request.HTTPRedirectHandler):
    """Is told where to, and does not go."""

    def http_error_302(self, req, fp, code, msg, headers):
        fp.status = code
        return fp

    http_error_301 = http_error_303 = http_error_307 = http_error_302
