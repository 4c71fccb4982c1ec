"""Somebody to whom the permissions of files apply, as they do not to root."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_somebody() -> Iterator[None]:
    """Whatever is imported must be so before: somebody may not be let into a folder of modules."""
    root = os.geteuid() == 0
    nobody = pwd.getpwnam("nobody").pw_uid
    if root:
        os.setresuid(nobody, nobody, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@contextmanager
def library() -> Iterator[Path]:
    """A folder that everybody may read; pytest's own lie where only we get."""
    folder = Path(tempfile.mkdtemp(prefix="regimen-library-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)
