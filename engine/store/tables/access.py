"""Who may come in, what was shared, and who looked at what."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text

from engine.store.tables.base import PREFIX, Instant, Name, metadata

tokens = Table(
    f"{PREFIX}tokens",
    metadata,
    Column("id", Name, nullable=False, doc="Public: it is part of the token, and is listed."),
    Column("tenant", Name, nullable=False),
    Column("name", Name, nullable=False, doc="Whose it is: a system or a pseudonym."),
    Column("sha256", Name, nullable=False, doc="Of the secret part, which nobody keeps."),
    Column("roles", Text, nullable=False, doc="A JSON array."),
    Column("actor_roles", Text, nullable=False, doc="A JSON array: what it may claim beside them."),
    Column("sites", Text, doc="A JSON array; unset for every site."),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Name, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_by", Name),
    PrimaryKeyConstraint("id", name=f"pk_{PREFIX}tokens"),
)
Index(f"ix_{PREFIX}tokens_tenant", tokens.c.tenant, tokens.c.created_at)

calendar_feeds = Table(
    f"{PREFIX}calendar_feeds",
    metadata,
    Column("id", Name, nullable=False),
    Column("tenant", Name, nullable=False),
    Column("sha256", Name, nullable=False, doc="Of the secret part of its URL."),
    Column("scope", Name, nullable=False, doc="site, role or course."),
    Column("subject", Name, nullable=False, doc="The name of that."),
    Column("sites", Text, doc="A JSON array: whose visits it may show; unset for every site."),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Name, nullable=False),
    Column("revoked_at", Instant),
    PrimaryKeyConstraint("id", name=f"pk_{PREFIX}calendar_feeds"),
)

access_log = Table(
    f"{PREFIX}access_log",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("at", Instant, nullable=False),
    Column("id", Name, nullable=False),
    Column("actor", Name, nullable=False, doc="A token, a subject, or nobody."),
    Column("action", Name, nullable=False),
    Column("outcome", Name, nullable=False),
    Column("about", Text, nullable=False, doc="A JSON object: ids and roles, no clinical content."),
    Column("position", BigInteger, doc="From 1, without a gap; unset from before the chain."),
    Column("prev_hash", Name, doc="The hash of the entry before it."),
    Column("hash", Name, doc="SHA-256 of what the entry says, its position and `prev_hash`."),
    PrimaryKeyConstraint("tenant", "at", "id", name=f"pk_{PREFIX}access_log"),
)
Index(
    f"uq_{PREFIX}access_log_position",  # so that nobody puts two entries behind one
    access_log.c.tenant,
    access_log.c.position,
    unique=True,
)
Index(
    f"ix_{PREFIX}access_log_actor",
    access_log.c.tenant,
    access_log.c.actor,
    access_log.c.action,
    access_log.c.at,
)
Index(
    f"ix_{PREFIX}access_log_action",  # the last verification is asked for by a page
    access_log.c.tenant,
    access_log.c.action,
    access_log.c.at,
)
