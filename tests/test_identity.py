"""Bearer tokens of an identity provider: forged in every known way, and taken when right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwk, jwt
from joserfc.jws import JWSRegistry

from engine.core.wire import IDENTIFIER
from engine.identity import BETWEEN, LARGEST, STALE, Keys, Provider, fetch, key_set, subject_id
from engine.permission import Caller, Denied, How, Role, Why
from engine.settings import Oidc

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ISSUER, AUDIENCE = "https://id.example.org/realm", "regimen"
OIDC = Oidc(issuer=ISSUER, audience=AUDIENCE, jwks_url=f"{ISSUER}/keys")

RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
WEAK = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": "4" + "A" * 170}
"""A public key of 1024 bits, which no library makes without a warning."""
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec"})
ED = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"})
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
FORGED = jwk.ECKey.generate_key("P-256", {"kid": "ec"})
SECRET = jwk.OctKey.generate_key(256, {"kid": "secret"})
CLAIMS: Mapping[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "jane@example.org",
    "exp": NOW.timestamp() + 300,
    "iat": NOW.timestamp(),
    "roles": ["clinician", "offline_access"],
}


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Published:
    """A provider's keys, and how often somebody asked for them."""

    def __init__(self, *keys: jwk.Key) -> None:
        self.keys: tuple[jwk.Key, ...] = keys
        self.asked = 0
        self.wrong: bytes | Exception | None = None

    def __call__(self) -> bytes:
        self.asked += 1
        if isinstance(self.wrong, Exception):
            raise self.wrong
        if self.wrong is not None:
            return self.wrong
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()


class World:
    """A provider as we see it."""

    def __init__(self, oidc: Oidc = OIDC, *keys: jwk.Key) -> None:
        self.clock = Clock()
        self.published = Published(*(keys or (RSA, EC, ED)))
        self.provider = Provider(
            oidc=oidc,
            keys=Keys(self.published, clock=self.clock),
            clock=self.clock,
            tenant="default",
        )

    def seen(self, token: str) -> Caller | Denied:
        return self.provider.identify(token)

    def why(self, token: str) -> Why:
        found = self.seen(token)
        assert isinstance(found, Denied)
        return found.why


@pytest.fixture
def world() -> World:
    return World()


def signed(
    key: jwk.Key = RSA, alg: str = "RS256", header: Mapping[str, Any] | None = None, **claims: Any
) -> str:
    """A token; a claim or a header that is `None` is left out."""
    merged, named = _without({**CLAIMS, **claims}), {"alg": alg, "kid": key.kid, **(header or {})}
    registry = JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.get_alg = registry.algorithms.__getitem__  # type: ignore[method-assign]  # no warnings
    return jwt.encode(_without(named), merged, key, registry=registry)


def _without(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def raw(header: object, claims: object, signature: bytes = b"") -> str:
    """A token that no library would make."""
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature)
    )


@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")],
    ids=["RS256", "ES256", "EdDSA", "Ed25519"],
)
def test_who_signed_in_is_a_caller_with_the_roles_that_we_know(
    world: World, key: jwk.Key, alg: str
):
    assert world.seen(signed(key, alg)) == Caller(
        tenant="default",
        id=subject_id(ISSUER, "jane@example.org"),
        roles=frozenset({Role.CLINICIAN}),
        sites=None,
        how=How.OIDC,
    )


def test_a_callers_id_tells_no_address_fits_an_actor_and_is_its_issuers():
    found = subject_id(ISSUER, "jane@example.org")

    assert IDENTIFIER.fullmatch(found)
    assert "jane" not in found
    assert found == subject_id(ISSUER, "jane@example.org")
    assert found != subject_id("https://other.example.org", "jane@example.org")
    assert IDENTIFIER.fullmatch(subject_id(ISSUER, "\ud800"))


def test_a_token_that_is_not_signed_is_nobodys(world: World):
    for name in ("none", "None", "NONE", "nOnE"):
        assert world.why(raw({"alg": name, "kid": "rsa"}, CLAIMS)) is Why.ALGORITHM
    assert world.published.asked == 0


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_shared_secret(world: World, alg: str):
    """Whoever takes the algorithm of the header verifies with the public key as a password."""
    header = {"alg": alg, "kid": "rsa"}
    for known in (RSA.as_pem(private=False), json.dumps(RSA.as_dict(private=False)).encode()):
        text = raw(header, CLAIMS).rpartition(".")[0]
        signature = hmac.digest(known, text.encode(), hashlib.sha256)
        token = raw(header, CLAIMS, signature)

        assert world.why(token) is Why.ALGORITHM


def test_a_shared_secret_among_the_published_keys_verifies_nothing():
    published = json.dumps({"keys": [SECRET.as_dict(private=True), RSA.as_dict(private=False)]})

    assert [key.kid for key in key_set(published.encode())] == ["rsa"]
    assert World(OIDC, RSA).why(signed(SECRET, "HS256")) is Why.ALGORITHM


def test_an_algorithm_that_the_settings_leave_out_is_not_taken():
    narrow = World(replace(OIDC, algorithms=("ES256",)))

    assert narrow.why(signed()) is Why.ALGORITHM
    assert isinstance(narrow.seen(signed(EC, "ES256")), Caller)


@pytest.mark.parametrize("alg", ["RS384", "PS256", "RS512"])
def test_an_algorithm_that_nobody_listed_is_not_taken(world: World, alg: str):
    assert world.why(signed(RSA, alg)) is Why.ALGORITHM


def test_a_key_of_another_kind_than_the_algorithm_verifies_nothing(world: World):
    token = signed(EC, "ES256", header={"kid": "rsa"})

    assert world.why(token) is Why.SIGNATURE


def test_a_signature_by_another_key_of_that_name_is_wrong(world: World):
    assert world.why(signed(OTHER)) is Why.SIGNATURE


def test_a_changed_claim_breaks_the_signature(world: World):
    head, _, tail = signed().split(".")
    _, changed, _ = signed(roles=["administrator"]).split(".")

    assert world.why(f"{head}.{changed}.{tail}") is Why.SIGNATURE


def test_a_key_that_is_sent_along_or_pointed_at_is_not_taken(world: World):
    sent = signed(FORGED, "ES256", header={"jwk": FORGED.as_dict(private=False)})
    pointed = signed(OTHER, header={"jku": "https://evil.example.org/keys", "kid": "evil"})

    assert world.why(sent) is Why.SIGNATURE
    assert world.why(pointed) is Why.UNKNOWN_KEY


def test_a_weak_key_and_one_for_encryption_are_not_taken():
    sealing = jwk.RSAKey.generate_key(2048, {"kid": "enc", "use": "enc"})
    keys = [WEAK, *(key.as_dict(private=False) for key in (sealing, RSA))]

    assert [key.kid for key in key_set(json.dumps({"keys": keys}).encode())] == ["rsa"]


def test_a_key_that_cannot_be_read_hides_no_other():
    broken = [{"kty": "RSA", "kid": "b"}, {"kty": "ML-DSA"}, {}, 7, {"kty": "EC", "crv": "P-256"}]
    keys = [*broken, EC.as_dict(private=False)]

    assert [key.kid for key in key_set(json.dumps({"keys": keys}).encode())] == ["ec"]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://other.example.org"}, Why.ISSUER),
        ({"iss": f"{ISSUER}/"}, Why.ISSUER),
        ({"iss": None}, Why.ISSUER),
        ({"aud": "another"}, Why.AUDIENCE),
        ({"aud": ["another", "regimen2"]}, Why.AUDIENCE),
        ({"aud": {"regimen": 1}}, Why.AUDIENCE),
        ({"aud": None}, Why.AUDIENCE),
        ({"sub": None}, Why.CLAIM),
        ({"sub": ""}, Why.CLAIM),
        ({"sub": 7}, Why.CLAIM),
        ({"exp": None}, Why.CLAIM),
        ({"exp": "2099-01-01"}, Why.CLAIM),
        ({"exp": True}, Why.CLAIM),
        ({"roles": None}, Why.NO_ROLE),
        ({"roles": ["Clinician", "admin"]}, Why.NO_ROLE),
        ({"roles": {"clinician": True}}, Why.NO_ROLE),
        ({"roles": ["x"] * 60 + ["clinician"]}, Why.NO_ROLE),
    ],
)
def test_a_wrong_claim_is_nobodys(world: World, claims: dict[str, Any], why: Why):
    assert world.why(signed(**claims)) is why


def test_one_of_several_audiences_is_enough(world: World):
    assert isinstance(world.seen(signed(aud=["account", AUDIENCE])), Caller)


@pytest.mark.parametrize(
    ("seconds", "why"), [(-60, None), (59, None), (60, Why.EXPIRED), (3600, Why.EXPIRED)]
)
def test_a_token_expires_up_to_the_leeway(world: World, seconds: int, why: Why | None):
    world.clock.time = NOW + (300 + seconds) * SECOND
    found = world.seen(signed())

    assert (found.why if isinstance(found, Denied) else None) is why


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize(("lead", "why"), [(60, None), (61, Why.NOT_YET_VALID)])
def test_a_clock_that_leads_ours_is_borne_with_up_to_the_leeway(
    world: World, claim: str, lead: int, why: Why | None
):
    found = world.seen(signed(**{claim: NOW.timestamp() + lead}))

    assert (found.why if isinstance(found, Denied) else None) is why


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a.b", "a.b.c", "..", "a.b.c.d.e", "é.é.é", "x" * 20_000),
        raw({}, {}),
        raw([], {}),
        raw({"alg": ["RS256"]}, {}),
        raw({"alg": "RS256", "kid": "rsa"}, "text"),
        raw({"alg": "RS256", "kid": {"a": 1}}, {}),
        raw({"alg": "RS256", "kid": "rsa", "crit": ["x"]}, {}),
    ],
)
def test_what_is_no_token_is_nobodys(world: World, text: str):
    assert isinstance(world.seen(text), Denied)


def test_a_deeply_nested_token_is_nobodys(world: World):
    deep = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":' + b"[" * 150 + b"]" * 150 + b"}")

    assert isinstance(world.seen(f"{deep.rstrip(b'=').decode()}.e30.e30"), Denied)


def test_tenant_sites_roles_and_actor_roles_come_from_the_claims_that_the_settings_name():
    oidc = replace(
        OIDC,
        roles_claim="realm_access.roles",
        roles_prefix="regimen:",
        actor_roles_claim="https://example.org/acting",
        tenant_claim="org",
        sites_claim="sites",
    )
    token = signed(
        roles=["administrator"],
        realm_access={"roles": ["regimen:service", "clinician"]},
        org="north",
        sites="ward-1 ward-2",
        **{"https://example.org/acting": ["nurse", "engine", "a nurse"]},
    )

    found = World(oidc).seen(token)
    assert isinstance(found, Caller)
    assert (found.tenant, found.roles) == ("north", {Role.SERVICE})
    assert found.sites == {"ward-1", "ward-2"}
    assert found.actor_roles == found.claimable == {"nurse"}


@pytest.mark.parametrize("sites", [None, [], "", ["a b"], [7], {"ward-1": True}, "ward\x00"])
def test_a_token_that_names_no_site_sees_not_every_site(sites: object):
    assert World(replace(OIDC, sites_claim="sites")).why(signed(sites=sites)) is Why.CLAIM


def test_every_site_is_said_with_a_star():
    found = World(replace(OIDC, sites_claim="sites")).seen(signed(sites=["*"]))

    assert isinstance(found, Caller)
    assert found.sites is None


@pytest.mark.parametrize("tenant", [None, "", "a b", 7, ["default"]])
def test_a_token_that_names_no_tenant_is_not_of_the_default_one(tenant: object):
    assert World(replace(OIDC, tenant_claim="org")).why(signed(org=tenant)) is Why.CLAIM


def test_the_keys_are_fetched_once_for_many_tokens(world: World):
    for _ in range(20):
        assert isinstance(world.seen(signed()), Caller)

    assert world.published.asked == 1


def test_a_new_key_is_fetched_when_it_is_first_named():
    world = World(OIDC, EC)
    assert isinstance(world.seen(signed(EC, "ES256")), Caller)
    world.published.keys = (EC, RSA)
    world.clock.time = NOW + BETWEEN

    assert isinstance(world.seen(signed()), Caller)
    assert world.published.asked == 2


def test_unknown_keys_make_us_ask_seldom(world: World):
    for n in range(100):
        assert world.why(signed(OTHER, header={"kid": f"k{n}"})) is Why.UNKNOWN_KEY
    assert world.published.asked == 1

    world.clock.time = NOW + BETWEEN
    world.why(signed(OTHER, header={"kid": "k"}))
    assert world.published.asked == 2


def test_without_a_name_of_a_key_nothing_is_guessed_among_several(world: World):
    assert world.why(signed(header={"kid": None})) is Why.UNKNOWN_KEY


def test_a_withdrawn_key_is_not_taken_for_ever(world: World):
    assert isinstance(world.seen(signed()), Caller)
    world.published.keys = (EC,)
    world.clock.time = NOW + STALE

    assert world.why(signed(exp=NOW.timestamp() + 7200)) is Why.UNKNOWN_KEY


@pytest.mark.parametrize(
    "wrong",
    [OSError("no route"), TimeoutError(), b"<html>", b"{}", b'{"keys": []}', b"\xff", b"[]"],
)
def test_the_last_keys_stay_while_no_others_can_be_had(world: World, wrong: bytes | Exception):
    world.seen(signed())
    world.published.wrong = wrong
    world.clock.time = NOW + STALE
    late = signed(exp=NOW.timestamp() + 7200)

    assert isinstance(world.seen(late), Caller)
    assert isinstance(world.seen(late), Caller)
    assert world.published.asked == 2


def test_where_keys_were_never_had_it_is_our_fault_for_now(world: World):
    world.published.wrong = OSError("no route")
    found = world.seen(signed())

    assert found == Denied(why=Why.NO_KEYS)
    assert found.for_now
    world.seen(signed())
    assert world.published.asked == 1

    world.published.wrong = None
    world.clock.time = NOW + BETWEEN
    assert isinstance(world.seen(signed()), Caller)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = {"/keys": (200, b'{"keys": []}'), "/large": (200, b" " * (LARGEST + 1))}.get(
            self.path, (302 if self.path == "/moved" else 500, b"{}")
        )
        self.send_response(status)
        self.send_header("Location", "/keys")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # whoever had enough hangs up
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


def test_keys_are_fetched_as_they_are_published(server: str):
    assert fetch(f"{server}/keys") == b'{"keys": []}'


@pytest.mark.parametrize("path", ["/moved", "/broken", "/large"])
def test_keys_are_taken_from_no_other_address_and_no_error(server: str, path: str):
    with pytest.raises(OSError, match=r"^(status \d+|longer than any set of keys)$"):
        fetch(f"{server}{path}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/keys", "http://[", "http://nowhere.invalid/"])
def test_a_provider_that_is_not_there_is_an_error_of_the_network(url: str):
    with pytest.raises(OSError):  # noqa: PT011  # whatever the library says
        fetch(url)
