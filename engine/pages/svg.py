"""Elements of a picture as text. Looks come from classes: the page's policy runs no style of ours.

>>> str(element("text", "a < b", x=1.25, class_="tick"))
'<text x="1.25" class="tick">a &lt; b</text>'
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from markupsafe import Markup

WIDE, NARROW = frozenset("mwMWQOGD@%—…"), frozenset("iljtfrI1.,:;'|()[] -")


def element(name: str, *content: str | Markup | None, **attributes: str | float | None) -> Markup:
    """An element; what is no markup yet is escaped, an attribute that is `None` is left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(one if isinstance(one, Markup) else escape(one) for one in content if one)
    return Markup(f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>")  # noqa: S704  # escaped above


def joined(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("\n").join(parts)


def told(title: str) -> Markup:
    """What is said of an element when somebody points at it."""
    return element("title", title)


def length(text: str, size: float = 11) -> float:
    """About how wide a text is, for what must not overlap: rather too wide than too narrow."""
    wide = sum(0.88 if c in WIDE else 0.36 if c in NARROW else 0.62 for c in text)
    return wide * size


def cut(text: str, room: float, size: float = 11) -> str:
    """As much of a text as there is room for, with a sign where it was cut."""
    if length(text, size) <= room:
        return text
    while text and length(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…" if text.strip() else ""


def _text(value: str | float) -> str:
    """Numbers to a hundredth: the same picture again has the same bytes."""
    if isinstance(value, str):
        return value
    return f"{round(value, 2):.2f}".rstrip("0").rstrip(".")
