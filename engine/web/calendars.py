"""What is asked and answered of the calendars that are shared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.core.wire import IDENTIFIER
from engine.web.schemas import Shape

_IDENTIFIER = f"^(?:{IDENTIFIER.pattern})$"
_NAMED = Annotated[str, Field(pattern=_IDENTIFIER)]


class OfSite(Shape):
    """The calendar of a site, or of a course."""

    scope: Literal["site", "course"]
    subject: _NAMED


class OfRole(Shape):
    """The calendar of a role, at sites."""

    scope: Literal["role"]
    subject: Literal["scheduler", "clinician", "prescriber"]
    sites: Annotated[
        list[_NAMED] | None,
        Field(min_length=1, max_length=50, description="null: every site that its maker sees."),
    ] = None


CALENDAR_REQUEST = {"anyOf": [OfSite.model_json_schema(), OfRole.model_json_schema()]}
"""Which calendar to share."""


class Calendar(Shape):
    """A calendar that is shared, without its secret."""

    id: str
    scope: Literal["site", "role", "course"]
    subject: str
    sites: list[str] | None
    created_at: str
    created_by: str
    revoked_at: str | None


class MadeCalendar(Calendar):
    """A calendar that was just made."""

    path: Annotated[str, Field(description="Of its URL, with the secret. It is not shown again.")]


class CalendarList(Shape):
    calendars: list[Calendar]
    next: Annotated[str | None, Field(description="The `after` of the next page.")]
