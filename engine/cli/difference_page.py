"""How two definitions look side by side in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from rich.console import Console
from rich.table import Table

from engine.core.difference import Change, DefinitionDiff, How
from engine.core.standpoint import Otherwise
from engine.running import Answer

SECTIONS: Mapping[str, str] = {"workflow": "The workflow itself"}
SIGNS: Mapping[How, str] = {
    How.ADDED: "+", How.REMOVED: "-", How.CHANGED: "~", How.REORDERED: "~",
}  # fmt: skip
STYLES: Mapping[How, str] = {How.ADDED: "green", How.REMOVED: "red"}
KINDS: Mapping[str, str] = {"options": "Option", "rules": "Rule", "waits": "Waits"}


def page(out: Console, found: DefinitionDiff, told: Answer | None, *, listing: bool) -> None:
    """What decides first, then the prose, then the running courses."""
    for sign, side in (("before", found.before), ("after", found.after)):
        out.print(f"{sign:<6} {side.label} {side.digest[:19]}", soft_wrap=True)
    if not found.semantic and not found.prose:
        out.print("They say the same.")
    _half(out, "What can change a decision, or what a clinician is told", found.semantic)
    _half(out, "Titles and citations only", found.prose)
    if told is not None:
        _running(out, told, listing=listing)


def _half(out: Console, title: str, changes: Iterable[Change]) -> None:
    held = tuple(changes)
    if not held:
        return
    out.print()
    out.print(title, style="bold")
    for section, of_section in groupby(held, key=lambda change: change.section):
        out.print(f"  {SECTIONS.get(section, section.capitalize())}")
        for change in of_section:
            _change(out, change)


def _change(out: Console, change: Change) -> None:
    style = STYLES.get(change.how, "")
    if change.how is How.REORDERED:
        out.print("  ~ in another order", soft_wrap=True)
        return
    name = change.name or "workflow"
    title = f"{change.title} ({name})" if change.title and change.title != name else name
    out.print(f"  {SIGNS[change.how]} {title}", style=style, soft_wrap=True)
    for detail in change.details:
        if change.how is How.CHANGED:
            said = f"{detail.before or 'nothing'} → {detail.after or 'nothing'}"
        else:
            said = detail.after or detail.before or ""
        out.print(f"      {detail.what}: {said}", soft_wrap=True)
    if change.how is How.CHANGED and change.cite is not None:
        out.print(f"      § {change.cite}", style="dim", soft_wrap=True)


def _running(out: Console, told: Answer, *, listing: bool) -> None:
    out.print()
    out.print(
        f"{told.deciding} of {told.asked} running {_noun(told.asked)} would decide otherwise at "
        f"{told.at:%Y-%m-%d %H:%M} UTC.",
        style="bold",
        soft_wrap=True,
    )
    if more := len(told.otherwise) - told.deciding:
        out.print(f"{more} more would only wait for another time.")
    if told.elsewhere:
        many = "are pinned to other definitions and were"
        said = "is pinned to another definition and was" if told.elsewhere == 1 else many
        out.print(f"{told.elsewhere} {said} not asked.")
    table = Table("", "Name", "Before", "After", "Courses", box=None)
    table.columns[4].justify = "right"
    for kind, counted in told.counts().items():
        for (name, before, after), courses in counted:
            table.add_row(KINDS[kind], name, before, _after(before, after), str(courses))
    if table.row_count:
        out.print(table)
    if lost := sum(one.lost for one in told.otherwise):
        are = "is" if lost == 1 else "are"
        out.print(f"{lost} {are} in a state that the second definition does not have.")
    for one in told.otherwise if listing else ():
        out.print(f"{one.course} ({one.state}): {_said(one)}", soft_wrap=True)
    for why in told.unreadable:
        out.print(why, style="red", soft_wrap=True)


def _noun(courses: int) -> str:
    return "course" if courses == 1 else "courses"


def _after(before: str, after: str) -> str:
    if before != after:
        return after
    return "at another time" if after == "waits" else f"{after}, by other guards"


def _said(one: Otherwise) -> str:
    if one.lost:
        return "no such state"
    turned = [
        f"{t.name} {t.before} → {_after(t.before, t.after)}"
        + (f" ({', '.join(t.unmet)})" if t.unmet else "")
        for t in (*one.options, *one.rules)
    ]
    moved = [f"{w.name}: {w.recorded or 'none'} → {w.again or 'none'}" for w in one.waits]
    return "; ".join((*turned, *moved))
