"""The command line. An answer is printed to stdout, everything else to stderr."""

from __future__ import annotations


def main() -> None:
    """Run the command `regimen`."""
    from engine.cli.app import app  # noqa: PLC0415  # who imports the package wants no terminal

    app()
