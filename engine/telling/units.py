"""Units as people write them."""

from __future__ import annotations

UNITS = {
    "M[IU]": "million international units",
    "[IU]": "international units",
    "mm[Hg]": "mmHg",
    "10*3/uL": "×10³/µL",  # noqa: RUF001  # the sign of multiplication
    " Cel": " °C",
    " um": " µm",
}
"""UCUM codes, and what stands for them."""


def written(said: str) -> str:
    """A text with its UCUM codes as people write them.

    >>> written("systolic < 80 mm[Hg]"), written("7 M[IU]"), written("Cel")
    ('systolic < 80 mmHg', '7 million international units', '°C')
    """
    lone = UNITS.get(f" {said}")
    if lone is not None:
        return lone.strip()
    for unit, words in UNITS.items():
        said = said.replace(unit, words)
    return said
