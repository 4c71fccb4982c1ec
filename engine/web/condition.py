"""If-Match, as RFC 9110 (13.1.1) reads it: one strong tag of several, or whatever there is.

A weak tag says that two things are as good as the same; what is about to be changed must be the
very same, so that a weak tag matches nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import InvalidInput

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[\s,]*{_TAG}(?:\s*,[\s,]*{_TAG})*[\s,]*")
_STRONG = re.compile(rf"(W/)?{_TAG.removeprefix('(?:W/)?')}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What somebody expects to find: one of these strong tags, or `whatever` there is."""

    tags: tuple[str, ...] = ()
    whatever: bool = False

    def holds(self, tag: str) -> bool:
        """Whether a tag, with its quotation marks, is what was expected."""
        return self.whatever or tag in self.tags


def condition(header: str) -> Condition:
    """The condition of an If-Match header. Raises InvalidInput for what is none."""
    if header.strip() == "*":
        return Condition(whatever=True)
    if not _LIST.fullmatch(header):
        raise InvalidInput("If-Match", 'an ETag such as "12", several with commas between, or *')
    found = [one[0] for one in _STRONG.finditer(header) if one[1] is None]
    return Condition(tags=tuple(dict.fromkeys(found)))
