"""Thousands of clients at once that hold their connections and want nothing, or want it slowly."""

import contextlib
import resource
import socket
import ssl
import threading

_THREADS = 4
_PAUSE = 0.2  # between the rounds of a crowd, in seconds: as slow as slow clients are, and sparing this host's processors


class Crowd:
    """From `with` to the end of the block, `size` TLS connections to one server.

    opening   is sent on each once it is open; where nothing drips afterwards, what is answered has to end with an empty
              line, as to HEAD
    dripping  is sent afterwards, a byte a round, again and again
    replaces  whether a connection that the server closed is opened again; may be changed at any time
    open      how many connections are open
    closed    how many the server has closed so far
    """

    def __init__(self, name: str, address: str, size: int, *, opening: bytes = b"", dripping: bytes = b"",
                 replaces: bool = False):
        self._name, self._address, self._size = name, address, size
        self._opening, self._dripping, self.replaces = opening, dripping, replaces
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        # Resumed sessions of TLS 1.2 take the least of this host's time: the crowd is to stand before the first of it
        # are sent away.
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._session = None
        self._end = threading.Event()
        self._parts = [_Part(self, size // _THREADS + (number < size % _THREADS)) for number in range(_THREADS)]

    def __enter__(self) -> "Crowd":
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if most < self._size + 256:
            raise OSError(f"this host lets a process open {most} files, too few for {self._size} connections")
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with contextlib.closing(self._connect()) as first:
            self._session = first.session
        for part in self._parts:
            part.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        for part in self._parts:
            part.join()

    @property
    def open(self) -> int:
        return sum(part.open for part in self._parts)

    @property
    def closed(self) -> int:
        return sum(part.closed for part in self._parts)

    def _connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self._address, 443), timeout=30)
        try:
            made = self._context.wrap_socket(plain, server_hostname=self._name, session=self._session)
            self._greet(made)
            return made
        except BaseException:
            plain.close()
            raise

    def _greet(self, connection: ssl.SSLSocket) -> None:
        connection.sendall(self._opening)
        if self._opening and not self._dripping:
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                more = connection.recv(4096)
                if not more:
                    raise ConnectionError("the server closed the connection instead of an answer")
                answer += more


class _Part(threading.Thread):
    """A thread's share of the crowd."""

    def __init__(self, crowd: Crowd, size: int):
        super().__init__()
        self.open = self.closed = 0
        self._crowd, self._size = crowd, size

    def run(self) -> None:
        crowd = self._crowd
        connections = [None] * self._size
        first, round_ = True, 0
        while not crowd._end.is_set():
            for place, connection in enumerate(connections):
                if crowd._end.is_set():
                    break
                try:
                    if connection is not None:
                        self._go_on(connection, round_)
                    elif first or crowd.replaces:
                        connections[place] = crowd._connect()
                        self.open += 1
                except OSError:  # ssl's errors are of this kind, too
                    if connection is not None:
                        connection.close()
                        connections[place] = None
                        self.open -= 1
                        self.closed += 1
            first, round_ = False, round_ + 1
            crowd._end.wait(_PAUSE)
        for connection in filter(None, connections):
            connection.close()

    def _go_on(self, connection: ssl.SSLSocket, round_: int) -> None:
        dripping = self._crowd._dripping
        if dripping:
            connection.send(dripping[round_ % len(dripping):][:1])
            return
        connection.setblocking(False)
        try:
            if not connection.recv(1):
                raise ConnectionError("closed by the server")
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
