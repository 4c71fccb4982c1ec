"""The command line. An answer is printed to stdout, everything else to stderr."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command `regimen`.

    Who reads a pipe may close it: the command ends then without a word, as if by SIGPIPE (141).
    """
    # What a closed pipe would raise otherwise looks like a negative answer.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    from engine.cli.app import app  # noqa: PLC0415  # who imports the package wants no terminal

    app()
