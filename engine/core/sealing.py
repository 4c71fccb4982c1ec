"""Free texts and their digests: what is hashed holds the digest, what is read can be erased."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.core.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedText:
    """A free text on its way to the table from which it can be erased."""

    path: str
    salt: str
    text: str
    sha256: str


def seal(event: Event, salt: Callable[[], str]) -> tuple[Event, tuple[SealedText, ...]]:
    """The event with digests in place of free texts, and the texts.

    An event without texts, or sealed before, comes back as it is. `salt` gives a new one each time.
    """
    if not event.texts:
        return event, ()
    body = _copied(event.body)
    sealed = []
    for path in event.texts:
        *above, last = path.split(".")
        holder = body
        for step in above:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        text, grain = holder[last], salt()
        digest = hashlib.sha256(f"{grain}{text}".encode()).hexdigest()
        holder[last] = {"sha256": digest}
        sealed.append(SealedText(path=path, salt=grain, text=text, sha256=digest))
    digests = {one.path: f"sha256:{one.sha256}" for one in sealed}
    reason, override = event.reason, event.override
    if reason is not None and reason.text is not None:
        reason = replace(reason, text=digests["reason.text"])
    if override is not None and override.text is not None:
        override = replace(override, text=digests["override.text"])
    return replace(event, body=body, texts=(), reason=reason, override=override), tuple(sealed)


def same_body(
    sent: Mapping[str, Any], recorded: Mapping[str, Any],
    texts: Mapping[str, tuple[str, str | None]],
) -> bool:  # fmt: skip
    """Whether a body that is sent again is the one that was recorded.

    `texts` are the salts and texts by place. What was erased can no longer be told apart, so any
    text is taken for it when everything else is equal.
    """
    return _same(sent, recorded, "", texts)


def _copied(node: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(node, dict):
        return {name: _copied(part) for name, part in node.items()}
    return [_copied(part) for part in node] if isinstance(node, list) else node


def _same(
    sent: object, recorded: object, place: str, texts: Mapping[str, tuple[str, str | None]]
) -> bool:
    if place in texts and not isinstance(sent, str):
        return False  # the digest of a text, which the record shows, is not the text
    if isinstance(sent, dict) and isinstance(recorded, dict):
        return sent.keys() == recorded.keys() and all(
            _same(sent[n], recorded[n], f"{place}.{n}" if place else n, texts) for n in sent
        )
    if isinstance(sent, list) and isinstance(recorded, list):
        return len(sent) == len(recorded) and all(
            _same(one, other, f"{place}.{n}", texts)
            for n, (one, other) in enumerate(zip(sent, recorded, strict=True))
        )
    if isinstance(sent, str) and isinstance(recorded, dict) and recorded.keys() == {"sha256"}:
        grain, text = texts.get(place, ("", None))
        digest = hashlib.sha256(f"{grain}{sent}".encode("utf-8", "replace")).hexdigest()
        return text is None or digest == recorded["sha256"]
    return type(sent) is type(recorded) and sent == recorded
