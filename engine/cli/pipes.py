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
from typing import Any, NoReturn, TextIO

from engine.cli.exits import Exit


def guard_output() -> None:
    """From here on, printing ends the command without a word once nobody reads it any more (141).

    What a closed pipe would raise otherwise looks like a negative answer, or is taken for another
    error by whoever handles one.
    """
    if hasattr(signal, "SIGPIPE"):
        sys.stdout, sys.stderr = _guarded(sys.stdout, _Answers), _guarded(sys.stderr, _Log)


class _Output(io.FileIO):
    def write(self, data: Any, /) -> Any:  # noqa: ANN401  # as its base says
        try:
            return super().write(data)
        except BrokenPipeError:
            _end()
        except OSError as wrong:
            return self.lost(memoryview(data), wrong)

    def lost(self, data: memoryview, wrong: OSError) -> int:
        raise NotImplementedError


class _Answers(_Output):
    def lost(self, data: memoryview, wrong: OSError) -> NoReturn:  # noqa: ARG002  # it is lost
        sys.stderr.write(f"Error: the answer cannot be written: {wrong.strerror}\n")
        sys.stderr.flush()
        os._exit(Exit.BAD)  # at a usual end what is still held would be written once more


class _Log(_Output):
    def lost(self, data: memoryview, wrong: OSError) -> int:  # noqa: ARG002  # nobody to tell
        return data.nbytes


def _guarded(stream: TextIO, kind: type[_Output]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        return stream  # a terminal, or none at all
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "wb", closefd=False)),
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
