"""Definitions by their digests: what is made of one for a page is made once, and kept by this."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core.definition import Workflow


@dataclass(frozen=True, slots=True)
class ByDigest:
    """A workflow that is the same as another of its digest."""

    digest: str
    held: Workflow = field(compare=False)
