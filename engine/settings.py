"""What an installation chooses: read from the environment once, checked at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from engine.environment import PREFIX, Environment, Network, networks, whole
from engine.errors import InvalidInput
from engine.traffic import VARIABLES as TRAFFIC_VARIABLES
from engine.traffic import Traffic

LOG_FORMS = ("console", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")


ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
"""What a bearer token may be signed with: never with nothing, never with a shared secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """An identity provider, and which claims of its tokens say what.

    The keys come from `jwks_url` or from `jwks_file`. `leeway` is how far its clock may differ.
    Without `tenant_claim` its people are of the settings' tenant, without `sites_claim` of every
    site; `roles_prefix` is what the names of our roles begin with in its tokens.
    """

    issuer: str
    audience: str
    jwks_url: str | None = None
    jwks_file: str | None = None
    algorithms: tuple[str, ...] = ALGORITHMS
    leeway: timedelta = timedelta(seconds=60)
    roles_claim: str = "roles"
    roles_prefix: str = ""
    actor_roles_claim: str | None = None
    tenant_claim: str | None = None
    sites_claim: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices of an installation, each with what holds when nobody chooses.

    `workflows` are the packages whose `ALL` may be enrolled in; courses that run already need none
    of them. `actor` is who works at the terminal, else whom the operating system knows. `skew` is
    how far an event's time may lead the system's clock, `fresh` how long ago a signer may have
    proved who they are. `oidc` is the identity provider whose bearer tokens are taken; there is
    none unless its issuer is named.
    `webhook_allow` are networks that messages may be sent to though they are not public;
    `webhook_seconds` is by when an endpoint has to have answered, `webhook_days` for how long it is
    kept what was delivered. `canary` is how often a worker exercises the definitions in use,
    `guards` how often it counts what guards did, `verify` how often it verifies the whole log;
    `None` is never. `ledger_key` are files of keys that sign checkpoints. `traffic` are the
    bounds of the HTTP service.
    """

    database_url: str = "sqlite:///regimen.db"
    tenant: str = "default"
    actor: str | None = None
    log: str = "console"
    log_level: str = "warning"
    workflows: tuple[str, ...] = ("workflows",)
    skew: timedelta = timedelta(minutes=5)
    fresh: timedelta = timedelta(minutes=5)
    oidc: Oidc | None = None
    webhook_allow: tuple[Network, ...] = ()
    webhook_seconds: int = 15
    webhook_days: int = 30
    canary: timedelta | None = timedelta(hours=24)
    guards: timedelta | None = timedelta(hours=24)
    verify: timedelta | None = timedelta(hours=24)
    ledger_key: tuple[str, ...] = ()
    traffic: Traffic = field(default_factory=Traffic)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, log_level: str = "warning") -> Self:
        """The choices of the environment; `log_level` holds where it names none.

        Raises InvalidInput, naming the variable and what was expected.
        """
        chosen, default = Environment(environ).chosen, cls(log_level=log_level)
        return cls(
            database_url=chosen("DATABASE_URL", database_url, default.database_url),
            tenant=chosen("TENANT", tenant_name, default.tenant),
            actor=chosen("ACTOR", tenant_name, default.actor),
            log=chosen("LOG", _one_of(LOG_FORMS), default.log),
            log_level=chosen("LOG_LEVEL", _one_of(LOG_LEVELS), default.log_level),
            workflows=chosen("WORKFLOWS", _packages, default.workflows),
            skew=chosen("SKEW", _elapsed(0, _A_DAY), default.skew),
            fresh=chosen("FRESH", _elapsed(1, _AN_HOUR), default.fresh),
            oidc=_oidc(environ),
            webhook_allow=chosen("WEBHOOK_ALLOW", networks("networks"), default.webhook_allow),
            webhook_seconds=chosen("WEBHOOK_SECONDS", _a_minute, default.webhook_seconds),
            webhook_days=chosen("WEBHOOK_DAYS", _ten_years, default.webhook_days),
            canary=chosen("CANARY_HOURS", _hours, default.canary),
            guards=chosen("GUARDS_HOURS", _hours, default.guards),
            verify=chosen("VERIFY_HOURS", _hours, default.verify),
            ledger_key=chosen("LEDGER_KEY", _files, default.ledger_key),
            traffic=Traffic.from_environment(environ),
        )


def problems_of(environ: Mapping[str, str]) -> list[InvalidInput]:
    """All that is wrong with the choices of an environment, by name; unknown names are, too."""
    found = [
        InvalidInput(name, "a variable of docs/operate.md: nothing is chosen by this one")
        for name in sorted(environ)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in VARIABLES
    ]
    left = {
        name: text
        for name, text in environ.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) in VARIABLES
    }
    while True:
        try:
            Settings.from_environment(left)
        except InvalidInput as wrong:
            if wrong.field not in (one.field for one in found):
                found.append(wrong)
            # Without what is wrong the next one shows.
            if left.pop(wrong.field, None) is None:
                group = _OIDC if wrong.field.startswith(_OIDC) else PREFIX
                left = {name: text for name, text in left.items() if not name.startswith(group)}
        else:
            break
    return sorted(found, key=lambda one: one.field)


def database_url(variable: str, text: str) -> str:
    """The URL of a database; what is no URL is the path of a SQLite file.

    Raises InvalidInput for another kind of database; it never shows the text, which may hold a
    password.

    >>> database_url("--db", "courses.db"), database_url("--db", "postgres://host/courses")
    ('sqlite:///courses.db', 'postgresql://host/courses')
    """
    text = text.strip()
    scheme, mark, rest = text.partition("://")
    kind = scheme.partition("+")[0].lower()
    if not text:
        raise InvalidInput(variable, _A_DATABASE, found="nothing")
    if kind == "sqlite" and mark and not rest.partition("?")[0].strip("/") and rest:
        raise InvalidInput(variable, _A_DATABASE, found="a URL that names no file")
    if ":memory:" in text or (kind == "sqlite" and mark and not rest):
        raise InvalidInput(variable, _A_DATABASE, found="one in memory, which nobody sees again")
    if not mark:
        return f"sqlite:///{text.replace('%', '%25').replace('?', '%3F')}"
    if kind not in ("sqlite", "postgres", "postgresql"):
        raise InvalidInput(variable, _A_DATABASE, found=f"a URL of {kind or 'nothing'}")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise InvalidInput(variable, "a URL whose port is a number") from None
    return f"postgresql://{rest}" if kind == "postgres" else text


def tenant_name(variable: str, text: str) -> str:
    """The name of a tenant. Raises InvalidInput for what is none."""
    if not _IDENTIFIER.fullmatch(text):
        raise InvalidInput(variable, "1 to 64 letters, digits and . _ : -", found=repr(text))
    return text


_A_DATABASE = "a file such as courses.db, or a URL such as postgresql://host/courses"
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PACKAGE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_A_DAY, _AN_HOUR = 86_400, 3600
_MOST_HOURS = 168


def _one_of(words: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(variable: str, text: str) -> str:
        if text.lower() not in words:
            raise InvalidInput(variable, f"one of {', '.join(words)}", found=repr(text))
        return text.lower()

    return read


def _packages(variable: str, text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if not _PACKAGE.fullmatch(name):
            raise InvalidInput(variable, "names of packages with commas between", found=repr(name))
    return names


_a_minute = whole(1, 60, "whole seconds")
_ten_years = whole(1, 3650, "whole days")


def _elapsed(least: int, most: int) -> Callable[[str, str], timedelta]:
    read = whole(least, most, "whole seconds")
    return lambda variable, text: timedelta(seconds=read(variable, text))


def _hours(variable: str, text: str) -> timedelta | None:
    found = whole(0, _MOST_HOURS, "whole hours")(variable, text)
    return timedelta(hours=found) if found else None


_OIDC = f"{PREFIX}OIDC_"
_MOST_LEEWAY = 300
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _oidc(environ: Mapping[str, str]) -> Oidc | None:
    """The identity provider of the environment. Raises InvalidInput, naming the variable."""
    given = {
        name.removeprefix(_OIDC): text.strip()
        for name, text in environ.items()
        if name.startswith(_OIDC) and text.strip()
    }
    for name in given:
        if name not in _OIDC_NAMES:
            known = ", ".join(_OIDC + one for one in _OIDC_NAMES)
            raise InvalidInput(_OIDC + name, f"no such variable, only {known}")
    if not given:
        return None
    for name in ("ISSUER", "AUDIENCE"):
        if name not in given:
            raise InvalidInput(_OIDC + name, f"a value, since {_OIDC}{min(given)} is set")
    if ("JWKS_URL" in given) == ("JWKS_FILE" in given):
        raise InvalidInput(f"{_OIDC}JWKS_URL", f"either this or {_OIDC}JWKS_FILE, and not both")
    members = {name.lower(): _OIDC_NAMES[name](_OIDC + name, text) for name, text in given.items()}
    return Oidc(**members)


def _plain(variable: str, text: str) -> str:
    if not text.isprintable() or len(text) > 200:
        raise InvalidInput(variable, "up to 200 printable characters")
    return text


def _web_address(variable: str, text: str) -> str:
    """An address whose answer nobody on the way can change."""
    expected = "an https URL without a password (http on this machine alone)"
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise InvalidInput(variable, expected) from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not safe or not host or "@" in parts.netloc:
        raise InvalidInput(variable, expected)
    return text


def _file(variable: str, text: str) -> str:
    if not Path(text).is_file():
        raise InvalidInput(variable, "a file that is there", found=repr(text))
    return text


def _files(variable: str, text: str) -> tuple[str, ...]:
    return tuple(_file(variable, part.strip()) for part in text.split(","))


def _algorithms(variable: str, text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    for name in names:
        if name not in ALGORITHMS:
            expected = f"some of {', '.join(ALGORITHMS)}, with commas between"
            raise InvalidInput(variable, expected, found=repr(name))
    return names


_OIDC_NAMES: Mapping[str, Callable[[str, str], Any]] = {
    "ISSUER": _web_address,
    "AUDIENCE": _plain,
    "JWKS_URL": _web_address,
    "JWKS_FILE": _file,
    "ALGORITHMS": _algorithms,
    "LEEWAY": _elapsed(0, _MOST_LEEWAY),
    "ROLES_CLAIM": _plain,
    "ROLES_PREFIX": _plain,
    "ACTOR_ROLES_CLAIM": _plain,
    "TENANT_CLAIM": _plain,
    "SITES_CLAIM": _plain,
}

VARIABLES = (
    *("DATABASE_URL", "TENANT", "ACTOR", "LOG", "LOG_LEVEL", "WORKFLOWS", "SKEW", "FRESH"),
    *("WEBHOOK_ALLOW", "WEBHOOK_SECONDS", "WEBHOOK_DAYS", "LEDGER_KEY", "CANARY_HOURS"),
    *("GUARDS_HOURS", "VERIFY_HOURS"),
    *TRAFFIC_VARIABLES,
    *(f"OIDC_{name}" for name in _OIDC_NAMES),
)
"""Every name that an installation may choose something by, without the prefix."""
