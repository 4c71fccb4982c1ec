"""One row of the access log: what it tells of, and whom it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.core.encoding import Json, instant_text


class Logged(StrEnum):
    """What the access log tells of. Stored: never rename a value."""

    DENIED = "access.denied"
    TOKEN_CREATED = "token.created"  # noqa: S105  # a word
    TOKEN_REVOKED = "token.revoked"  # noqa: S105  # a word
    ROLES_CHANGED = "roles.changed"
    CALENDAR_CREATED = "calendar.created"
    CALENDAR_REVOKED = "calendar.revoked"
    SITE_CHANGED = "site.changed"
    ENDPOINT_CREATED = "endpoint.created"
    ENDPOINT_CHANGED = "endpoint.changed"
    ENDPOINT_REMOVED = "endpoint.removed"
    MESSAGES_REPLAYED = "messages.replayed"
    READ = "read"
    EXPORTED = "exported"
    VERIFIED = "verified"
    REBUILT = "rebuilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of the access log. `about` holds ids, roles and numbers, and nothing clinical."""

    tenant: str
    at: datetime
    id: str
    actor: str
    action: Logged
    outcome: str
    about: Mapping[str, Json]

    def json(self) -> dict[str, Json]:
        """The row as it is shown to an auditor, wherever they ask."""
        return {
            "at": instant_text(self.at),
            "id": self.id,
            "actor": self.actor,
            "action": self.action.value,
            "outcome": self.outcome,
            "about": dict(self.about),
        }
