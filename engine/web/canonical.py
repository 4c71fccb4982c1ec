"""A JSON response in canonical form: the same answer again has the same bytes."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse

from engine.core.encoding import canonical


class CanonicalResponse(JSONResponse):
    """Members in their one order, without spaces; numbers are whole, for measures are texts."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401  # JSON
        return canonical(content)
