"""The mark of each tone. Every one differs without its colour, so that a log, a printer and a
colour-blind reader lose nothing.
"""

from __future__ import annotations

from engine.telling.wording import Tone

MARKS = {
    Tone.YES: "✓",
    Tone.NO: "✗",
    Tone.UNKNOWN: "?",
    Tone.DEVIATION: "!",
    Tone.OVERRIDE: "◆",
    Tone.RULE: "▶",
    Tone.ADVICE: "→",
    Tone.SOURCE: "§",
    Tone.OWN: "§",
}
VERDICT_TONES = {
    "accepted": Tone.YES,
    "deviation": Tone.DEVIATION,
    "refused": Tone.NO,
    "yes": Tone.YES,
    "no": Tone.NO,
    "unknown": Tone.UNKNOWN,
}
