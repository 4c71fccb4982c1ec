"""What is asked and answered of callers, their tokens and the access log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.core.wire import IDENTIFIER
from engine.web.schemas import Shape

Role = Literal[
    "scheduler", "clinician", "prescriber", "auditor", "administrator", "service", "records"
]


class CallerDocument(Shape):
    """Who asks, and what it may do."""

    id: Annotated[str, Field(description="What `actor.id` is of whoever signed in.")]
    tenant: str
    how: Literal["token", "oidc", "loopback", "command"]
    roles: list[Role]
    claimable: Annotated[list[str], Field(description="The roles that its events may carry.")]
    sites: Annotated[list[str] | None, Field(description="null: every site.")]
    may: Annotated[list[str], Field(description="The actions that it is permitted.")]


class TokenRequest(Shape):
    """A token to create. An auditor's has no other role; only a service's has actor roles."""

    name: Annotated[
        str,
        Field(
            description="Whose it is: a system or a pseudonym.",
            pattern=f"^(?:{IDENTIFIER.pattern})$",
        ),
    ]
    roles: Annotated[list[Role], Field(min_length=1, max_length=7)]
    actor_roles: Annotated[
        list[str], Field(max_length=50, description="What a service may claim.")
    ] = []  # noqa: RUF012  # pydantic copies it
    sites: Annotated[
        list[str] | None, Field(min_length=1, max_length=50, description="null: every site.")
    ] = None
    expires_days: Annotated[int, Field(ge=1, le=365)] = 90


class TokenDocument(Shape):
    """A token, without its secret."""

    id: str
    name: str
    roles: list[Role]
    actor_roles: list[str]
    sites: list[str] | None
    status: Literal["valid", "expired", "revoked"]
    created_at: str
    created_by: str
    expires_at: str
    revoked_at: str | None
    revoked_by: str | None


class IssuedToken(TokenDocument):
    """A token that was just created. Its text is shown here and never again."""

    text: str


class TokenList(Shape):
    tokens: list[TokenDocument]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]


class AccessEntry(Shape):
    """A row of the access log. `about` holds ids, roles and numbers."""

    at: str
    id: str
    actor: str
    action: str
    outcome: Literal["given", "denied"]
    about: dict[str, Any]


class AccessLogPage(Shape):
    entries: list[AccessEntry]
    next: Annotated[str | None, Field(description="The `cursor` of the next page.")]
