"""What a blog and its visitors do with a comment server, over HTTPS and through nginx, by the application's own API."""

import http.client
import json
import socket
import ssl

_PASSWORD = "correct-horse-battery"


class Refused(AssertionError):
    """The application answered, and said no."""


class Comments:
    """A client of the comment server of one domain, at one address, that trusts one root only."""

    def __init__(self, domain: str, address: str, root: str, port: int = 443):
        """`root`: certificates in PEM. The name is not looked up: it leads to `address`."""
        self.domain, self.address, self.port = domain, address, port
        self.context = ssl.create_default_context(cadata=root)

    # --- HTTPS ---

    def get(self, path: str) -> http.client.HTTPResponse:
        """Fetches a page; the answer's body is in `.body`."""
        return self.request("GET", path)

    def connection(self) -> http.client.HTTPSConnection:
        """A connection for several requests, not opened yet."""
        return _Connection(self.domain, self.address, self.port, self.context)

    def request(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None):
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.body = answer.read()
            return answer
        finally:
            connection.close()

    def certificate(self) -> dict:
        """The certificate that is served, verified, as Python's ssl module describes it."""
        with socket.create_connection((self.address, self.port), timeout=10) as plain:
            with self.context.wrap_socket(plain, server_hostname=self.domain) as connection:
                return connection.getpeercert()

    def call(self, endpoint: str, /, **fields) -> dict:
        """One API call. The application answers 200 to nearly everything: what counts is `success`."""
        body = json.dumps(fields).encode()
        answer = self.request("POST", f"/api/{endpoint}", body, {"Content-Type": "application/json"})
        if answer.status != 200:
            raise Refused(f"{endpoint}: HTTP {answer.status}: {answer.body[:300].decode(errors='replace')}")
        result = json.loads(answer.body)
        if not result.get("success"):
            raise Refused(f"{endpoint}: {result.get('message', result)}")
        return result

    # --- the flow ---

    def register(self, blog: str = "blog.example.test", email: str = "owner@example.test") -> None:
        """Makes an owner and his blog, open for anonymous comments. Without SMTP, owners are confirmed at once."""
        self.call("owner/new", email=email, name="Owner", password=_PASSWORD)
        token = self.call("owner/login", email=email, password=_PASSWORD)["ownerToken"]
        self.call("domain/new", ownerToken=token, name="Blog", domain=blog)
        domains = self.call("domain/list", ownerToken=token)["domains"]
        domain = next(entry for entry in domains if entry["domain"] == blog)
        domain |= {"requireIdentification": False, "moderateAllAnonymous": False, "requireModeration": False,
                   "autoSpamFilter": False}
        self.call("domain/update", ownerToken=token, domain=domain)

    def post_comment(self, text: str, blog: str = "blog.example.test", path: str = "/first-post") -> str:
        """Posts a comment as an anonymous visitor; returns its id."""
        made = self.call("comment/new", commenterToken="anonymous", anonName="", domain=blog, path=path,
                         parentHex="root", markdown=text)
        if made["state"] != "approved":
            raise Refused(f"comment/new: the comment is {made['state']}")
        return made["commentHex"]

    def list_comments(self, blog: str = "blog.example.test", path: str = "/first-post") -> list[str]:
        """The comments on a page, as HTML, in the order in which the application lists them."""
        listed = self.call("comment/list", commenterToken="anonymous", domain=blog, path=path)
        return [comment["html"] for comment in listed["comments"]]

    def check(self, text: str = "a comment that came a long way") -> None:
        """The whole flow; raises where any of it fails."""
        self.register()
        self.post_comment(text)
        listed = self.list_comments()
        if not any(text in html for html in listed):
            raise AssertionError(f"the comment that was posted is not listed: {listed}")


class _Connection(http.client.HTTPSConnection):
    """Connects to an address, and speaks and verifies a name."""

    def __init__(self, name: str, address: str, port: int, context: ssl.SSLContext):
        super().__init__(name, port, timeout=30, context=context)
        self._address, self._own_context = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._own_context.wrap_socket(plain, server_hostname=self.host)
