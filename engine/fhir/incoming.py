"""What comes in, read strictly: each element by its path, and nothing by guessing.

- The model library says whether it is FHIR; what a date or a code is here, is said here, since the
  library takes a number for a date and any word for a code.
- An element that may change the meaning of all others is refused: `modifierExtension`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from engine.core.encoding import Json, instant_text
from engine.core.wire import IDENTIFIER, instant, shown, word
from engine.errors import InvalidInput
from engine.fhir.term import COURSE, PATIENT

Resource = Mapping[str, Any]


def resource(body: Resource, kind: str) -> Resource:
    """A resource of that kind. Raises InvalidInput, naming the first element that is wrong."""
    if body.get("resourceType") != kind:
        raise InvalidInput("resourceType", kind, found=shown(body.get("resourceType")))
    try:
        get_fhir_model_class(kind).model_validate(dict(body))
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        raise InvalidInput(_path(kind, first["loc"]), first["msg"]) from None
    _no_modifier(body, kind)
    return body


def course_of(found: Sequence[Any], path: str) -> str:
    """The course that one of some references names, and no other."""
    named = {}
    for n, reference in enumerate(found):
        said = _referred(reference)
        if said is not None:
            named[said] = f"{path}[{n}]"
    if len(named) != 1:
        raise InvalidInput(path, f"one reference to a CarePlan, by its identifier of {COURSE}")
    ((course, place),) = named.items()
    return word(course, place, IDENTIFIER, "the name of a course")


def require_patient(found: Sequence[tuple[str, Any]], patient: str) -> None:
    """Raises InvalidInput where a reference names another patient than the course's."""
    for path, reference in found:
        known = reference.get("identifier", {}) if isinstance(reference, Mapping) else {}
        if known.get("system") == PATIENT and known.get("value") != patient:
            raise InvalidInput(f"{path}.identifier.value", "the patient of the course")


def status_of(found: Resource, kind: str, known: Collection[str]) -> str:
    """The status, which must be one that means something here."""
    status = found.get("status")
    if status not in known:
        expected = f"one of {', '.join(known)}"
        raise InvalidInput(f"{kind}.status", expected, found=shown(status))
    return str(status)


def instant_at(value: object, path: str) -> datetime:
    """An instant with its zone. A date alone is not one."""
    return instant(value, path)


def version_of(found: Resource, kind: str) -> tuple[str, str]:
    """How the ids of a resource's events begin, and how that of this version does.

    Raises InvalidInput for one without an id, or without any version.
    """
    name = word(found.get("id"), f"{kind}.id", IDENTIFIER, "the resource's id at its source")
    meta = found.get("meta") or {}
    version = meta.get("versionId") or meta.get("lastUpdated")
    if not isinstance(version, str):
        raise InvalidInput(f"{kind}.meta.versionId", "the version, but it is absent")
    begins = f"fhir-{_short(kind, name)}."
    return begins, begins + _short(version)


def updated_at(found: Resource, kind: str) -> datetime:
    """When this version was made."""
    return instant_at((found.get("meta") or {}).get("lastUpdated"), f"{kind}.meta.lastUpdated")


def envelope(
    event: str, *, name: str, course: str, at: datetime, actor: Mapping[str, str], **more: Json
) -> dict[str, Any]:
    """An event that is to be sent."""
    return {
        "format": 1,
        "id": name,
        "course": course,
        "event": event,
        "at": instant_text(at),
        "actor": dict(actor),
        **more,
    }


def coded(codings: Sequence[Any], system: str) -> list[tuple[int, str]]:
    """The codes of one system, each with its place."""
    return [(n, str(c.get("code"))) for n, c in enumerate(codings) if c.get("system") == system]


def _referred(reference: Any) -> str | None:  # noqa: ANN401  # JSON
    if not isinstance(reference, Mapping):
        return None
    known = reference.get("identifier") or {}
    if known.get("system") == COURSE:
        return str(known.get("value"))
    kind, _, name = str(reference.get("reference", "")).rpartition("/")
    return name if kind.rpartition("/")[2] == "CarePlan" else None


def _no_modifier(found: object, path: str) -> None:
    if isinstance(found, Mapping):
        for name, part in found.items():
            if name in ("modifierExtension", "implicitRules"):
                raise InvalidInput(f"{path}.{name}", "nothing: it may change what all else means")
            _no_modifier(part, f"{path}.{name}")
    elif isinstance(found, list):
        for n, part in enumerate(found):
            _no_modifier(part, f"{path}[{n}]")


def _path(kind: str, loc: Sequence[int | str]) -> str:
    """The path of an element as FHIR writes it; what cannot be one is not repeated."""
    parts = []
    for one in loc:
        if isinstance(one, str) and not _ELEMENT.fullmatch(one):
            break
        parts.append(f"[{one}]" if isinstance(one, int) else f".{one}")
    return kind + "".join(parts)


_ELEMENT = re.compile(r"[A-Za-z]{1,40}")


def _short(*parts: str) -> str:
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:20]
