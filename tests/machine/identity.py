"""Who a server is: a root, and certificates under it, for servers that tests play."""

from pathlib import Path

from . import processes


class Root:
    """A root in a folder of its own: `file`, in PEM."""

    def __init__(self, directory: Path):
        self._directory = directory
        self.file = directory / "ca.pem"
        # Not of this very moment: faketime counts in whole seconds, and may be ahead.
        self._request("ca", "-subj", "/CN=commento-stack test root", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      when="-1 day")

    def certify(self, *names: str, file: str = "server", expired: bool = False) -> tuple[Path, Path]:
        """A certificate for names such as `DNS:localhost`, valid for a month, and its key."""
        self._request(file, "-subj", "/CN=localhost", "-CA", str(self.file), "-CAkey", str(self._directory / "ca.key"),
                      "-addext", "basicConstraints=critical,CA:false", "-addext", "extendedKeyUsage=serverAuth",
                      "-addext", f"subjectAltName={','.join(names)}", when="-60 days" if expired else "-1 day")
        return self._directory / f"{file}.pem", self._directory / f"{file}.key"

    def _request(self, name: str, *arguments: str, when: str) -> None:
        processes.run(["faketime", when, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                       "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout", str(self._directory / f"{name}.key"),
                       "-out", str(self._directory / f"{name}.pem"), *arguments])
