"""How `regimen show` looks: one screen, whatever the workflow; `--all` leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from engine.cli.ink import QUIET, STYLES, mark, verdict_mark
from engine.core.encoding import Json, date_from
from engine.core.entry import IMPOSSIBLE
from engine.findings import finding
from engine.telling.explanation import Unmet
from engine.telling.overview import Overview
from engine.telling.signing import signature_said
from engine.telling.wording import Tone, day, why

FEW = 3
"""How many of a list are shown where the screen is one."""
MANY = 16
"""How many variables are shown where the screen is one, and twice as many as readings."""
DUE_STYLES = {"now": "green", "overdue": "bold yellow", "missed": "bold red"}


def screen(overview: Overview, *, everything: bool = False) -> RenderableType:
    """The course as one screen."""
    return Group(_head(overview), Rule(style=QUIET), _body(overview, everything=everything))


def _head(overview: Overview) -> RenderableType:
    row, workflow = overview.status.row, overview.status.machine.workflow
    title = Text.assemble(
        (row["course"], "bold"),
        "  ",
        (overview.lexicon.state(row["state"]), "bold reverse"),
        f"  {overview.lexicon.stage(row['state']).replace('_', ' ')}, round {row['round']}",
    )
    if row["retrospective"]:
        title.append("  retrospective: told after the fact", style=STYLES[Tone.DEVIATION])
    last = overview.wording.instant(row["last_at"])
    records = "1 record" if row["seq"] == 1 else f"{row['seq']} records"
    facts = (
        f"{workflow.title} ({workflow.label}, {row['digest'][:15]}…)",
        f"patient {row['patient']} at {row['site']}, {row['zone']}",
        f"{records}, revision {row['revision']}, last event {last}",
    )
    return Group(title, *(Text(fact, style=QUIET) for fact in facts), *_then(overview))


def _then(overview: Overview) -> Iterable[Text]:
    """That it is shown as it was, and how much has come since."""
    if overview.later is None:
        return
    at, later = overview.wording.instant(overview.at), overview.later
    since = f"{later} {'record' if later == 1 else 'records'} came later" if later else "none later"
    by = "by the times of its events" if overview.status.row["retrospective"] else "as recorded"
    yield Text(f"As it was known at {at}, {by}; {since}.", style=STYLES[Tone.UNKNOWN])


def _body(overview: Overview, *, everything: bool) -> Table:
    few = None if everything else FEW
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(style="bold", width=9)
    grid.add_column(ratio=1)
    sections: tuple[tuple[str, Iterable[RenderableType]], ...] = (
        ("Due", (*map(_visit, overview.visits()), *_timers(overview, few))),
        ("Holds", _cut([_rule(held) for held in overview.holding()], few)),
        ("Open", _cut([_question(overview, q) for q in overview.json()["questions"]], few)),
        ("Findings", [_finding(found) for found in overview.open_findings()]),
        ("Sign", _cut(_unsigned(overview), few)),
        ("Keep", _legal_holds(overview)),
        ("Overrides", _cut([_override(overview, one) for one in overview.overrides()], few)),
        ("Last", [_fired(overview, told) for told in overview.last_rules()[:few]]),
        ("Course", _flow(overview.variables(), None if everything else MANY)),
        ("Readings", _flow(overview.readings(), None if everything else MANY // 2)),
        ("Next", _next(overview, everything=everything)),
    )
    for name, lines in sections:
        told = list(lines)
        if told:
            grid.add_row(name, Group(*told))
    return grid


def _visit(visit: Mapping[str, Json]) -> Text:
    window = f"{day(date_from(visit['earliest']))} to {day(date_from(visit['latest']))}"
    return Text.assemble(
        f"{visit['title']} {visit['number']}: ",
        (visit["due"], DUE_STYLES.get(visit["due"], "")),
        f", target {day(date_from(visit['target']))} ({window})",
    )


def _timers(overview: Overview, few: int | None) -> list[Text]:
    told = []
    for timer in overview.timers():
        line = Text(f"{timer['title']}: {overview.wording.instant(timer['due'])}")
        if timer["overdue"]:
            line.append("  waits for `regimen tick`", style=DUE_STYLES["overdue"])
        told.append(line)
    return _cut(told, few)


def _rule(held: Mapping[str, Json]) -> Text:
    return Text.assemble(
        mark(Tone.RULE),
        f" {held['action']}: {held['title']} ",
        (f"since record {held['since']}", QUIET),
    )


def _question(overview: Overview, question: Mapping[str, Json]) -> Text:
    waits = "; ".join(overview.wording.lack(lack) for lack in question["waits_for"])
    return Text.assemble(mark(Tone.UNKNOWN), f" {question['title']}: waits for {waits}")


def _finding(found: Mapping[str, Json]) -> Text:
    pieces = [(one.text, QUIET if one.aside else "") for one in finding(found)]
    return Text.assemble(mark(Tone.DEVIATION), " ", *pieces)


def _unsigned(overview: Overview) -> list[Text]:
    return [
        Text.assemble((f"record {one['record']}", "bold"), f" {one['event']} waits for: ",
                      (", ".join(one["missing"]), STYLES[Tone.UNKNOWN]))
        for one in overview.unsigned()
    ]  # fmt: skip


def _legal_holds(overview: Overview) -> list[Text]:
    return [
        Text(f"legal hold {name}, record {seq}: no text may be erased")
        for name, seq in overview.status.row.get("legal_holds", {}).items()
    ]


def _override(overview: Overview, one: Mapping[str, Json]) -> Text:
    return Text.assemble(
        mark(Tone.OVERRIDE),
        f" {one['title']} ({one['verdict']}): {one['code']}, {one['role']} ",
        (f"record {one['record']}, {overview.wording.instant(one['at'])}", QUIET),
    )


def _fired(overview: Overview, told: Mapping[str, Json]) -> Text:
    moved = " (moved the course)" if told["moved"] else ""
    return Text.assemble(
        mark(Tone.RULE),
        f" {told['action_title']}: {told['title']}{moved} ",
        (f"record {told['record']}, {overview.wording.instant(told['at'])}", QUIET),
    )


def _flow(items: Sequence[Mapping[str, Json]], few: int | None) -> list[Text]:
    """Titles with their values, one after the other; one below the other where all are shown."""
    if few is None:
        return [_item(item) for item in items]
    line = Text(" · ", style=QUIET).join(_item(item) for item in items[:few])
    if len(items) > few:
        line.append(f" · and {len(items) - few} more: --all", style=QUIET)
    return [line] if items else []


def _item(item: Mapping[str, Json]) -> Text:
    line = Text.assemble((f"{item['title']} ", QUIET), (item["said"], "bold"))
    if "believed" in item:
        line.append(f" believed now: {item['believed']}", style=STYLES[Tone.DEVIATION])
    if item.get("flaw") == IMPOSSIBLE:
        line.append(f" impossible, not used ({item['range_said']})", style=STYLES[Tone.NO])
    elif item.get("flaw") is not None:
        line.append(f" {why(item['flaw'])}", style=STYLES[Tone.NO])
    if item.get("corrects") is not None:
        line.append(f" corrects {item['corrects']}", style=STYLES[Tone.OVERRIDE])
    if item.get("stale"):
        told = f" too old ({item['age']}, at most {item['max_age']})"
        line.append(told, style=STYLES[Tone.UNKNOWN])
    return line


def _next(overview: Overview, *, everything: bool) -> list[RenderableType]:
    options = overview.options()
    requests = [option for option in options if option["request"]]
    lines: list[RenderableType] = []
    free = [o["event"] for o in requests if o["verdict"] == "yes"]
    data = [o["event"] for o in requests if o["depends_on_data"]]
    kept = [o for o in requests if o["verdict"] != "yes" and not o["depends_on_data"]]
    if free:
        lines.append(Text.assemble(mark(Tone.YES), f" would be accepted: {', '.join(free)}"))
    if data:
        lines.append(
            Text.assemble(mark(Tone.UNKNOWN), f" depends on what is sent: {', '.join(data)}")
        )
    lines += _kept_back(overview, kept, everything=everything)
    lines += [
        Text(f"{option['event']} {signature_said(option['signature'])}", QUIET)
        for option in options
        if option["signature"] is not None
    ]
    reports = [option["event"] for option in options if not option["request"]]
    if reports:
        listed = f": {', '.join(reports)}" if everything else ""
        lines.append(
            Text(
                f"Reports of what happened are always taken ({len(reports)} kinds){listed}.", QUIET
            )
        )
    return lines


def _kept_back(
    overview: Overview, options: Sequence[Mapping[str, Json]], *, everything: bool
) -> list[Text]:
    """Requests that are not open, and why; those with the same reasons together."""
    together: dict[tuple[str, str, int], list[str]] = {}
    for option in options:
        # What is plainly not met comes before what is only not known yet.
        ranked: list[Unmet] = sorted(option["requirements"], key=lambda one: one["verdict"] != "no")
        shown = ranked if everything else ranked[:1]
        reasons = "; ".join(overview.wording.short(one) for one in shown)
        key = (option["verdict"], reasons, len(ranked) - len(shown))
        together.setdefault(key, []).append(option["event"])
    lines = []
    for (verdict, reasons, more), events in together.items():
        line = Text.assemble(verdict_mark(verdict), f" {', '.join(events)}: {reasons}")
        if more:
            line.append(f" and {more} more", style=QUIET)
        lines.append(line)
    return lines


def _cut(lines: Sequence[Text], few: int | None) -> list[Text]:
    if few is None or len(lines) <= few:
        return list(lines)
    return [*lines[:few], Text(f"and {len(lines) - few} more: --all", style=QUIET)]
