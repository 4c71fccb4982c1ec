"""Endpoints and messages as JSON, the same at a terminal and over HTTP; never a secret."""

from __future__ import annotations

from datetime import datetime

from engine.core.encoding import Json, instant_text
from engine.messages import Delivery, Endpoint, Entry


def endpoint_json(endpoint: Endpoint) -> dict[str, Json]:
    """An endpoint, without its secrets."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "kinds": list(endpoint.kinds),
        "position": endpoint.position,
        "created_at": instant_text(endpoint.created_at),
        "disabled_at": _text(endpoint.disabled_at),
        "disabled_why": endpoint.disabled_why,
    }


def delivery_json(delivery: Delivery) -> dict[str, Json]:
    """A message on its way, delivered or given up; its id is its webhook-id."""
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "position": delivery.position,
        "course": delivery.course,
        "seq": delivery.seq,
        "n": delivery.n,
        "kind": delivery.kind,
        "recorded_at": instant_text(delivery.recorded_at),
        "attempts": delivery.attempts,
        "answered": delivery.answered,
        "next_at": _text(delivery.next_at),
        "delivered_at": _text(delivery.delivered_at),
        "dead_at": _text(delivery.dead_at),
    }


def entry_json(entry: Entry) -> dict[str, Json]:
    """A message as the feed shows it."""
    return {
        "position": entry.position,
        "course": entry.course,
        "seq": entry.seq,
        "n": entry.n,
        "kind": entry.kind,
        "recorded_at": instant_text(entry.recorded_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)
