"""A workflow whose titles would be markup, if anybody let them, and a course of it with everything.

Signatures that hold and that are lacking, an override, a correction with an open finding, and a
variable that was made of what was corrected.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from engine.core.definition import Signature, Variable
from engine.core.encoding import instant_text
from engine.core.event import FORMAT
from engine.core.expression import Latest, greatest
from engine.core.quantity import q
from engine.service import Service
from engine.signatures import Proved, Signatures
from workflows import instrument_calibration

HOSTILE = """<script>alert(1)</script> "quoted" & 'so' </td>"""
ASKED = Signature(meaning="measured", second=True, roles=("metrologist",))
LARGEST = Variable(
    name="largest_deviation",
    kind="quantity",
    unit="um",
    initial=q("0", "um"),
    title=f"Largest deviation {HOSTILE}",
)
WORKFLOW = replace(
    instrument_calibration.WORKFLOW,
    name="signed_calibration",
    title=f"Calibration {HOSTILE}",
    variables=(*instrument_calibration.WORKFLOW.variables, LARGEST),
    events=tuple(
        replace(
            one, signature=ASKED, updates={LARGEST.name: greatest(LARGEST, Latest("deviation"))}
        )
        if one.name == "measurement_recorded"
        else one
        for one in instrument_calibration.WORKFLOW.events
    ),
    states=tuple(
        replace(one, title=f"{one.title} {HOSTILE}")
        for one in instrument_calibration.WORKFLOW.states
    ),
)
ALL = (WORKFLOW,)

MEASURED = {"deviation": {"value": "3", "unit": "um"},
            "room_temperature": {"value": "23", "unit": "Cel"}}  # fmt: skip
OVERRIDE = {"code": "expansion-corrected", "guards": ["room_near_reference"], "text": HOSTILE}
WRONG = {"record": 3, "input": "deviation", "value": {"value": "9", "unit": "um"}}


def told(service: Service, course: str) -> None:
    """A calibration that is signed, released by an override, and put in question afterwards."""
    ids = (f"{course}-{n}" for n in itertools.count(1))
    begun = {"workflow": "signed_calibration", "patient": f"patient-of-{course}",
             "site": "north", "zone": "UTC"}  # fmt: skip
    _send(service, course, ids, "course.enrolled", **begun)
    reason = {"text": HOSTILE}
    _send(service, course, ids, "measurement_recorded", data=MEASURED, reason=reason)
    _send(service, course, ids, "measurement_recorded", data=MEASURED)
    signed = service.records(course)[1]
    for who, meaning in (("ann", "measured"), ("bob", "verified")):
        what = {"record": 2, "hash": signed.hash, "meaning": meaning,
                "printed_name": f"Dr {who} {HOSTILE}"}  # fmt: skip
        Signatures(service).sign(
            course, id=next(ids), actor={"id": who, "role": "metrologist"}, what=what,
            proved=Proved(kind="host", by=who, at=service.setting.clock.now()),
        )  # fmt: skip
    _send(service, course, ids, "release_instrument", override=OVERRIDE)
    reason = {"code": "typing", "text": HOSTILE}
    _send(service, course, ids, "course.corrected", data=WRONG, reason=reason)


def _send(service: Service, course: str, ids: Iterator[str], name: str, **more: Any) -> None:
    at = instant_text(service.setting.clock.now())
    actor = {"id": "ann", "role": "metrologist"}
    own = {"format": FORMAT, "id": next(ids), "course": course, "event": name, "at": at}
    answer = service.submit({**own, "actor": actor, **more})
    assert answer.verdict == "accepted", answer.decision
