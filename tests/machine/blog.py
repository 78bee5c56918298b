"""A blog on another domain than the comment server's: one page, over HTTPS, that holds what its owner pasted into it."""

import contextlib
import http.server
import ssl
import threading
from pathlib import Path

from . import processes
from .machine import Machine

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A post</title><link rel="icon" href="data:,">
<h1>A post</h1>
"""


@contextlib.contextmanager
def blog(machine: Machine, name: str, snippet: str, place: Path):
    """An HTTPS server on this host, at a machine's other end of the cable; gives its address with the port, and its
    certificate. `place`: a folder for its key."""
    pair = place / "blog.pem"
    processes.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                   "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(pair), "-out", f"{pair}.crt"])
    body = (_PAGE + snippet).encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer((machine.network.host_address, 0), Page) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{pair}.crt", pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield "{}:{}".format(*server.server_address), Path(f"{pair}.crt").read_text()
        finally:
            server.shutdown()
            thread.join()
