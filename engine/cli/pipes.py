"""Standard output and standard error whose reader may go, or whose disk may be full.

Python ignores SIGPIPE, and so it has to be: a service and a worker write to sockets, and who hangs
up there must end nothing. Whoever closes what a command prints to does end it, as with programs
that know nothing of Python; an answer that cannot be written is an error that says so; and a log
that cannot be written keeps nobody from deciding and recording.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn, TextIO

from engine.cli.exits import Exit


def guard_output() -> None:
    """From here on, printing ends the command without a word once nobody reads it any more (141).

    What a closed pipe would raise otherwise looks like a negative answer, or is taken for another
    error by whoever handles one.
    """
    if hasattr(signal, "SIGPIPE"):
        sys.stdout, sys.stderr = _guarded(sys.stdout, _tell), _guarded(sys.stderr, _drop)


class _Output(io.FileIO):
    """A file that is told what could not be written to it, and gives how much to take for written.

    Somebody who closed it ends the command.
    """

    def __init__(self, file: int, lost: Callable[[memoryview, OSError], int]) -> None:
        super().__init__(file, "wb", closefd=False)
        self._lost = lost

    def write(self, data: Any, /) -> Any:  # noqa: ANN401  # as its base says
        try:
            return super().write(data)
        except BrokenPipeError:
            _end()
        except OSError as wrong:
            return self._lost(memoryview(data), wrong)


def _tell(_: memoryview, wrong: OSError) -> NoReturn:
    sys.stderr.write(f"Error: the answer cannot be written: {wrong.strerror}\n")
    sys.stderr.flush()
    os._exit(Exit.BAD)  # at a usual end what is still held would be written once more


def _drop(data: memoryview, _: OSError) -> int:
    return data.nbytes  # there is nobody to tell


def _guarded(stream: TextIO, lost: Callable[[memoryview, OSError], int]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return stream  # a terminal, or none at all
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(stream.fileno(), lost)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _end() -> NoReturn:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    os._exit(128 + signal.SIGPIPE)  # only the main thread may say what a signal does
