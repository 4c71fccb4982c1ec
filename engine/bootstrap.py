"""Where the parts are chosen: the only place that reads a clock and makes what is random.

Everything else is given its time, its salt and its store, so that it can be tested, simulated and
replayed. Importing this module loads the database library.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from engine import keys, packages
from engine.access import Access, Gate, Identifies, Tokens, operator
from engine.access_log import AccessLog
from engine.audit import Auditor
from engine.calendars import SharedCalendars
from engine.canaries import Canaries
from engine.clinic import Sites
from engine.core.blueprint import workflow_digest
from engine.core.definition import Workflow
from engine.core.encoding import Json
from engine.core.history import Mismatch
from engine.core.note import Note, VerifierKey
from engine.errors import InvalidInput, StoreUnavailable
from engine.feed import Feed
from engine.guard_report import GuardReports
from engine.inspection import Inspection, inspected
from engine.ledger import Ledger
from engine.logs import log
from engine.permission import Caller
from engine.ports import Store
from engine.privacy import Privacy
from engine.rebuilding import Rebuilder
from engine.registry import Registry
from engine.review import Reviews
from engine.service import Service
from engine.settings import Oidc, Settings
from engine.store import installation, sqlite
from engine.store.access import SqlAccess
from engine.store.calendars import SqlCalendars
from engine.store.canaries import SqlCanaries
from engine.store.checkpoints import SqlCheckpoints
from engine.store.checkup import Found
from engine.store.custody import SqlCustody
from engine.store.deliveries import SqlDeliveries
from engine.store.feed import SqlFeed
from engine.store.guard_reports import SqlGuardReports
from engine.store.holdings import mismatches
from engine.store.holdings import strays as stored_strays
from engine.store.ledger import SqlLedger
from engine.store.review import SqlReviews
from engine.store.sites import SqlSites
from engine.store.sql import SqlStore, open_store
from engine.store.tables import access_log
from engine.store.told import SqlTold
from engine.store.webhooks import SqlWebhooks
from engine.store.worklist import SqlLists
from engine.submission import Setting
from engine.verification import Verifications
from engine.watching import Unwatched, Watch
from engine.webhooks.addresses import Guard
from engine.webhooks.dispatcher import Dispatcher
from engine.webhooks.endpoints import Webhooks
from engine.webhooks.reply import Sender
from engine.worklist import Worklists
from engine.zones import Zones


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def service(settings: Settings, *, enrolling: bool = True) -> Service:
    """The use cases on the database of the settings.

    `enrolling` stores the workflows of the settings where they are missing, so that courses can
    begin; a service that only asks writes nothing. The tables must be there: see `migrate`.
    """
    store = open_store(settings.database_url)
    if enrolling:
        warn_of_old_sqlite(store)
    registry = installed(settings, store) if enrolling else Registry()
    return service_of(settings, store, registry)


def reader(settings: Settings) -> Callable[[], Store]:
    """What opens the database of the settings, here or in another process that it is sent to."""
    return partial(open_store, settings.database_url)


def service_of(
    settings: Settings, store: SqlStore, registry: Registry, watch: Watch | None = None
) -> Service:
    """The use cases of the tenant of the settings, on a store that is open."""
    return Service(
        store,
        Setting(
            tenant=settings.tenant,
            registry=registry,
            clock=SystemClock(),
            calendars=Zones(),
            salt=salt,
            version=engine_version(),
            skew=settings.skew,
            fresh=settings.fresh,
            watch=watch or Unwatched(),
        ),
    )


def access(settings: Settings, store: Store) -> Access:
    """Tokens, the access log and the gate, on the database of a store that was opened here.

    Nothing is asked of an identity provider yet. Raises InvalidInput when one is named and the
    library for its tokens is not installed.
    """
    database = _sql(store)
    entries = access_entries(settings, database)
    tokens = Tokens(SqlAccess(database), entries, clock=SystemClock(), random=secrets.token_bytes)
    provider = None if settings.oidc is None else _provider(settings.oidc, settings.tenant)
    return Access(tokens=tokens, log=entries, gate=Gate(tokens, entries, provider=provider))


def sites(service: Service) -> Sites:
    """The calendars of the sites that a service's courses are at."""
    setting = service.setting
    return Sites(
        store=SqlSites(_sql(service.store)),
        tenant=setting.tenant,
        clock=setting.clock,
        calendars=setting.calendars,
    )


def worklists(service: Service) -> Worklists:
    """The worklists of a service's courses."""
    setting = service.setting
    return Worklists(
        lists=SqlLists(_sql(service.store)),
        tenant=setting.tenant,
        clock=setting.clock,
        calendars=setting.calendars,
        registry=setting.registry,
    )


def canaries(settings: Settings, service: Service) -> Canaries:
    """The canary courses of a service's definitions."""
    return Canaries(service, SqlCanaries(_sql(service.store)), every=settings.canary)


def guard_reports(settings: Settings, service: Service) -> GuardReports:
    """What the guards of a service's courses did of late."""
    kept = SqlGuardReports(_sql(service.store))
    return GuardReports(service, kept, every=settings.guards)


def verifications(settings: Settings, service: Service) -> Verifications:
    """What verifies the whole log of a service's tenant."""
    return Verifications(
        Auditor(store=service.store, registry=service.setting.registry, tenant=service.tenant),
        access_entries(settings, _sql(service.store)),
        inspect=lambda: inspection(service),
        beside=lambda: holdings(settings, service),
        clock=service.setting.clock,
        every=settings.verify,
    )


def access_entries(settings: Settings, store: SqlStore) -> AccessLog:
    """The access log of a database."""
    return AccessLog(
        SqlAccess(store), clock=SystemClock(), identity=identity, tenant=settings.tenant
    )


def worker_of(tenant: str) -> Caller:
    """Who a worker is in the access log."""
    return operator(tenant, "worker")


def reviews(service: Service) -> Reviews:
    """The review queues of a service's courses."""
    return Reviews(queues=SqlReviews(_sql(service.store)), tenant=service.tenant)


def privacy(service: Service) -> Privacy:
    """Erasure and legal holds of a service's courses."""
    return Privacy(service, SqlCustody(_sql(service.store)))


def feed(service: Service) -> Feed:
    """The feed of a service's tenant. Its store must be one of `open_store`."""
    return Feed(
        store=SqlFeed(_sql(service.store)), tenant=service.tenant, clock=service.setting.clock
    )


def ledger(settings: Settings, service: Service, *, signing: bool = False) -> Ledger:
    """The ledger of a service's tenant; `signing`, by the keys of the settings.

    Raises InvalidInput for a key that cannot be used.
    """
    store = _sql(service.store)
    files = settings.ledger_key if signing else ()
    return Ledger(
        store=SqlLedger(store),
        checkpoints=SqlCheckpoints(store),
        feed=feed(service),
        clock=service.setting.clock,
        salts=secrets.token_bytes,
        signers=[keys.read_key(Path(file), place=keys.VARIABLE) for file in files],
    )


def inspection(
    service: Service, held: Sequence[Note] = (), trusted: Sequence[VerifierKey] = ()
) -> Inspection:
    """A tenant's ledger held against its records and against checkpoints that were kept."""
    store = _sql(service.store)
    return inspected(SqlLedger(store), SqlCheckpoints(store), service.tenant, held, trusted)


def holdings(settings: Settings, service: Service) -> list[Mismatch]:
    """What is wrong with what a tenant's database holds that is no single course's."""
    store = _sql(service.store)
    flaw = access_entries(settings, store).verify(service.tenant).flaw
    found = mismatches(store, service.tenant)
    if flaw is None:
        return found
    key: dict[str, Json] = {"position": flaw.position}
    return [Mismatch(table=access_log.name, key=key, what=str(flaw)), *found]


def strays(service: Service) -> list[Mismatch]:
    """What is kept of courses of which there is neither a row nor a record."""
    return stored_strays(_sql(service.store), service.tenant)


def rebuilder(service: Service) -> Rebuilder:
    """What writes anew what is kept of courses beside their records."""
    store, setting = _sql(service.store), service.setting
    auditor = Auditor(
        store=store, registry=setting.registry, tenant=setting.tenant, calendars=setting.calendars
    )
    return Rebuilder(store=store, auditor=auditor, clock=setting.clock)


def webhooks(settings: Settings, service: Service) -> Webhooks:
    """The endpoints of a service's tenant. Raises StoreUnavailable where nothing can send."""
    return Webhooks(
        store=SqlWebhooks(_sql(service.store)),
        deliveries=SqlDeliveries(_sql(service.store)),
        feed=feed(service),
        clock=service.setting.clock,
        guard=Guard(allowed=settings.webhook_allow),
        sender=_sender(settings),
        chance=secrets.token_bytes,
    )


def dispatcher(settings: Settings, service: Service) -> Dispatcher:
    """What delivers the messages of a service's tenant. Raises as `webhooks` does."""
    return Dispatcher(
        store=SqlWebhooks(_sql(service.store)),
        deliveries=SqlDeliveries(_sql(service.store)),
        feed=feed(service),
        clock=service.setting.clock,
        sender=_sender(settings),
        chance=secrets.SystemRandom().random,
        seconds=settings.webhook_seconds,
        kept=timedelta(days=settings.webhook_days),
    )


def can_send() -> bool:
    """Whether the library is installed that webhooks are sent with."""
    return find_spec("httpcore2") is not None


def calendars(
    settings: Settings, store: Store, services: Callable[[str], Service]
) -> SharedCalendars:
    """The calendars that are shared, of every tenant; `services` gives the use cases of one."""
    return SharedCalendars(
        store=SqlCalendars(_sql(store)),
        denials=access_entries(settings, _sql(store)),
        clock=SystemClock(),
        lists=lambda tenant: worklists(services(tenant)),
        sites=lambda tenant: sites(services(tenant)),
        random=secrets.token_bytes,
    )


def told(store: Store) -> SqlTold:
    """What was told of bookings and observations before, of every tenant."""
    return SqlTold(_sql(store))


def installed(settings: Settings, store: Store) -> Registry:
    """The workflows of the settings by name; those that the tenant lacks are checked and stored.

    Raises DefinitionError with every problem of one that is not well formed.
    """
    offered = packages.workflows_of(settings.workflows)
    digests = [(workflow, workflow_digest(workflow)) for workflow in offered]
    with store.transaction(settings.tenant, write=False) as tx:
        missing = [workflow for workflow, digest in digests if tx.definition(digest) is None]
    if missing:
        with store.transaction(settings.tenant) as tx:
            Registry().install(missing, tx)
    return Registry(_names(digests))


def migrate(
    settings: Settings, *, app_role: str | None = None, auditor_role: str | None = None
) -> installation.Migrated:
    """Bring the database to the tables of this engine; a SQLite file is made if need be.

    On PostgreSQL the roles are given what they may do with the tables, and are made if need be.
    Raises StoreUnavailable, also when a newer engine has been there or we may not do this, and
    InvalidInput for roles of SQLite.
    """
    store = open_store(settings.database_url)
    try:
        return installation.migrated(store, app_role=app_role, auditor_role=auditor_role)
    finally:
        store.close()


def examined(settings: Settings) -> tuple[Found, ...]:
    """How the database is set up, as far as it can be seen. Raises StoreUnavailable."""
    store = open_store(settings.database_url)
    try:
        return installation.examined(store)
    finally:
        store.close()


def has_tokens(settings: Settings) -> bool:
    """Whether the tenant ever had an API token. Raises StoreUnavailable."""
    store = open_store(settings.database_url)
    try:
        return bool(access(settings, store).tokens.list(settings.tenant, limit=1))
    finally:
        store.close()


def request_name() -> str:
    """A name for a request that nobody named."""
    return secrets.token_hex(8)


def salt() -> str:
    """What keeps a hashed free text from being guessed."""
    return secrets.token_hex(16)


def identity() -> str:
    """What nothing else is called."""
    return secrets.token_hex(8)


@cache
def engine_version() -> str:
    """The version of this engine, as every record names it."""
    try:
        return version("regimen-engine")
    except PackageNotFoundError:
        return "uninstalled"


def _sql(store: Store) -> SqlStore:
    if not isinstance(store, SqlStore):
        raise TypeError("expected a store on a database: see open_store")
    return store


def _sender(settings: Settings) -> Sender:
    if not can_send():
        raise StoreUnavailable("nothing to send webhooks with: install regimen-engine[web]")
    from engine.webhooks.sender import HttpSender  # noqa: PLC0415  # an extra brings its library

    return HttpSender(Guard(allowed=settings.webhook_allow), seconds=settings.webhook_seconds)


def _provider(oidc: Oidc, tenant: str) -> Identifies:
    try:
        from engine.identity import Keys, Provider, fetch  # noqa: PLC0415  # comes with an extra
    except ModuleNotFoundError:
        raise InvalidInput(
            "REGIMEN_OIDC_ISSUER", "regimen-engine[web], which is not installed"
        ) from None
    clock = SystemClock()
    if oidc.jwks_file is not None:
        return Provider(
            oidc=oidc,
            keys=Keys(Path(oidc.jwks_file).read_bytes, clock=clock),
            clock=clock,
            tenant=tenant,
        )
    keys = Keys(partial(fetch, oidc.jwks_url or ""), clock=clock)
    return Provider(oidc=oidc, keys=keys, clock=clock, tenant=tenant)


def warn_of_old_sqlite(store: SqlStore) -> None:
    """Say once per process that this SQLite can damage its file under several writers."""
    found = getattr(store.engine.dialect.dbapi, "sqlite_version_info", None)
    if found is not None:
        _warned(found)


@cache
def _warned(found: tuple[int, ...]) -> None:
    if sqlite.may_corrupt(found):
        log.warning(
            "sqlite_may_corrupt_its_file",
            version=".".join(map(str, found)),
            advice="pip install 'regimen-engine[sqlite]' brings one that cannot",
        )


def _names(digests: Iterable[tuple[Workflow, str]]) -> dict[str, str]:
    """A name stands for the last version offered, `name@version` for that one."""
    return {name: digest for w, digest in digests for name in (w.name, w.label)}
