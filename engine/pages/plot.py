"""The chart of a course as a picture: lanes one below the other on one time axis.

Whatever is drawn can be pointed at and says what it is; its shape says it without its colour. A
mark leads to its record. Texts are cut to the room that there is, never written over each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal

from markupsafe import Markup

from engine.core.definition import Waits
from engine.pages.chart import Chart, Due, Mark, Panel, Point, Row, Span
from engine.pages.limits import Limit
from engine.pages.placing import Box, apart, spread
from engine.pages.scale import Tick, TimeScale, ValueScale
from engine.pages.signs import sign
from engine.pages.svg import cut, element, joined, length, told
from engine.telling.axis import DAY
from engine.telling.passage import FIRST

LEFT, WIDTH, RIGHT = 236, 950, 124
WHOLE = LEFT + WIDTH + RIGHT
LINE, BAR, TALL, LOW = 17, 11, 58, 24
GAP = 12
FEW = 2
"""A panel with so few values is a low one."""
TEXT = 11


def plot(chart: Chart, course: str, label: str) -> Markup:
    """The picture of a chart; `label` says in a sentence what it shows."""
    return _Drawing(chart, course).whole(label)


@dataclass
class _Drawing:
    chart: Chart
    course: str
    y: float = 0
    drawn: list[Markup] = field(default_factory=list)

    def __post_init__(self) -> None:
        chart = self.chart
        # A window that is over lies where it lay: the axis is made for what was done, and is due.
        edges = [edge for due in chart.visits if due.over is None for edge in self._window(due)]
        ends = [chart.spans[0].start, chart.spans[-1].end]
        instants = [*chart.sent, *ends, *edges, *(mark.at for mark in chart.bookings)]
        self.time = TimeScale.over(instants, left=LEFT, width=WIDTH, zone=chart.zone)

    def whole(self, label: str) -> Markup:
        self._axis()
        self._spans()
        self._visits()
        for panel in self.chart.given:
            self._panel(panel)
        for panel in self.chart.panels:
            self._panel(panel)
        self._rows()
        height = self.y + 6
        behind = joined([*self._grid(height), *self._folds(height), *self._rounds(height)])
        inside = [element("g", behind, class_="grid"), *self.drawn]
        return element(
            "svg",
            joined(inside),
            xmlns="http://www.w3.org/2000/svg",
            class_="timeline",
            viewBox=f"0 0 {WHOLE} {height:g}",
            role="group",
            aria_label=label,
        )

    def _axis(self) -> None:
        for tick in self._ticks():
            kind = "tick major" if tick.major else "tick"
            self._text(tick.x, 12, tick.label, kind, "end" if tick.leftward else "start")
        self.y = 28 if self.time.folds else 20

    def _ticks(self) -> list[Tick]:
        if self.chart.dated:
            return self.time.ticks()
        found: list[Tick] = []
        for at in self.chart.sent:
            x, n = self.time.x(at), (at - FIRST) / DAY + 1
            if not found or x - found[-1].x > 58:
                found.append(Tick(x=x, label=f"record {n:g}", leftward=self.time.at_edge(x)))
        return found

    def _grid(self, height: float) -> Iterator[Markup]:
        for tick in self._ticks():
            yield element("line", x1=tick.x, x2=tick.x, y1=16, y2=height, class_="grid-line")

    def _folds(self, height: float) -> Iterator[Markup]:
        for start, end, silent in self.time.folds:
            said = told(f"folded: nothing for {silent.days} days")
            yield element(
                "rect", said, x=start, y=16, width=max(end - start, 2), height=height - 16,
                class_="fold",
            )  # fmt: skip
            if end - start > 44:
                words = cut(f"≈ {silent.days} d", end - start, 10)
                yield self._label((start + end) / 2, 25, words, "fold-text", "middle")

    def _rounds(self, height: float) -> Iterator[Markup]:
        for number, at in self.chart.rounds:
            x = self.time.x(at)
            yield element("line", x1=x, x2=x, y1=16, y2=height, class_="round")
            yield self._label(x + 3, height - 2, f"round {number}", "round-text", "start")

    def _spans(self) -> None:
        stages = list(dict.fromkeys(span.stage for span in self.chart.spans))
        for stage in stages:
            self._name(stage.replace("_", " "), "")
            mine = [span for span in self.chart.spans if span.stage == stage]
            rooms = _rooms(mine, self.time)
            for span, room in zip(mine, rooms, strict=True):
                self._span(span, room)
            self.y += LINE
        self.y += GAP / 2

    def _span(self, span: Span, room: float) -> None:
        start, end = self.time.x(span.start), self.time.x(span.end)
        wide = max(end - start, 2)
        kind = {Waits.HOLD: " hold", Waits.DECISION: " decision", None: ""}[span.waits]
        waits = {Waits.HOLD: ", on hold", Waits.DECISION: ", waits for a decision", None: ""}
        said = f"{span.title}{waits[span.waits]}\n{self._from_to(span.start, span.end)}"
        self._put(
            element(
                "rect", told(said), x=start, y=self.y + 3, width=wide, height=BAR, rx=1.5,
                class_=f"stay{kind}",
            )
        )  # fmt: skip
        inside = cut(span.title, wide - 6, 10)
        if len(inside) > 4:
            self._text(start + 3, self.y + 12, inside, f"in-bar{kind}")
        elif words := cut(span.title, room - 4, 10):
            self._text(end + 3, self.y + 12, words if len(words) > 4 else "", "beside")

    def _visits(self) -> None:
        for title in dict.fromkeys(due.title for due in self.chart.visits):
            self._name(f"{title}: windows", "")
            for due in (one for one in self.chart.visits if one.title == title):
                self._due(due)
            self.y += LINE
        if self.chart.bookings:
            self._name("Bookings", "")
            for mark in self.chart.bookings:
                self._mark(mark, self.time.x(mark.at))
            self.y += LINE
        if self.chart.visits or self.chart.bookings:
            self.y += GAP / 2

    def _due(self, due: Due) -> None:
        opens, closes = self._window(due)
        start, end = self.time.x(opens), self.time.x(closes)
        target = self.time.x(self._noon(due))
        said = f"{due.title} {due.number}\nwindow {due.earliest} to {due.latest}\n"
        said += f"target {due.target}"
        kind = "due" if due.over is None else "due over"
        self._put(
            element(
                "g",
                told(said),
                element("rect", x=start, y=self.y + 5, width=max(end - start, 2), height=7,
                        class_=kind),
                element("line", x1=target, x2=target, y1=self.y + 3, y2=self.y + 14,
                        class_="target"),
            )
        )  # fmt: skip

    def _panel(self, panel: Panel) -> None:
        known = [p.value for p in panel.points if p.value is not None and p.flaw != "impossible"]
        height = TALL if len(panel.points) > FEW or panel.limits or panel.given else LOW
        self._name(panel.title, panel.unit, middle=height)
        if known:
            make = ValueScale.from_zero if panel.given else ValueScale.over
            more = {} if panel.given else {"limits": [one.value for one in panel.limits]}
            values = make(known, **more, top=self.y + 4, height=height - 8)
            self._put(element("rect", x=LEFT, y=self.y, width=WIDTH, height=height, class_="panel"))
            self._limits(panel.limits, values)
            self._values(panel, values)
        for point in panel.points:
            if point.value is None:
                self._unusable(point, self.y + height / 2)
        self.y += height + (5 if height == TALL else 3)

    def _limits(self, limits: Sequence[Limit], values: ValueScale) -> None:
        shown = [one for one in reversed(limits) if values.shows(one.value)]
        outside = [one for one in limits if not values.shows(one.value)]
        places = apart([values.y(one.value) + 3.5 for one in shown], 10.5,
                       values.top + 4, values.top + values.height + 2)  # fmt: skip
        for limit, place in zip(shown, places, strict=True):
            y, acts = values.y(limit.value), " acts" if limit.acts else ""
            self._put(
                element("line", told(limit.said), x1=LEFT, x2=LEFT + WIDTH, y1=y, y2=y,
                        class_=f"limit{acts}")
            )  # fmt: skip
            self._put(
                element("text", told(limit.said), cut(limit.marked, RIGHT - 8), x=LEFT + WIDTH + 6,
                        y=place, class_=f"limit-text{acts}")
            )  # fmt: skip
        if outside:
            words = f"beyond: {', '.join(one.marked for one in outside)}"
            said = "\n".join(one.said for one in outside)
            middle = values.top + values.height / 2 + 3.5
            y = max(middle, places[-1] + 10.5) if places and places[-1] < middle + 8 else middle
            self._put(
                element("text", told(said), cut(words, RIGHT - 8, 10), x=LEFT + WIDTH + 6, y=y,
                        class_="limit-text beyond")
            )  # fmt: skip

    def _values(self, panel: Panel, values: ValueScale) -> None:
        usable = [p for p in panel.points if p.value is not None]
        line = [p for p in usable if p.flaw is None and p.corrected is None]
        wrong = [p for p in usable if p not in line]
        if not panel.given and len(line) > 1:
            places = " ".join(f"{self.time.x(p.at):.1f},{values.y(_value(p)):.1f}" for p in line)
            self._put(element("polyline", points=places, class_="trend"))
        for point in usable:
            if point in wrong:
                self._wrong(point, values)
            elif panel.given:
                self._stem(point, values)
            else:
                self._point(point, values)
        # The last value, the least, the most and the first; of what was given, all.
        ends = (line[-1], min(line, key=_value), max(line, key=_value), line[0]) if line else ()
        self._numbers(usable, [*(line if panel.given else ends), *wrong], values)

    def _numbers(
        self, points: Sequence[Point], chosen: Sequence[Point], values: ValueScale
    ) -> None:
        """Some values in digits, each where nothing else stands; all are told when pointed at."""
        taken = [Box(self.time.x(p.at) - 3, values.y(_value(p)) - 3, 6, 6) for p in points]
        for point in dict.fromkeys(chosen):
            x, y = self.time.x(point.at), values.y(_value(point))
            words = point.said.partition(" ")[0]
            wide = length(words, 10)
            struck = point.corrected is not None or point.flaw is not None
            spots = ((x + 5, y + 3.5), (x + 4, y - 3), (x + 4, y + 10), (x - wide - 5, y + 3.5),
                     (x - wide / 2, y - 5), (x - wide / 2, y + 12))  # fmt: skip
            for left, base in spots:
                box = Box(left, base - 8, wide, 9)
                within = values.top - 4 <= box.y and box.y + 9 <= values.top + values.height + 4
                if within and box.x > LEFT and not any(box.meets(one) for one in taken):
                    self._text(left, base, words, f"value-text{' struck' if struck else ''}")
                    taken.append(box)
                    break

    def _point(self, point: Point, values: ValueScale) -> None:
        x, y = self.time.x(point.at), values.y(_value(point))
        kind = "point corrects" if point.corrects is not None else "point"
        self._put(self._linked(point, element("circle", cx=x, cy=y, r=2.6, class_=kind)))

    def _stem(self, point: Point, values: ValueScale) -> None:
        x, y, foot = self.time.x(point.at), values.y(_value(point)), values.y(Decimal(0))
        self._put(
            self._linked(
                point,
                element("line", x1=x, x2=x, y1=foot, y2=y, class_="stem"),
                element("circle", cx=x, cy=y, r=2.8, class_="point given"),
            )
        )

    def _wrong(self, point: Point, values: ValueScale) -> None:
        """A value that was corrected, or cannot be used: still there, and crossed out."""
        x, y = self.time.x(point.at), values.y(_value(point))
        self._put(
            self._linked(
                point,
                element("circle", cx=x, cy=y, r=4, class_="point wrong"),
                element("path", d=f"M{x - 4:.1f} {y + 4:.1f}L{x + 4:.1f} {y - 4:.1f}",
                        class_="cross"),
            )
        )  # fmt: skip

    def _unusable(self, point: Point, y: float) -> None:
        x = self.time.x(point.at)
        self._put(self._linked(point, element("text", "?", x=x - 3, y=y + 4, class_="unknown")))

    def _linked(self, point: Point, *drawn: Markup) -> Markup:
        said = [self._instant(point.at), point.said, f"record {point.seq}"]
        if point.corrected is not None:
            said.append(f"corrected by record {point.corrected}")
        if point.corrects is not None:
            said.append(f"corrects record {point.corrects}")
        if point.flaw is not None:
            said.append(point.flaw.replace("-", " "))
        return _link(self._to(point.seq), told("\n".join(said)), *drawn)

    def _rows(self) -> None:
        self.y += GAP / 2
        for row in self.chart.rows:
            self._row(row)

    def _row(self, row: Row) -> None:
        self._name(row.title, "", quiet=row.quiet)
        self._put(
            element("line", x1=LEFT, x2=LEFT + WIDTH, y1=self.y + 9, y2=self.y + 9, class_="rail")
        )
        places = spread([self.time.x(mark.at) for mark in row.marks])
        for n, (mark, x) in enumerate(zip(row.marks, places, strict=True)):
            self._mark(mark, x, quiet=row.quiet)
            room = (places[n + 1] if n + 1 < len(places) else LEFT + WIDTH + RIGHT) - x - 14
            words = cut(mark.label, room, 10) if mark.label and not row.quiet else ""
            if words == mark.label or len(words) > 4:
                self._text(x + 7, self.y + 12.5, words, "mark-text")
        self.y += LINE

    def _mark(self, mark: Mark, x: float, *, quiet: bool = False) -> None:
        drawn = sign(mark.tone, x, self.y + 9, quiet=quiet)
        self._put(_link(self._to(mark.seq), told(mark.said), drawn))

    def _name(self, title: str, unit: str, *, middle: float = LINE, quiet: bool = False) -> None:
        tall = bool(unit) and middle > LOW
        room = LEFT - 10 - (length(unit, 10) + 6 if unit and not tall else 0)
        y = self.y + (13 if middle <= LOW else middle / 2 + (-1 if tall else 4))
        words = cut(title, room)
        more = element("tspan", f"  {unit}", class_="unit") if unit and not tall else ""
        said = told(title) if words != title else ""
        self._put(
            element("text", said, words, more, x=0, y=y, class_="lane quiet" if quiet else "lane")
        )
        if tall:
            self._text(0, y + 13, cut(unit, LEFT - 10, 10), "unit")

    def _text(self, x: float, y: float, words: str, kind: str, anchor: str | None = None) -> None:
        if words:
            self._put(self._label(x, y, words, kind, anchor))

    def _label(self, x: float, y: float, words: str, kind: str, anchor: str | None) -> Markup:
        at = None if anchor == "start" else anchor
        return element("text", words, x=x, y=y, class_=kind, text_anchor=at)

    def _put(self, drawn: Markup) -> None:
        self.drawn.append(drawn)

    def _to(self, seq: int) -> str:
        return f"/courses/{self.course}/records/{seq}"

    def _window(self, due: Due) -> tuple[datetime, datetime]:
        """From the first midnight of a window to its last; one that is over ends no later."""
        opens = datetime.combine(due.earliest, time(), tzinfo=self.chart.zone)
        closes = datetime.combine(due.latest + timedelta(days=1), time(), tzinfo=self.chart.zone)
        return opens, closes

    def _noon(self, due: Due) -> datetime:
        return datetime.combine(due.target, time(12), tzinfo=self.chart.zone)

    def _instant(self, at: datetime) -> str:
        if not self.chart.dated:
            return "no time published"
        return at.astimezone(self.chart.zone).strftime("%Y-%m-%d %H:%M")

    def _from_to(self, start: datetime, end: datetime) -> str:
        if not self.chart.dated:
            return "no times published"
        return f"{self._instant(start)} to {self._instant(end)}"


def _rooms(spans: Sequence[Span], time: TimeScale) -> list[float]:
    """How much is free behind each bar of a lane."""
    starts = [time.x(span.start) for span in spans[1:]] + [LEFT + WIDTH + RIGHT]
    return [start - time.x(span.end) for span, start in zip(spans, starts, strict=True)]


def _value(point: Point) -> Decimal:
    return point.value if point.value is not None else Decimal(0)


def _link(to: str, *inside: Markup) -> Markup:
    # Reached by pointing: for the keyboard the same is in the table below the picture.
    return element("a", *inside, href=to, tabindex="-1")
