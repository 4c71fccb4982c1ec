"""What a course waits for, what was booked of it, and when a site is open."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, PrimaryKeyConstraint, Table, Text

from engine.store.tables.base import PREFIX, Instant, Name, metadata

timers = Table(
    f"{PREFIX}timers",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("due", Instant, nullable=False),
    Column("seq", Integer, nullable=False, doc="The record that armed it."),
    PrimaryKeyConstraint("tenant", "course", "name", name=f"pk_{PREFIX}timers"),
    sqlite_with_rowid=False,
)
Index(f"ix_{PREFIX}timers_due", timers.c.tenant, timers.c.due)

visits = Table(
    f"{PREFIX}visits",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("number", Integer, nullable=False, doc="Which of its series."),
    Column("earliest", Date, nullable=False, doc="A civil date at the site, like the next two."),
    Column("target", Date, nullable=False),
    Column("latest", Date, nullable=False),
    Column("not_before", Instant, doc="The end of a minimum gap that is counted in hours."),
    Column("site", Name, nullable=False, doc="The course's, which never changes."),
    PrimaryKeyConstraint("tenant", "course", "name", name=f"pk_{PREFIX}visits"),
    sqlite_with_rowid=False,
)
# In the orders in which worklists show them, and whole: what is not shown is not looked up.
Index(
    f"ix_{PREFIX}visits_earliest",
    *(visits.c[name] for name in ("tenant", "earliest", "course", "name")),
    *(visits.c[name] for name in ("target", "latest", "site", "number", "not_before")),
)
Index(
    f"ix_{PREFIX}visits_target",
    *(visits.c[name] for name in ("tenant", "target", "course", "name")),
    *(visits.c[name] for name in ("earliest", "latest", "site", "number", "not_before")),
)

bookings = Table(
    f"{PREFIX}bookings",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("course", Name, nullable=False),
    Column("name", Name, nullable=False, doc="The scheduling system's identifier."),
    Column("visit", Name, nullable=False),
    Column("number", Integer, doc="Which of the visit's series; unset where none was due."),
    Column("start", Instant, nullable=False),
    Column("on_date", Date, nullable=False, doc="The civil date of that at the site."),
    Column("minutes", Integer),
    Column("status", Name, nullable=False),
    Column("changes", Integer, nullable=False, doc="How often it was told of again, from 0."),
    Column("seq", Integer, nullable=False, doc="The record that last told of it."),
    PrimaryKeyConstraint("tenant", "course", "name", name=f"pk_{PREFIX}bookings"),
    sqlite_with_rowid=False,
)
Index(f"ix_{PREFIX}bookings_day", bookings.c.tenant, bookings.c.on_date)

sites = Table(
    f"{PREFIX}sites",
    metadata,
    Column("tenant", Name, nullable=False),
    Column("site", Name, nullable=False),
    Column("calendar", Text, nullable=False, doc="Opening days, holidays and closures, as JSON."),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant", "site", name=f"pk_{PREFIX}sites"),
)
