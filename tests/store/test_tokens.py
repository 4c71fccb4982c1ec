"""Tokens on each database: created, recognised, expired, revoked and guessed at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from engine.access import HOW_TO_BEGIN, Gate, Tokens, caller_of, operator
from engine.access_log import AccessLog
from engine.errors import InvalidInput, StoreUnavailable
from engine.log_entry import Entry, Logged
from engine.permission import Action, Caller, Denied, How, Role, Why
from engine.store.access import SqlAccess
from engine.store.sql import SqlStore, open_store

NOW = datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Office:
    """What holds the keys of one tenant."""

    def __init__(self, store: SqlStore, tenant: str) -> None:
        self.tenant = tenant
        self.clock = Clock()
        self.numbers = itertools.count(1)
        self.access = SqlAccess(store)
        self.log = AccessLog(
            self.access,
            clock=self.clock,
            identity=lambda: f"{next(self.numbers):06}",
            tenant=tenant,
        )
        self.tokens = Tokens(self.access, self.log, clock=self.clock, random=self.random)
        self.gate = Gate(self.tokens, self.log, provider=None)

    def random(self, length: int) -> bytes:
        """Different each time, for each tenant, and always the same in a test run again."""
        seed = f"{self.tenant} {next(self.numbers)} ".encode()
        return (seed[::-1] * length)[:length]

    def create(self, *roles: str, **choices: object) -> tuple[str, str]:
        """The id of a new token, and its text."""
        issued = self.tokens.create(
            operator(self.tenant), name="ward", roles=roles or ("clinician",), **choices
        )  # type: ignore[arg-type]  # whatever a test passes on
        return issued.token.id, issued.text

    def entries(self) -> list[Entry]:
        return list(self.log.entries(self.tenant))


@pytest.fixture
def office(database: SqlStore, tenant: str) -> Iterator[Office]:
    return Office(database, tenant)


def test_a_token_is_recognised_as_what_it_was_created_for(office: Office):
    name, secret = office.create("service", actor_roles=["nurse"], sites=["north", "east"])

    assert office.tokens.identify(secret) == Caller(
        tenant=office.tenant,
        id=f"token:{name}",
        roles=frozenset({Role.SERVICE}),
        sites=frozenset({"north", "east"}),
        how=How.TOKEN,
        actor_roles=frozenset({"nurse"}),
    )


def test_a_token_names_its_id_and_holds_256_random_bits(office: Office):
    name, secret = office.create()
    mark, told, bits = secret.split("_", 2)

    assert (mark, told) == ("rgm", name)
    assert len(bits) == 43  # six bits each
    assert len(secret) < 100


def test_a_source_that_gives_too_little_makes_no_token(database: SqlStore, office: Office):
    office.tokens = Tokens(
        SqlAccess(database), office.log, clock=office.clock, random=lambda n: b"1" * (n - 1)
    )

    with pytest.raises(ValueError, match="32 random bytes"):
        office.create()


def test_the_secret_is_in_no_table(database: SqlStore, office: Office):
    _, secret = office.create()
    with database.engine.begin() as connection:
        stored = [
            str(row)
            for table in ("tokens", "access_log")
            for row in connection.execute(text(f"SELECT * FROM regimen_{table}"))
        ]

    assert stored
    assert not [row for row in stored if secret.split("_", 2)[2] in row]


def test_the_same_token_in_two_tenants_is_each_its_own(database: SqlStore, office: Office):
    other = Office(database, f"{office.tenant}-other")
    name, secret = office.create()

    found = other.tokens.identify(secret)
    assert isinstance(found, Caller)
    assert found.tenant == office.tenant
    assert other.tokens.list(other.tenant) == []
    assert other.tokens.revoke(operator(other.tenant), name) is None
    assert isinstance(office.tokens.identify(secret), Caller)


def denial(found: Caller | Denied) -> Denied:
    assert isinstance(found, Denied)
    return found


def test_an_expired_token_is_nobodys_from_that_instant_on(office: Office):
    name, secret = office.create(days=1)
    office.clock.time = NOW + DAY - timedelta(microseconds=1)
    assert isinstance(office.tokens.identify(secret), Caller)

    office.clock.time = NOW + DAY
    assert denial(office.tokens.identify(secret)).why is Why.EXPIRED
    assert denial(office.tokens.identify(secret)).actor == f"token:{name}"


def test_a_revoked_token_is_nobodys_at_once_and_for_good(office: Office):
    name, secret = office.create()
    by = operator(office.tenant)
    revoked = office.tokens.revoke(by, name)

    assert revoked is not None
    assert (revoked.revoked_at, revoked.revoked_by) == (NOW, "operator")
    assert denial(office.tokens.identify(secret)).why is Why.REVOKED

    office.clock.time = NOW + DAY
    assert office.tokens.revoke(by, name) == revoked
    assert [entry.action for entry in office.entries()] == [
        Logged.TOKEN_CREATED,
        Logged.TOKEN_REVOKED,
    ]


def test_a_wrong_secret_tells_nothing_of_the_token(office: Office):
    """Who does not know the secret must not learn that the token is over."""
    name, secret = office.create(days=1)
    office.tokens.revoke(operator(office.tenant), name)
    office.clock.time = NOW + 2 * DAY
    for wrong in (f"{secret[:-1]}!", secret[:-1], f"{secret}x", f"rgm_{name}_", f"rgm_{name}_é"):
        assert denial(office.tokens.identify(wrong)).why in (Why.WRONG_SECRET, Why.MALFORMED)


@pytest.mark.parametrize(
    "wrong",
    ["", "rgm", "rgm__", "rgm_a", "abc_a_b", "RGM_a_b", "rgm_a\x00_b", "rgm_a b_c", "rgm_a_" * 60],
)  # fmt: skip
def test_what_is_no_token_is_not_looked_up(office: Office, wrong: str):
    assert denial(office.tokens.identify(wrong)) == Denied(why=Why.MALFORMED)


def test_a_token_that_was_never_there_is_unknown(office: Office):
    assert denial(office.tokens.identify("rgm_0000_" + "a" * 43)) == Denied(why=Why.UNKNOWN_TOKEN)


def test_the_digest_of_a_secret_is_not_the_secret(office: Office):
    name, _ = office.create()
    token = office.access.token(name)

    assert token is not None
    assert denial(office.tokens.identify(f"rgm_{name}_{token.sha256}")).why is Why.WRONG_SECRET


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"roles": []}, "roles"),
        ({"roles": ["root"]}, "roles"),
        ({"roles": ["clinician", "clinicians"]}, "roles"),
        ({"roles": ["auditor", "clinician"]}, "roles"),
        ({"roles": ["auditor", "administrator"]}, "roles"),
        ({"actor_roles": ["nurse"]}, "actor_roles"),
        ({"roles": ["service"], "actor_roles": ["engine"]}, "actor_roles"),
        ({"roles": ["service"], "actor_roles": ["a nurse"]}, "actor_roles"),
        ({"sites": []}, "sites"),
        ({"sites": ["the north"]}, "sites"),
        ({"sites": [f"s{n}" for n in range(51)]}, "sites"),
        ({"name": "Jane Doe"}, "name"),
        ({"name": ""}, "name"),
        ({"days": 0}, "expires_days"),
        ({"days": -1}, "expires_days"),
        ({"days": 366}, "expires_days"),
    ],
)
def test_a_wrong_choice_makes_no_token_and_names_the_field(
    office: Office, choices: dict[str, object], field: str
):
    with pytest.raises(InvalidInput) as caught:
        office.tokens.create(
            operator(office.tenant), **{"name": "ward", "roles": ["clinician"], **choices}
        )

    assert caught.value.field == field
    assert office.tokens.list(office.tenant) == []
    assert office.entries() == []


def test_a_token_lives_ninety_days_unless_it_is_said_and_a_year_at_most(office: Office):
    short, long = office.create()[0], office.create(days=365)[0]
    found = {token.id: token.expires_at - NOW for token in office.tokens.list(office.tenant)}

    assert found == {short: 90 * DAY, long: 365 * DAY}


def test_tokens_are_listed_page_by_page_also_those_of_one_instant(office: Office):
    made = sorted(office.create()[0] for _ in range(5))
    office.clock.time = NOW + DAY
    made.append(office.create()[0])
    found: list[str] = []
    after = None
    while page := office.tokens.list(office.tenant, after=after, limit=2):
        found += [token.id for token in page]
        after = (page[-1].created_at, page[-1].id)

    assert found == made


def test_a_listed_token_comes_back_as_it_was_created(office: Office):
    issued = office.tokens.create(
        operator(office.tenant), name="w", roles=["prescriber", "clinician"], sites=["b", "a", "b"]
    )

    assert office.tokens.list(office.tenant) == [issued.token]
    assert issued.token.roles == (Role.CLINICIAN, Role.PRESCRIBER)
    assert issued.token.sites == ("a", "b")
    assert caller_of(issued.token).sites == {"a", "b"}


def test_a_creation_is_logged_with_its_scope_and_who_did_it(office: Office):
    name, _ = office.create("service", actor_roles=["nurse"], sites=["north"])
    (entry,) = office.entries()

    assert (entry.actor, entry.action, entry.at) == ("operator", Logged.TOKEN_CREATED, NOW)
    assert entry.about == {
        "token": name,
        "roles": ["service"],
        "actor_roles": ["nurse"],
        "sites": ["north"],
    }


def test_a_token_and_its_row_of_the_log_are_written_together_or_not_at_all(office: Office):
    """The second row has the id of the first: the log refuses it, and so there is no token."""
    office.log._identity = lambda: "same"  # type: ignore[method-assign]  # the crime
    office.create()

    with pytest.raises(Exception, match="append-only|pk_regimen_access_log|UNIQUE"):
        office.create()

    assert len(office.tokens.list(office.tenant)) == 1


def test_the_gate_knows_a_bearer_and_logs_who_is_none(office: Office):
    name, secret = office.create()

    assert isinstance(office.gate.identify(f"Bearer {secret}"), Caller)
    assert isinstance(office.gate.identify(f"bearer  {secret} "), Caller)
    for header in (None, "", "Basic dTpw", secret, "Bearer", "Bearer é", "Bearer eyJ.eyJ.x"):
        assert denial(office.gate.identify(header)).unidentified
    assert denial(office.gate.identify(f"Bearer rgm_{name}_guess")).unidentified
    told = [(e.actor, e.about["why"]) for e in office.entries() if e.action is Logged.DENIED]
    assert told == [
        ("nobody", "no-credential"),
        ("nobody", "malformed"),
        ("nobody", "unknown-token"),
        (f"token:{name}", "wrong-secret"),
    ]


def test_the_gate_logs_what_a_caller_may_not_do(office: Office):
    name, secret = office.create("scheduler", sites=["north"])
    caller = office.gate.identify(f"Bearer {secret}")
    assert isinstance(caller, Caller)

    assert office.gate.permit(caller, Action.READ_VISITS, site="north") is None
    for action, site in ((Action.READ_RECORDS, "north"), (Action.READ_VISITS, "south")):
        denied = office.gate.permit(caller, action, site=site, course="C-1")
        assert denied is not None
        assert not denied.unidentified
    (_, *told) = office.entries()
    assert [(e.actor, e.outcome, e.about) for e in told] == [
        (
            f"token:{name}",
            "denied",
            {"why": "role-may-not", "what": "read:records", "site": "north", "course": "C-1"},
        ),
        (
            f"token:{name}",
            "denied",
            {"why": "outside-its-sites", "what": "read:visits", "site": "south", "course": "C-1"},
        ),
    ]


def test_the_gate_logs_a_role_that_was_claimed_and_is_not_held(office: Office):
    _, secret = office.create("clinician")
    caller = office.gate.identify(f"Bearer {secret}")
    assert isinstance(caller, Caller)
    sent = {"event": "request_dose", "actor": "N-7", "course": "C-1"}

    assert office.gate.permit_event(caller, Action.WRITE_EVENTS, role="clinician", **sent) is None
    denied = office.gate.permit_event(caller, Action.WRITE_EVENTS, role="prescriber", **sent)

    assert denied is not None
    assert denied.why is Why.CLAIMED_ROLE
    assert office.entries()[-1].about["role"] == "prescriber"


def test_a_database_without_tables_lets_nobody_in(tmp_path: object, office: Office):
    store = open_store(f"sqlite:///{tmp_path}/empty.db")
    empty = Office(store, "clinic")

    with pytest.raises(StoreUnavailable, match="regimen migrate"):
        empty.gate.identify("Bearer rgm_a_b")
    store.close()


def test_the_first_start_says_how_to_begin():
    assert "regimen token create --name operator --role administrator" in HOW_TO_BEGIN
