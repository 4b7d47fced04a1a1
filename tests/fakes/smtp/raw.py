"""A server that plays what a test writes, byte by byte; for answers that no real server should give."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Line:
    """One connection, seen from the server. What the client does to it ends the play, not the test."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")

    def say(self, data: bytes) -> None:
        self._connection.sendall(data)

    def hear(self) -> bytes:
        """The next line; at the end of the connection the play is over."""
        line = self._file.readline()
        if not line:
            raise EOFError
        return line

    def answer(self, *answers: bytes) -> None:
        """Hear a line and say the next answer, for each of them."""
        for answer in answers:
            self.hear()
            self.say(answer)

    def greet(self) -> None:
        """Up to the point where mails can be sent."""
        self.say(b"220 mail.test\r\n")
        self.answer(b"250 mail.test\r\n")

    def hear_message(self) -> bytes:
        """The data up to the final dot."""
        lines = []
        while (line := self.hear()) != b".\r\n":
            lines.append(line)
        return b"".join(lines)

    def wait(self) -> None:
        """Say nothing until the client goes, or says that it will."""
        while (heard := self._file.read1(65_536)) and not heard.startswith(b"QUIT"):
            pass

    def cut(self) -> None:
        """Reset the connection."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._file.close()
        self._connection.close()


@contextmanager
def raw_server(play: Callable[[Line], None]) -> Iterator[int]:
    """Play for each connection, one after the other; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError, EOFError):
                    connection, _ = listener.accept()
                    with connection:
                        connection.settimeout(20)
                        play(Line(connection))

        thread = threading.Thread(target=serve, name="raw-server", daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        try:
            yield port
        finally:
            over.set()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
            thread.join(30)
            assert not thread.is_alive()
