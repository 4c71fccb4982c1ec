"""What is sent and answered about signatures, sign-offs and custody, for the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from engine.core.formality import HASH
from engine.core.wire import IDENTIFIER, NAME
from engine.web.schemas import MarksDocument, Shape

_ID = Annotated[
    str | None,
    Field(
        pattern=f"^(?:{IDENTIFIER.pattern})$",
        description="Unique in the course; else the header Idempotency-Key.",
    ),
]
_CODE = Annotated[str, Field(pattern=f"^(?:{NAME.pattern})$")]
_HOLD = Annotated[str, Field(pattern=f"^(?:{IDENTIFIER.pattern})$")]
_RECORD = Annotated[int, Field(ge=1, lt=2**31)]


class Signer(Shape):
    """Who signs, in which role of the workflow."""

    id: Annotated[str, Field(pattern=f"^(?:{IDENTIFIER.pattern})$")]
    role: _CODE


class SignatureRequest(Shape):
    """A signature: of a record, by its hash, or of an event that will be sent, given whole."""

    id: _ID = None
    actor: Signer
    meaning: _CODE
    printed_name: Annotated[
        str, Field(min_length=1, max_length=4000, description="Of the signer; it can be erased.")
    ]
    record: _RECORD | None = None
    hash: Annotated[str, Field(pattern=f"^(?:{HASH.pattern})$")] | None = None
    event: dict[str, Any] | None = None
    token: Annotated[
        str | None,
        Field(max_length=200, description="The API token of this request, given again; not kept."),
    ] = None


class SignatureDocument(Shape):
    """A signature of a record, and whether it holds: the record is what was signed.

    `seq` is the record of the signature. A name that was erased is null.
    """

    seq: int
    actor: str
    role: str
    meaning: str
    printed_name: str | None
    at: str
    proof: Literal["host", "oidc", "terminal", "token"]
    by: Annotated[str, Field(description="Who was authenticated for it.")]
    holds: bool
    beforehand: bool
    late: bool


class RecordDocument(Shape):
    """A record: the JSON that was hashed, its hash, what is said of it by now, and who signed it.

    `unsigned` are the meanings of the signatures that its event asks for and that are not given.
    """

    seq: int
    hash: str
    record: dict[str, Any]
    late_entry: bool
    marks: MarksDocument
    signatures: list[SignatureDocument]
    unsigned: list[str]


class RecordList(Shape):
    """A page of the log."""

    course: str
    until: Annotated[int, Field(description="The last record of the moment that is shown.")]
    records: list[RecordDocument]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]


class SignOffRequest(Shape):
    """A sign-off: what somebody makes of a record that waits in a review queue."""

    id: _ID = None
    actor: Signer
    record: _RECORD
    outcome: Literal["accepted", "acted-on", "escalated"]
    queue: Annotated[
        Literal["deviation", "override", "late-entry", "refusal"] | None,
        Field(description="Only in this queue; else in all that the record is in."),
    ] = None
    comment: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4000,
            description="In words; it can be erased. Needed for `acted-on`.",
        ),
    ] = None
    reviewed_by: Annotated[
        _RECORD | None,
        Field(description="As its item had it: where it says other than now, nothing is recorded."),
    ] = None


class ErasureRequest(Shape):
    """Which texts are erased: all of the course, those of a record, or one."""

    id: _ID = None
    basis: Annotated[_CODE, Field(description="The code of the legal basis.")]
    record: _RECORD | None = None
    path: Annotated[str | None, Field(description="Such as `reason.text`.", max_length=200)] = None


class ErasureDocument(Shape):
    """What was erased. `scrubbed`: no byte of it is left in the files that are written to."""

    course: str
    seq: Annotated[int, Field(description="The record of the erasure.")]
    texts_left: int
    scrubbed: bool
    why_not: str | None
    scrub_with: Annotated[
        str | None, Field(description="What gets rid of the bytes that may be left.")
    ]


class LegalHoldRequest(Shape):
    """A legal hold, which keeps all texts of a course from being erased."""

    id: _ID = None
    hold: _HOLD
    reason: _CODE


class ReleaseRequest(Shape):
    """Why a legal hold is released."""

    id: _ID = None
    reason: _CODE


class LegalHold(Shape):
    """A legal hold in force."""

    hold: str
    record: Annotated[int, Field(description="The record that placed it.")]


class LegalHoldList(Shape):
    """The legal holds in force of a course."""

    course: str
    legal_holds: list[LegalHold]


class Place(Shape):
    """A place that an erasure does not reach; `found` is null where nobody can look from here."""

    place: str
    found: int | None
    what: str


class CustodyDocument(LegalHoldList):
    """Legal holds in force, and what an erasure does not reach."""

    places: list[Place]


def sent(model: type[BaseModel]) -> dict[str, Any]:
    """The body of a route, for the document: it is read by us."""
    schema = {"schema": model.model_json_schema()}
    return {"requestBody": {"required": True, "content": {"application/json": schema}}}
