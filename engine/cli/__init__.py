"""The command line. An answer is printed to stdout, everything else to stderr."""

from __future__ import annotations

from engine.cli.pipes import guard_output


def main() -> None:
    """Run the command `regimen`.

    Who reads a pipe may close it: the command ends then without a word, as if by SIGPIPE (141).
    """
    guard_output()
    from engine.cli.app import app  # noqa: PLC0415  # who imports the package wants no terminal

    app()
