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

    >>> written("at least 80 mm[Hg]")
    'at least 80 mmHg'
    """
    for code, told in UNITS.items():
        said = said.replace(code, told)
    return said
