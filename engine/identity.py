"""People who signed in elsewhere: bearer tokens of an OpenID Connect provider.

- The signature is checked by `joserfc`, with an algorithm of the settings' list and a key of the
  provider's set, fetched by a function that is passed in or read from a file. `none` and the
  algorithms with a shared secret are in no list.
- Issuer, audience and times are checked; a token without an expiry or a subject is none.
- A subject may be an e-mail address, and the records are kept for ever: a caller's id is a digest
  of issuer and subject. It is stable, fits an event's actor, and tells the provider's operator who
  it was. It hides no subject that somebody can guess.
- A claim that says how far a caller may go is never guessed: where it is set to be read and is not
  in the token, the token is denied.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx2
from joserfc import jwk, jwt
from joserfc.errors import (
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
    UnsupportedAlgorithmError,
)
from joserfc.jws import JWSRegistry

from engine.core.encoding import Json
from engine.core.event import ENGINE
from engine.core.wire import IDENTIFIER
from engine.logs import log
from engine.permission import Caller, Denied, How, Role, Why
from engine.ports import Clock
from engine.settings import Oidc

BETWEEN = timedelta(seconds=30)
"""Between two fetches at least, whatever unknown keys somebody names."""
STALE = timedelta(hours=1)
"""After so long the keys are fetched again, so that a withdrawn one is not taken for ever."""
TIMEOUT = 5.0
"""Seconds that the provider has for each part of its answer."""
LARGEST = 1 << 20
RSA_BITS = 2048
LONGEST = 16_384
"""No bearer token is longer: it travels in a header."""
MOST = 50
"""How many sites or roles of a token are looked at."""
EVERY_SITE = "*"


class NoKeys(Exception):
    """The provider's keys were never had, so that nobody can be recognised."""


class Keys:
    """The provider's public keys: kept, and fetched again when one is not known or they are old.

    `fetch` gives the JSON Web Key Set as it was published, and raises OSError where it cannot. The
    last keys stay in use while it fails.
    """

    def __init__(self, fetch: Callable[[], bytes], *, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: jwk.KeySet | None = None
        self._tried: datetime | None = None
        self._fetched: datetime | None = None
        self._lock = threading.Lock()

    def key(self, kid: str | None, algorithm: str) -> jwk.Key:
        """The key of that name for an algorithm. Raises NoKeys, and InvalidKeyIdError."""
        now = self._clock.now()
        if self._fetched is None or not timedelta() <= now - self._fetched < STALE:
            # With keys at hand only one asks for newer ones, and nobody waits for it.
            self._refresh(now, wait=self._keys is None)
        try:
            return self._known(kid, algorithm)
        except InvalidKeyIdError:
            self._refresh(now)
            return self._known(kid, algorithm)

    def _known(self, kid: str | None, algorithm: str) -> jwk.Key:
        if self._keys is None:
            raise NoKeys
        return self._keys.get_by_kid(kid, {"use": "sig", "alg": algorithm})

    def _refresh(self, now: datetime, *, wait: bool = True) -> None:
        """Fetch the keys, unless that was tried a moment ago."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if self._tried is None or not timedelta() <= now - self._tried < BETWEEN:
                self._tried = now
                self._keys, self._fetched = key_set(self._fetch()), now
        except (OSError, ValueError) as wrong:
            log.warning("identity_keys_unavailable", error=type(wrong).__name__)
        finally:
            self._lock.release()


def fetch(url: str) -> bytes:
    """What is published there, never by way of another address. Raises OSError."""
    try:
        with httpx2.stream("GET", url, timeout=TIMEOUT, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise OSError(f"status {answer.status_code}")
            taken = bytearray()
            for part in answer.iter_bytes():
                taken += part
                if len(taken) > LARGEST:
                    raise OSError("longer than any set of keys")
            return bytes(taken)
    except (httpx2.HTTPError, httpx2.InvalidURL) as wrong:
        raise OSError(type(wrong).__name__) from wrong


def key_set(published: bytes) -> jwk.KeySet:
    """The keys of a JSON Web Key Set that may verify. Raises ValueError when there is none."""
    document = json.loads(published)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("a JSON Web Key Set has a list of keys")
    keys = [key for one in listed if (key := _public(one)) is not None]
    if not keys:
        raise ValueError("no key of the set can verify")
    return jwk.KeySet(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Recognises the bearer tokens of one provider, as the settings describe it.

    `tenant` is whose its people are when no claim says so.
    """

    oidc: Oidc
    keys: Keys
    clock: Clock
    tenant: str
    _registry: JWSRegistry = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_registry", _Allowed(self.oidc.algorithms))

    def identify(self, text: str) -> Caller | Denied:
        """Whose token a text is, or why it is nobody's."""
        if len(text) > LONGEST:
            return Denied(why=Why.MALFORMED)
        try:
            claims = jwt.decode(text, self._key, registry=self._registry).claims
            self._times_and_parties(claims)
        except NoKeys:
            return Denied(why=Why.NO_KEYS)
        except (JoseError, ValueError, TypeError, RecursionError) as wrong:
            return Denied(why=_why(wrong))
        return self._caller(claims)

    def _key(self, signed: Any) -> jwk.Key:  # noqa: ANN401  # joserfc's
        header = signed.headers()
        kid = header.get("kid")
        algorithm = header["alg"]
        # Looked at before a key is: an unknown one must not make us fetch.
        self._registry.get_alg(algorithm)
        return self.keys.key(kid if isinstance(kid, str) else None, algorithm)

    def _times_and_parties(self, claims: Mapping[str, Json]) -> None:
        expected = jwt.JWTClaimsRegistry(
            now=int(self.clock.now().timestamp()),
            leeway=int(self.oidc.leeway.total_seconds()),
            iss={"essential": True, "value": self.oidc.issuer},
            aud={"essential": True, "value": self.oidc.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        expected.validate(dict(claims))

    def _caller(self, claims: Mapping[str, Json]) -> Caller | Denied:
        oidc = self.oidc
        actor = subject_id(oidc.issuer, claims["sub"])
        tenant = self.tenant
        sites: frozenset[str] | None = None
        if oidc.tenant_claim is not None:
            named = _claim(claims, oidc.tenant_claim)
            if not isinstance(named, str) or not IDENTIFIER.fullmatch(named):
                return Denied(why=Why.CLAIM, actor=actor)
            tenant = named
        if oidc.sites_claim is not None:
            listed = _names(_claim(claims, oidc.sites_claim))
            sites = None if EVERY_SITE in listed else frozenset(_identifiers(listed))
            if sites is not None and not sites:
                return Denied(why=Why.CLAIM, actor=actor, tenant=tenant)
        named_roles = _names(_claim(claims, oidc.roles_claim))
        start = oidc.roles_prefix
        roles = frozenset(role for role in Role if f"{start}{role.value}" in named_roles)
        if not roles:
            return Denied(why=Why.NO_ROLE, actor=actor, tenant=tenant)
        acting = [] if oidc.actor_roles_claim is None else _claim(claims, oidc.actor_roles_claim)
        return Caller(
            tenant=tenant,
            id=actor,
            roles=roles,
            sites=sites,
            how=How.OIDC,
            actor_roles=frozenset(_identifiers(_names(acting))) - {ENGINE},
            authenticated_at=_instant(claims.get("auth_time")),
        )


class _Allowed(JWSRegistry):
    """The algorithms of the settings, and no others."""

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        # Headers that nobody needs are no error: RFC 7515 says to ignore them.
        super().__init__(algorithms=algorithms, strict_check_header=False)
        self._names = algorithms

    def get_alg(self, name: str) -> Any:  # noqa: ANN401  # joserfc keeps the type to itself
        # The library warns of EdDSA at each use: most providers still call Ed25519 by that name.
        if name not in self._names:
            raise UnsupportedAlgorithmError("the algorithm is not allowed")
        return self.algorithms[name]


def subject_id(issuer: str, subject: str) -> str:
    """The pseudonym of somebody who signed in, as events and the access log carry it."""
    both = f"{issuer}\n{subject}"  # an issuer is a URL, which has no such character
    digest = sha256(both.encode(errors="surrogatepass")).hexdigest()
    return f"oidc:{digest[:40]}"


def _public(one: Json) -> jwk.Key | None:
    """A key that may verify a signature; others in a set are ignored."""
    # A shared secret ("oct") has no place in what is published.
    if not isinstance(one, dict) or one.get("kty") == "oct" or one.get("use", "sig") != "sig":
        return None
    modulus = one.get("n")
    if isinstance(modulus, str) and len(modulus) * 6 < RSA_BITS:  # the library takes it, and warns
        return None
    try:
        key = jwk.import_key(one)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _why(wrong: Exception) -> Why:
    match wrong:
        case ExpiredTokenError():
            return Why.EXPIRED
        case UnsupportedAlgorithmError():
            return Why.ALGORITHM
        case InvalidKeyIdError():
            return Why.UNKNOWN_KEY
        case InvalidClaimError() | MissingClaimError():
            return _CLAIMS.get(getattr(wrong, "claim", ""), Why.CLAIM)
        case JoseError() if type(wrong).__name__ in _OF_SIGNATURES:
            return Why.SIGNATURE
        case _:
            return Why.MALFORMED


_CLAIMS = {
    "iss": Why.ISSUER,
    "aud": Why.AUDIENCE,
    "nbf": Why.NOT_YET_VALID,
    "iat": Why.NOT_YET_VALID,
}
_OF_SIGNATURES = {"BadSignatureError", "InvalidKeyTypeError", "InvalidKeyCurveError"}


def _claim(claims: Mapping[str, Json], name: str) -> Json:
    """A claim by its name, or by the path to it with dots between, as some providers nest them."""
    if name in claims:
        return claims[name]
    found: Json = claims
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    return found


def _names(raw: Json) -> list[str]:
    """The words of a claim, a list or one text with blanks between, as scopes are."""
    words = raw.split() if isinstance(raw, str) else raw
    if not isinstance(words, list) or len(words) > MOST:
        return []
    return [one for one in words if isinstance(one, str)]


def _instant(raw: Json) -> datetime | None:
    """A time of a claim, in seconds of Unix; `None` for what is none."""
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw < _FAR:
        return None
    return datetime.fromtimestamp(raw, UTC)


_FAR = 4_102_444_800
"""The year 2100: no time of a claim lies there."""


def _identifiers(names: list[str]) -> list[str]:
    """Those that could name a site or a role of a workflow."""
    return [name for name in names if IDENTIFIER.fullmatch(name)]
