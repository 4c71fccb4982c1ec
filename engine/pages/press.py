"""Templates and what they share: the one place that knows the template library.

A page's policy lets in the style sheet and the script of this package and nothing else, so that a
text that gets into a page by mistake is shown and never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from engine.pages.signs import legend
from engine.telling.marks import MARKS, VERDICT_TONES
from engine.telling.wording import Tone

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    # A form says where it comes from only to its own origin: that is how a foreign one is known.
    "Referrer-Policy": "same-origin",
}
MEDIA_TYPES: Mapping[str, str] = {
    "regimen.svg": "image/svg+xml",
    "regimen.css": "text/css; charset=utf-8",
    "regimen.js": "text/javascript; charset=utf-8",
}
ASSETS = "/assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file that pages load. Its address has its digest, so that it may be kept for ever."""

    name: str
    media_type: str
    content: bytes
    digest: str

    @property
    def path(self) -> str:
        return f"{ASSETS}/{self.digest}/{self.name}"


def page(template: str, **values: object) -> str:
    """The HTML of a page. Raises where a template names what it was not given."""
    return _environment().get_template(template).render(**values)


@cache
def assets() -> Mapping[str, Asset]:
    """The files that pages load, by name."""
    found = {}
    for name, media_type in MEDIA_TYPES.items():
        content = (files("engine.pages") / "static" / name).read_bytes()
        digest = sha256(content).hexdigest()[:16]
        found[name] = Asset(name=name, media_type=media_type, content=content, digest=digest)
    return found


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("engine.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = lambda name: assets()[name].path
    environment.globals["legend"] = lambda: tuple(legend())
    environment.filters["mark"] = lambda tone: MARKS.get(Tone(tone), "")
    environment.filters["tone"] = lambda verdict: VERDICT_TONES.get(verdict, Tone.PLAIN).value
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment
