"""The protocol itself: what an issue takes at the least, whoever the client is.

The fewest requests that get a certificate, on one kept-alive TLS connection to the same pebble, with the same validation through
nginx. Only the time from sending a request to the last byte of its answer counts, and making the connection: keys, signatures,
JSON and files are left out.

    summed   the connection and each needed request, of the polls of an order the last only
    polled   beside that the polls that came too early and 5 ms of waiting after each of them
"""

import base64
import hashlib
import json
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .lab import CHALLENGES

_POLL = 0.005


@dataclass(frozen=True)
class Share:
    """Seconds."""

    summed: float
    polled: float
    requests: int


class Protocol:
    """One account with one authority."""

    def __init__(self, directory: str, ca_file: str):
        self._directory = directory
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_numbers()
        self._jwk = {"crv": "P-256", "kty": "EC", "x": _base64url(point.x.to_bytes(32)), "y": _base64url(point.y.to_bytes(32))}
        self._account = ""

    def issue(self, name: str) -> Share:
        """Registers the account where there is none yet, and gets a certificate for a name."""
        self._summed = self._waited = 0.0
        self._requests = 0
        self._connect()
        addresses = json.loads(self._ask("GET", self._directory))
        self._ask("HEAD", addresses["newNonce"])
        if not self._account:
            self._post(addresses["newAccount"], {"termsOfServiceAgreed": True, "contact": ["mailto:owner@example.test"]})
            self._account = self._location
        order = self._post(addresses["newOrder"], {"identifiers": [{"type": "dns", "value": name}]})
        address = self._location
        authorization = self._post(order["authorizations"][0])
        challenge = next(each for each in authorization["challenges"] if each["type"] == "http-01")
        file = CHALLENGES / challenge["token"]
        file.write_text(f"{challenge['token']}.{self._thumbprint()}")
        self._post(challenge["url"], {})
        self._poll(address, "ready")
        file.unlink()
        self._post(order["finalize"], {"csr": _base64url(_request(name))})
        certificate = self._poll(address, "valid")["certificate"]
        self._ask("POST", certificate, self._signed(certificate, None))
        self._connection.close()
        return Share(self._summed, self._summed + self._waited, self._requests)

    def _poll(self, address: str, status: str) -> dict:
        while True:
            before = self._summed
            order = self._post(address)
            if order["status"] == status:
                return order
            if order["status"] == "invalid":
                raise RuntimeError(f"the authority says: {order}")
            self._waited += self._summed - before + _POLL
            self._summed = before
            time.sleep(_POLL)

    # --- requests ---

    def _connect(self) -> None:
        host = urlsplit(self._directory)
        begin = time.perf_counter()
        plain = socket.create_connection((host.hostname, host.port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = self._tls.wrap_socket(plain, server_hostname=host.hostname)
        self._summed += time.perf_counter() - begin

    def _post(self, url: str, payload: dict | None = None) -> dict:
        return json.loads(self._ask("POST", url, self._signed(url, payload)))

    def _ask(self, method: str, url: str, body: bytes = b"") -> bytes:
        where = urlsplit(url)
        head = (f"{method} {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nUser-Agent: bench\r\n"
                f"Content-Type: application/jose+json\r\nContent-Length: {len(body)}\r\n\r\n")
        request = head.encode() + body
        begin = time.perf_counter()
        self._connection.sendall(request)
        headers, content = self._receive(method)
        self._summed += time.perf_counter() - begin
        self._requests += 1
        self._nonce = headers.get("replay-nonce", "")
        self._location = headers.get("location", "")
        if headers["status"][0] != "2":
            raise RuntimeError(f"{method} {url}: {headers['status']} {content.decode(errors='replace')}")
        return content

    def _receive(self, method: str) -> tuple[dict[str, str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive_some()
        head, content = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = {"status": first.split()[1]} | {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
        chunked = headers.get("transfer-encoding") == "chunked"
        length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
        while not content.endswith(b"0\r\n\r\n") if chunked else len(content) < length:
            content += self._receive_some()
        return headers, _joined(content) if chunked else content

    def _receive_some(self) -> bytes:
        data = self._connection.recv(65536)
        if not data:
            raise ConnectionError("the authority closed the connection")
        return data

    # --- signatures: RFC 7515, 7638 ---

    def _signed(self, url: str, payload: dict | None) -> bytes:
        who = {"kid": self._account} if self._account else {"jwk": self._jwk}
        protected = _base64url(json.dumps({"alg": "ES256", "nonce": self._nonce, "url": url} | who).encode())
        content = "" if payload is None else _base64url(json.dumps(payload).encode())
        r, s = decode_dss_signature(self._key.sign(f"{protected}.{content}".encode(), ec.ECDSA(hashes.SHA256())))
        signature = _base64url(r.to_bytes(32) + s.to_bytes(32))
        return json.dumps({"protected": protected, "payload": content, "signature": signature}).encode()

    def _thumbprint(self) -> str:
        return _base64url(hashlib.sha256(json.dumps(self._jwk, sort_keys=True, separators=(",", ":")).encode()).digest())


def _request(name: str) -> bytes:
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    return request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _joined(chunks: bytes) -> bytes:
    """The content of a chunked message (RFC 9112, 7.1)."""
    content = b""
    while True:
        size, rest = chunks.split(b"\r\n", 1)
        if not int(size, 16):
            return content
        content, chunks = content + rest[:int(size, 16)], rest[int(size, 16) + 2:]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
