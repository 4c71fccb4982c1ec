"""The shapes of the chart, each of which says what it is without its colour, and their legend."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from engine.pages.svg import element
from engine.telling.wording import Tone


def sign(tone: Tone, x: float, y: float, *, quiet: bool = False) -> Markup:
    """A tone at a place: refused a cross, overridden a diamond, moved by a rule an arrow."""
    kind = "mark quiet" if quiet else f"mark {tone}"
    match tone:
        case Tone.NO:
            return element("path", d=cross(x, y), class_=kind)
        case Tone.OVERRIDE:
            return element("path", d=f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z", class_=kind)
        case Tone.RULE:
            return element("path", d=f"M{x - 3:.1f} {y - 4.5:.1f}l7 4.5l-7 4.5z", class_=kind)
        case Tone.DEVIATION:
            return element("path", d=f"M{x:.1f} {y - 5:.1f}l5 9h-10z", class_=kind)
        case Tone.YES:
            return element("rect", x=x - 3.2, y=y - 3.2, width=6.4, height=6.4, class_=kind)
        case _:
            return element("circle", cx=x, cy=y, r=1.6 if quiet else 3, class_=kind)


def cross(x: float, y: float) -> str:
    """The path of a cross about a place."""
    return f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0 -7l-7 7"


def legend() -> Iterable[tuple[str, Markup]]:
    """What the shapes mean, each with its picture."""
    meanings = (
        (Tone.YES, "granted"),
        (Tone.NO, "refused"),
        (Tone.OVERRIDE, "by override"),
        (Tone.DEVIATION, "deviation"),
        (Tone.RULE, "moved by a rule"),
        (Tone.PLAIN, "reported"),
    )
    for tone, meaning in meanings:
        yield meaning, _picture(sign(tone, 7, 7))
    yield (
        "corrected or unusable",
        _picture(
            element("circle", cx=7, cy=7, r=4, class_="point wrong"),
            element("path", d="M3 11L11 3", class_="cross"),
        ),
    )
    yield (
        "threshold inferred, or decided here",
        _picture(element("text", "*", x=3, y=15, class_="star")),
    )
    yield "on hold", _picture(element("rect", x=1, y=2, width=12, height=10, class_="stay hold"))
    yield (
        "waits for a decision",
        _picture(element("rect", x=1, y=2, width=12, height=10, class_="stay decision")),
    )
    yield (
        "window, target",
        _picture(
            element("rect", x=1, y=4, width=12, height=7, class_="due"),
            element("line", x1=8, x2=8, y1=2, y2=13, class_="target"),
        ),
    )


def _picture(*drawn: Markup) -> Markup:
    return element("svg", *drawn, class_="key", viewBox="0 0 14 14", aria_hidden="true")
