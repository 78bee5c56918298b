"""An ACME server that fails as it is told: scripted_ca.py DIRECTORY PORT. Run by acme.py as a program of its own.

It walks a client through all of RFC 8555 for http-01 and issues real certificates, but it checks no signature and
validates no challenge: pebble does that. It checks nonces, because clients get these wrong.

DIRECTORY holds ca.pem, ca.key (what it issues from), server.pem, server.key (itself), faults.json (what to do wrong;
read at each request), requests.log (the steps asked for, one per line), orders.jsonl (what orders were asked for, one
per line) and, where it has renewal information (RFC 9773), window.json (start and end of every certificate's window).

Steps: directory newNonce newAccount account keyChange newOrder authorization challenge order finalize certificate
       renewalInfo

Faults, each with "step", and with "times" where it is to end by itself:
    problem        a problem document; status, type (last part of the URN), detail, subproblems
    rateLimited    429 with retry_after (seconds or an HTTP date)
    badNonce       400, as if the nonce had been used up
    unauthorized   403
    serverInternal 500
    malformed      JSON that ends too early
    html           502 with a page, as a proxy before a dead CA gives it
    deep           JSON that is nested 100,000 deep
    huge           100 MB of JSON
    headers        a header without end
    contentType    the right answer as another media type, `type`
    redirect       302 to `location`
    cut            the connection is reset in mid answer
    lost           the step is done, and then as cut
    silent         nothing is ever answered
    drip           an answer of one byte a second
    pending        (authorization, order, finalize) not decided yet; retry_after
    status         (authorization, order, finalize) it has come to be `status`
    invalid        (authorization) the challenge failed, for `detail`
    predecessor    (newOrder) refuses orders that name a predecessor, with `status` and `type`
    wrongKey       (certificate) a certificate for another key
    wrongNames     (certificate) a certificate for another name
    wrongOrder     (certificate) the chain begins with its end
    expired        (certificate) a certificate that is past its end
"""

import argparse
import base64
import json
import socket
import ssl
import struct
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable

_URN = "urn:ietf:params:acme:error:"
_STATUS = {"rateLimited": 429, "badNonce": 400, "unauthorized": 403, "serverInternal": 500}
_STEP_OF_PATH = {"directory": "directory", "nonce": "newNonce", "accounts": "newAccount", "account": "account",
                 "key-change": "keyChange", "orders": "newOrder", "authorization": "authorization",
                 "challenge": "challenge", "order": "order", "finalize": "finalize", "certificate": "certificate",
                 "renewal-info": "renewalInfo"}


class Authority:
    """What the server knows: accounts, orders, nonces, and what it is to do wrong."""

    def __init__(self, directory: Path, days: int, profiles: list[str]):
        self.directory, self.days, self.profiles = directory, days, profiles
        self.lock = threading.Lock()
        self.accounts: list[dict] = []  # their keys
        self.orders: list[dict] = []
        self._nonces: set[str] = set()
        self._nonce_count = 0

    def new_nonce(self) -> str:
        self._nonce_count += 1
        nonce = base64.urlsafe_b64encode(f"nonce-{self._nonce_count:08}".encode()).decode().rstrip("=")
        self._nonces.add(nonce)
        return nonce

    def use_nonce(self, nonce: str) -> bool:
        if nonce not in self._nonces:
            return False
        self._nonces.remove(nonce)
        return True

    def note(self, step: str) -> dict | None:
        """Writes the request down; returns the fault that is due for it, if any."""
        log = self.directory / "requests.log"
        seen = log.read_text().split().count(step)
        with log.open("a") as output:
            output.write(step + "\n")
        for fault in json.loads((self.directory / "faults.json").read_text()):
            since = seen - fault["from"]
            if fault["step"] == step and since >= 0 and (fault["times"] is None or since < fault["times"]):
                return fault
        return None

    def renewal_window(self) -> list[str] | None:
        path = self.directory / "window.json"
        return json.loads(path.read_text()) if path.exists() else None

    def note_order(self, payload: dict) -> None:
        with (self.directory / "orders.jsonl").open("a") as output:
            output.write(json.dumps(payload) + "\n")

    def issue(self, order: dict, fault: str | None) -> str:
        """A chain for the order's request."""
        request = self.directory / "request.der"
        request.write_bytes(order["csr"])
        extensions = self.directory / "extensions"
        other_names = "subjectAltName=DNS:another.example.test\n" if fault == "wrongNames" else ""
        extensions.write_text("authorityKeyIdentifier=keyid\n" + other_names)  # renewal information needs it
        days = "-1" if fault == "expired" else str(self.days)
        key = ["-force_pubkey", str(self._other_key())] if fault == "wrongKey" else []
        names = [] if other_names else ["-copy_extensions", "copy"]
        made = subprocess.run(["openssl", "x509", "-req", "-inform", "DER", "-in", str(request), "-days", days, *key,
                               "-CA", str(self.directory / "ca.pem"), "-CAkey", str(self.directory / "ca.key"),
                               "-extfile", str(extensions), *names], check=True, capture_output=True, text=True)
        chain = [made.stdout, (self.directory / "ca.pem").read_text()]
        return "".join(reversed(chain) if fault == "wrongOrder" else chain)

    def _other_key(self) -> Path:
        path = self.directory / "other.pub"
        path.write_text(subprocess.run(["openssl", "pkey", "-in", str(self.directory / "server.key"), "-pubout"],
                                       check=True, capture_output=True, text=True).stdout)
        return path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    authority: Authority

    def do_HEAD(self) -> None:
        self._handle()

    do_GET = do_POST = do_HEAD

    def _handle(self) -> None:
        _, name, *rest = self.path.split("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        step = _STEP_OF_PATH.get(name)
        with self.authority.lock:
            fault = self._fault = self.authority.note(step or self.path)
            if fault and self._fail(fault):
                return
            if step is None:
                return self._problem(404, "malformed", f"there is nothing at {self.path}")
            payload, self._header = {}, {}
            if self.command == "POST":
                message = json.loads(body)
                self._header = _decode_json(message["protected"])
                if not self.authority.use_nonce(self._header.get("nonce", "")):
                    return self._problem(400, "badNonce", "this nonce was not given out, or was used before")
                payload = _decode_json(message["payload"]) if message["payload"] else {}
            number = int(rest[0]) if rest and rest[0].isdigit() else 0
            getattr(self, f"_step_{step}")(number, payload, fault or {})

    # --- the steps ---

    def _step_directory(self, number, payload, fault):
        names = {"newNonce": "nonce", "newAccount": "accounts", "newOrder": "orders", "revokeCert": "revoke",
                 "keyChange": "key-change"}
        if self.authority.renewal_window():
            names["renewalInfo"] = "renewal-info"
        profiles = {name: f"what {name} means" for name in self.authority.profiles}
        meta = {"termsOfService": self._url("terms")} | ({"profiles": profiles} if profiles else {})
        self._answer(200, {key: self._url(path) for key, path in names.items()} | {"meta": meta})

    def _step_newNonce(self, number, payload, fault):
        self._answer(200 if self.command == "HEAD" else 204, None)

    def _step_newAccount(self, number, payload, fault):
        accounts, key = self.authority.accounts, self._header["jwk"]
        existed = key in accounts
        if payload.get("onlyReturnExisting") and not existed:
            return self._problem(400, "accountDoesNotExist", "no account has this key")
        if not existed:
            accounts.append(key)
        self._answer(200 if existed else 201, {"status": "valid"},
                     {"Location": self._url(f"account/{accounts.index(key)}")})

    def _step_account(self, number, payload, fault):
        self._answer(200, {"status": payload.get("status", "valid")})

    def _step_keyChange(self, number, payload, fault):
        accounts = self.authority.accounts
        accounts[accounts.index(_decode_json(payload["payload"])["oldKey"])] = _decode_json(payload["protected"])["jwk"]
        self._answer(200, {"status": "valid"})

    def _step_newOrder(self, number, payload, fault):
        self.authority.note_order(payload)
        if fault.get("fault") == "predecessor" and "replaces" in payload:
            return self._problem(fault["status"], fault["type"], "this predecessor does not please")
        order = {"status": "pending", "authorization": "pending", "identifiers": payload["identifiers"]}
        self.authority.orders.append(order)
        number = len(self.authority.orders) - 1
        self._answer(201, self._order(number), {"Location": self._url(f"order/{number}")})

    def _step_authorization(self, number, payload, fault):
        order = self.authority.orders[number]
        if fault.get("fault") == "invalid":
            order["status"] = order["authorization"] = "invalid"
        status = _status(fault, "pending") or order["authorization"]
        self._answer(200, {"status": status, "identifier": order["identifiers"][0],
                           "challenges": [self._challenge(number, fault)]}, _retry_after(fault))

    def _step_challenge(self, number, payload, fault):
        order = self.authority.orders[number]
        if order["authorization"] == "pending":
            order["status"], order["authorization"] = "ready", "valid"
        up = self._url(f"authorization/{number}")
        self._answer(200, self._challenge(number, fault), {"Link": f'<{up}>;rel="up"'})

    def _step_order(self, number, payload, fault):
        self._answer(200, self._order_that_is(number, fault), _retry_after(fault))

    def _step_finalize(self, number, payload, fault):
        order = self.authority.orders[number]
        if order["status"] != "ready":
            return self._problem(403, "orderNotReady", f"this order is {order['status']}")
        order["csr"] = _decode(payload["csr"])
        order["status"] = "valid"
        self._answer(200, self._order_that_is(number, fault),
                     {"Location": self._url(f"order/{number}")} | _retry_after(fault))

    def _step_certificate(self, number, payload, fault):
        chain = self.authority.issue(self.authority.orders[number], fault.get("fault"))
        self._send(200, chain.encode(), "application/pem-certificate-chain", {})

    def _step_renewalInfo(self, number, payload, fault):
        start, end = self.authority.renewal_window()
        self._answer(200, {"suggestedWindow": {"start": start, "end": end}}, {"Retry-After": "21600"})

    def _order(self, number: int) -> dict:
        order = self.authority.orders[number]
        extra = {"certificate": self._url(f"certificate/{number}")} if order["status"] == "valid" else {}
        return {"status": order["status"], "identifiers": order["identifiers"], "expires": "2999-01-01T00:00:00Z",
                "authorizations": [self._url(f"authorization/{number}")],
                "finalize": self._url(f"finalize/{number}")} | extra

    def _order_that_is(self, number: int, fault: dict) -> dict:
        status = _status(fault, "processing")
        return self._order(number) | ({"status": status} if status else {})

    def _challenge(self, number: int, fault: dict) -> dict:
        order = self.authority.orders[number]
        challenge = {"type": "http-01", "url": self._url(f"challenge/{number}"),
                     "token": f"token-{number}-of-scripted-ca", "status": order["authorization"]}
        if order["authorization"] == "invalid":
            challenge["error"] = {"type": _URN + "unauthorized", "status": 403,
                                  "detail": fault.get("detail", "the key authorization file did not match")}
        return challenge

    # --- what it does wrong ---

    def _fail(self, fault: dict) -> bool:
        """Answers in the way of the fault; False where the step itself is to do so."""
        kind = fault["fault"]
        if kind == "problem":
            self._problem(fault["status"], fault["type"], fault.get("detail", "as scripted"), fault.get("subproblems"))
        elif kind in _STATUS:
            self._problem(_STATUS[kind], kind, fault.get("detail", f"scripted {kind}"), None, _retry_after(fault))
        elif kind == "malformed":
            self._send(200, b'{"status": "pending", "newNonce": "htt', "application/json", {})
        elif kind == "html":
            self._send(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html", {})
        elif kind == "deep":
            self._send(200, b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", {})
        elif kind == "huge":
            self._send(200, b'{"a": "' + b"a" * 100_000_000 + b'"}', "application/json", {})
        elif kind == "headers":
            self._send(200, b"{}", "application/json", {"X-Long": "a" * 100_000_000})
        elif kind == "redirect":
            self._send(302, b"", "text/html", {"Location": fault["location"]})
        elif kind == "cut":
            self._cut()
        elif kind == "silent":
            self._take_time(lambda: self.connection.recv(1))  # returns when the client gives up
        elif kind == "drip":
            self._take_time(self._drip)
        else:
            return False
        return True

    def _cut(self) -> None:
        """Promises more than it sends, then resets the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"status": "val')
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _drip(self) -> None:
        """Sends until the client gives up, and then fails."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            time.sleep(1)

    def _take_time(self, answer: Callable[[], object]) -> None:
        self.close_connection = True
        self.authority.lock.release()  # others are to be answered meanwhile
        try:
            self.connection.settimeout(600)
            answer()
        except OSError:
            pass
        finally:
            self.authority.lock.acquire()

    # --- answering ---

    def _url(self, path: str) -> str:
        return f"https://{self.headers['Host']}/{path}"

    def _answer(self, status: int, document: dict | None, headers: dict | None = None) -> None:
        body = json.dumps(document).encode() if document is not None else b""
        self._send(status, body, "application/json", headers or {})

    def _problem(self, status: int, kind: str, detail: str, subproblems: list | None = None,
                 headers: dict | None = None) -> None:
        document = {"type": _URN + kind, "status": status, "detail": detail}
        if subproblems:
            document["subproblems"] = subproblems
        self._send(status, json.dumps(document).encode(), "application/problem+json", headers or {})

    def _send(self, status: int, body: bytes, kind: str, headers: dict) -> None:
        if self._fault and self._fault["fault"] == "lost":
            return self._cut()
        if self._fault and self._fault["fault"] == "contentType":
            kind = self._fault["type"]
        self.send_response(status)
        nonce = {"Replay-Nonce": self.authority.new_nonce(), "Cache-Control": "no-store"}
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | nonce | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)

    def log_message(self, format: str, *arguments) -> None:
        print(time.strftime("%H:%M:%S"), format % arguments, flush=True)


class Server(ThreadingHTTPServer):
    """Shakes hands in the connection's own thread, so that one silent client does not hold up the others."""

    daemon_threads = True

    def __init__(self, port: int, context: ssl.SSLContext):
        super().__init__(("0.0.0.0", port), Handler)
        self._context = context

    def get_request(self):
        connection, address = super().get_request()
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address) -> None:
        pass  # a client that goes away is not worth a traceback


def _status(fault: dict, of_pending: str) -> str:
    """The status that a fault gives an object; empty where it gives none."""
    return {"pending": of_pending, "status": fault.get("status", "")}.get(fault.get("fault", ""), "")


def _retry_after(fault: dict) -> dict:
    return {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _decode_json(text: str) -> dict:
    return json.loads(_decode(text))


def main() -> None:
    arguments = argparse.ArgumentParser(description="An ACME server that fails as it is told.")
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("port", type=int)
    arguments.add_argument("--days", type=int, default=90)
    arguments.add_argument("--profiles", nargs="*", default=[])
    given = arguments.parse_args()
    Handler.authority = Authority(given.directory, given.days, given.profiles)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given.directory / "server.pem", given.directory / "server.key")
    Server(given.port, context).serve_forever()


if __name__ == "__main__":
    main()
