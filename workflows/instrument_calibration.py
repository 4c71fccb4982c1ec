"""Calibration of a measuring instrument: released, checked at every use, recalibrated in time.

No patient and no drug: it is here because the engine must know neither. The main loop is one
report with one threshold behind it, so it also serves as the small workflow of the benchmarks.
"""

from __future__ import annotations

from decimal import Decimal

from engine.core.definition import (
    Action,
    Advice,
    Citation,
    Event,
    Field,
    Guard,
    Input,
    Kind,
    Parameter,
    Provenance,
    Requirement,
    Rule,
    State,
    Timer,
    Transition,
    Variable,
    Visit,
    Workflow,
)
from engine.core.expression import CivilInstant, Constant, Today, days, hours, months
from engine.core.quantity import q


def _cite(source: str, text: str) -> Citation:
    return Citation(source=f"Works procedure, {source}", text=text, provenance=Provenance.LOCAL)


limit = Parameter(
    name="deviation_limit",
    value=q("5", "um"),
    low=q("1", "um"),
    high=q("50", "um"),
    title="Largest permitted deviation from the gauge block",
)
months_between = Parameter(
    name="months_between",
    value=Decimal(12),
    low=Decimal(1),
    high=Decimal(24),
    title="Months from one calibration to the next",
)

deviation = Input(
    name="deviation",
    kind="quantity",
    unit="um",
    low=Decimal(0),
    high=Decimal(1000),
    max_age=hours(24),
    title="Largest absolute deviation from the gauge block",
)
room_temperature = Input(
    name="room_temperature",
    kind="quantity",
    unit="Cel",
    low=Decimal(0),
    high=Decimal(50),
    max_age=hours(2),
    title="Temperature beside the instrument",
)

due_on = Variable(name="due_on", kind="date", title="When the next calibration is due")
releases = Variable(name="releases", kind="number", initial=Decimal(0))

WORKFLOW = Workflow(
    name="instrument_calibration",
    version="1",
    semantics=1,  # as it was published
    title="Calibration of a measuring instrument",
    initial="on_bench",
    states=(
        State(name="on_bench", stage="calibration", title="On the calibration bench"),
        State(name="in_service", stage="service", title="In service"),
        State(name="overdue", stage="service", title="Recalibration overdue"),
        State(name="withdrawn", stage="withdrawal", title="Withdrawn, awaiting adjustment"),
        State(name="scrapped", stage="withdrawal", title="Scrapped", closed=True),
    ),
    inputs=(deviation, room_temperature),
    variables=(due_on, releases),
    parameters=(limit, months_between),
    roles=("technician", "metrologist"),
    events=(
        Event(
            name="measurement_recorded",
            kind=Kind.REPORT,
            roles=("technician", "metrologist"),
            fields=(
                Field(name="deviation", input="deviation", required=True),
                Field(name="room_temperature", input="room_temperature"),
            ),
        ),
        Event(
            name="release_instrument", kind=Kind.REQUEST, roles=("metrologist",), max_age=hours(1)
        ),
        Event(name="returned_to_bench", kind=Kind.REPORT, roles=("technician", "metrologist")),
        Event(name="instrument_scrapped", kind=Kind.REPORT, roles=("metrologist",)),
        Event(name="recalibration_missed", kind=Kind.REPORT, roles=("engine",), timer=True),
    ),
    guards=(
        Guard(
            name="deviation_within_limit",
            condition=deviation <= limit,
            title="The deviation is within the limit",
            cite=_cite("4.1", "Released only with a deviation within the limit of its class."),
        ),
        Guard(
            name="deviation_above_limit",
            condition=deviation > limit,
            title="The deviation is above the limit",
            cite=_cite("4.2", "An instrument found outside its limit leaves service at once."),
        ),
        Guard(
            name="room_near_reference",
            condition=(room_temperature >= q("19", "Cel")) & (room_temperature <= q("21", "Cel")),
            title="The room is within one degree of the reference temperature",
            cite=_cite("3.2", "Measure at 20 degrees Celsius, give or take one."),
        ),
    ),
    transitions=(
        Transition(name="measured_on_bench", event="measurement_recorded", sources=("on_bench",)),
        Transition(name="measured_in_service", event="measurement_recorded", sources=("service",)),
        Transition(
            name="release",
            event="release_instrument",
            sources=("on_bench",),
            target="in_service",
            requires=(
                Requirement(guard="deviation_within_limit"),
                Requirement(
                    guard="room_near_reference",
                    soft=True,
                    roles=("metrologist",),
                    codes=("expansion-corrected", "measured-on-site"),
                ),
            ),
            updates={
                "due_on": Today() + Constant(months(1)) * months_between,
                "releases": releases + 1,
            },
        ),
        Transition(
            name="return_to_bench",
            event="returned_to_bench",
            sources=("service", "withdrawn"),
            target="on_bench",
        ),
        Transition(
            name="fall_due",
            event="recalibration_missed",
            sources=("in_service",),
            target="overdue",
            messages=("instrument.overdue",),
        ),
        Transition(
            name="scrap",
            event="instrument_scrapped",
            sources=("on_bench", "withdrawn"),
            target="scrapped",
        ),
    ),
    actions=(
        Action(
            name="withdraw",
            rank=1,
            targets={"service": "withdrawn"},
            message="instrument.withdrawn",
            title="Withdraw from service",
        ),
    ),
    rules=(
        Rule(
            guard="deviation_above_limit",
            action="withdraw",
            places=("service",),
            events=("measurement_recorded",),
            advice=("recall_parts",),
        ),
    ),
    advice=(
        Advice(
            name="recall_parts",
            cite=_cite("4.3", "Recall what it measured since."),
            text="Recall the parts measured since the last check within the limit.",
        ),
    ),
    timers=(
        Timer(
            name="recalibration",
            event="recalibration_missed",
            places=("in_service",),
            due=CivilInstant(due_on + days(7), "23:59"),
        ),
    ),
    visits=(
        Visit(
            name="recalibration",
            places=("service",),
            number=releases.tree(),
            earliest=due_on - days(30),
            target=due_on.tree(),
            latest=due_on + days(7),
            title="Recalibration",
        ),
    ),
)
