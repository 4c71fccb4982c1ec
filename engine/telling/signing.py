"""Which signatures a kind of event asks for, in words."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.encoding import Json


def signature_said(asked: Mapping[str, Json]) -> str:
    """What `inquiry.asked_json` tells, in a few words."""
    said = f"needs a signature {asked['when']} ({asked['meaning']})"
    if asked["second"] is None:
        return said
    second = asked["second"]
    return f"{said}, and a second person's ({second['meaning']}; {', '.join(second['roles'])})"
