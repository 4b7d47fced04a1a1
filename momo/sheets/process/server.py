"""`python -m momo.sheets.process`: forks a process for each file that is to be read.

Standard input is a Unix socket. A byte on it asks for a process and brings two descriptors: a socket, over which the
asker and the process speak, and a pipe, into which this server writes the process's exit status. The server has
imported what reading needs and nothing else: no Django, no connections, no threads. So a fork takes a few milliseconds,
is safe, and each file meets a process that no other file has touched.

Nothing outlives its asker: at the end of standard input, which is also how a `kill -9` of the asker shows, the server
kills all processes and ends; it kills a process whose asker has closed the socket; and a process whose server dies is
killed by the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import struct
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

from momo.sheets.process.work import run

STATUS = struct.Struct("<i")  # an exit status in the pipe: below 0 the signal that ended the process
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class _Reader:
    """A process that reads a file; `socket` is this server's copy of its descriptor, watched for the asker's end."""

    pid: int
    socket: int
    status: int


class Server:
    """Forks processes, reports their ends, and kills those that nobody waits for."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.readers: dict[int, _Reader] = {}  # by the descriptor of the socket
        self.poll = select.poll()
        # A process that ends wakes `poll` through this pipe.
        self.ended, self.wakes = os.pipe()
        for descriptor in (self.ended, self.wakes):
            os.set_blocking(descriptor, False)

    def serve(self) -> None:
        """Serve until the asker is gone."""
        signal.set_wakeup_fd(self.wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the asker, which then ends
        self.poll.register(self.control, select.POLLIN)
        self.poll.register(self.ended, select.POLLIN)
        while True:
            events = dict(self.poll.poll())
            # Before others may close a descriptor and get its number for another process.
            for descriptor in events.keys() & self.readers.keys():
                self.poll.unregister(descriptor)
                self._kill(self.readers[descriptor])
            if self.ended in events:
                self._reap()
            if self.control.fileno() in events and not self._accept():
                return

    def close(self) -> None:
        """Kill what still runs."""
        for reader in self.readers.values():
            self._kill(reader)

    def _accept(self) -> bool:
        """Start a process for one request; False at the end of standard input."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self.control, 1, 2)
        except ConnectionError:
            return False
        if not message:
            return False
        if len(descriptors) == 2:
            self._start(*descriptors)
        else:  # the system was out of descriptors: the asker sees its socket closed
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _start(self, asker: int, status: int) -> None:
        server = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            traceback.print_exc()
            os.close(asker)
            os.close(status)
            return
        if not pid:
            self._become_reader(asker, status, server)
        self.readers[asker] = _Reader(pid, asker, status)
        self.poll.register(asker, 0)  # hang-up and errors only, which are always reported

    def _become_reader(self, asker: int, status: int, server: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in self.readers.values():
                os.close(other.socket)
                os.close(other.status)
            for descriptor in (self.ended, self.wakes, status):
                os.close(descriptor)
            self.control.close()
            die_with(server)
            code = run(Connection(asker))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.ended, 1024)
        by_pid = {reader.pid: reader for reader in self.readers.values()}
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._report(by_pid[found[0]], os.waitstatus_to_exitcode(found[1]))

    def _report(self, reader: _Reader, code: int) -> None:
        del self.readers[reader.socket]
        with contextlib.suppress(KeyError):
            self.poll.unregister(reader.socket)
        with contextlib.suppress(OSError):  # nobody waits for it any more
            os.write(reader.status, STATUS.pack(code))
        os.close(reader.status)
        os.close(reader.socket)

    @staticmethod
    def _kill(reader: _Reader) -> None:
        # A process that has ended keeps its pid until `_reap`.
        os.kill(reader.pid, signal.SIGKILL)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent, which has one thread only, ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Serve the socket that is standard input."""
    # What is loaded stays shared with the forks: the collector would write to all of it.
    gc.disable()
    gc.freeze()
    server = Server(socket.socket(fileno=0))
    try:
        server.serve()
    finally:
        server.close()
