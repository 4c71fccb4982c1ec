"""How a message is signed: the `v1` scheme of the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def secret(chance: bytes) -> str:
    """A secret as its receiver keeps it.

    >>> secret(bytes(32))
    'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
    """
    return PREFIX + base64.b64encode(chance).decode()


def headers(id: str, at: datetime, body: bytes, secrets: Iterable[str]) -> Mapping[str, str]:  # noqa: A002  # its word
    """What is sent with a body: its id, the time of this attempt, a signature for each secret."""
    seconds = str(int(at.timestamp()))
    signed = b".".join((id.encode(), seconds.encode(), body))
    return {
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(one, signed) for one in secrets),
    }


def _signature(text: str, signed: bytes) -> str:
    key = base64.b64decode(text.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
