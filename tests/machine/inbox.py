"""What reaches an operator: a mail server with STARTTLS and passwords, and the receiver of a webhook.

Both run on this host in the machine's network, under names that the machine resolves and with a certificate that it
trusts; what they get they write down.
"""

import base64
import email
import email.policy
import json
import sys
import tempfile
from pathlib import Path

from . import processes
from .machine import Machine

MAIL, HOOKS = "mail.example.test", "hooks.example.test"
MAIL_PORT, TLS_MAIL_PORT, HOOKS_PORT = 587, 465, 8443
USER, PASSWORD = "reporter", "correct-horse-battery"
WEBHOOK = f"https://{HOOKS}:{HOOKS_PORT}/services/T0KEN-of-the-hook"

_MAIL_PROGRAM = """
import asyncio, base64, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
output, certificate, key, behaviour, user, password = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)

class Handler:
    def __init__(self, tls=False):
        self.tls = tls
    async def handle_RCPT(self, server, session, envelope, address, options):
        if behaviour == "refuse" or address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        seen = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": self.tls or session.ssl is not None,
                "authenticated": bool(session.authenticated), "content": base64.b64encode(envelope.original_content).decode()}
        with open(output, "a") as file:
            file.write(json.dumps(seen) + "\\n")
        return "250 OK"

def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login.decode(), data.password.decode()) == (user, password), handled=False)

class Silence(asyncio.Protocol):
    pass

async def main():
    loop = asyncio.get_running_loop()
    if behaviour == "hang":
        make = plain = Silence
    elif behaviour == "no-tls":
        make = plain = lambda: SMTP(Handler(), hostname="mail")
    else:
        make = lambda: SMTP(Handler(), hostname="mail", tls_context=context, require_starttls=True,
                            authenticator=authenticate, auth_required=True)
        plain = lambda: SMTP(Handler(tls=True), hostname="mail", authenticator=authenticate, auth_required=True,
                             auth_require_tls=False)
    await loop.create_server(make, "127.0.0.1", 587)
    await loop.create_server(plain, "127.0.0.1", 465, ssl=None if behaviour == "hang" else context)
    print(flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

_HOOKS_PROGRAM = """
import http.server, json, ssl, sys
output, certificate, key, status = sys.argv[1:]
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(output, "a") as file:
            file.write(json.dumps({"path": self.path, "type": self.headers["Content-Type"], "body": body.decode()}) + "\\n")
        self.send_response(int(status))
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Receiver)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(flush=True)
server.serve_forever()
"""


class Inbox:
    """A mail server and a webhook beside one machine; they end with it."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._folder = Path(tempfile.mkdtemp(prefix="inbox-", dir=machine.directory))
        self._programs: dict[str, object] = {}
        processes.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                       "-keyout", str(self._folder / "key.pem"), "-out", str(self._folder / "certificate.pem"),
                       "-days", "30", "-subj", "/CN=inbox", "-addext", f"subjectAltName=DNS:{MAIL},DNS:{HOOKS}"])
        machine.send(self._folder / "certificate.pem", "/usr/local/share/ca-certificates/inbox.crt")
        machine.run(["update-ca-certificates"])
        machine.write("/etc/hosts", machine.read("/etc/hosts") + f"127.0.0.1 {MAIL} {HOOKS}\n")

    def start_mail(self, behaviour: str = "take") -> None:
        """`take`, or one that hangs, refuses each recipient, or offers no TLS."""
        self._start("mail", _MAIL_PROGRAM, behaviour, USER, PASSWORD)

    def start_hooks(self, status: int = 200) -> None:
        self._start("hooks", _HOOKS_PROGRAM, str(status))

    def stop(self, which: str) -> None:
        if program := self._programs.pop(which, None):
            processes.stop(program)

    def _start(self, which: str, program: str, *arguments: str) -> None:
        self.stop(which)
        said = self._folder / f"{which}.out"
        said.unlink(missing_ok=True)
        argv = [sys.executable, "-c", program, str(self._received(which)), str(self._folder / "certificate.pem"),
                str(self._folder / "key.pem"), *arguments]
        with open(said, "wb") as output:
            self._programs[which] = self._machine.popen_beside(argv, stdout=output)
        self._machine.wait_until(f"{which} listens", said.read_bytes)

    def _received(self, which: str) -> Path:
        return self._folder / f"{which}.jsonl"

    def _lines(self, which: str) -> list[dict]:
        file = self._received(which)
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def letters(self) -> list[dict]:
        """What the mail server took: the envelope, and `letter`, the parsed message with its text in `text`."""
        return [taken | {"letter": (letter := parse(base64.b64decode(taken["content"]))), "text": text_of(letter)}
                for taken in self._lines("mail")]

    def calls(self) -> list[dict]:
        """What the webhook was told."""
        return [call | {"told": json.loads(call["body"])} for call in self._lines("hooks")]

    def clear(self) -> None:
        for which in ("mail", "hooks"):
            self._received(which).unlink(missing_ok=True)


def parse(content: bytes):
    return email.message_from_bytes(content, policy=email.policy.default)


def text_of(letter) -> str:
    return letter.get_content().replace("\r\n", "\n")
