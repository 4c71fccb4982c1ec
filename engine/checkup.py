"""Everything about an installation that can be looked at before it serves anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from engine import bootstrap, packages
from engine.access import HOW_TO_BEGIN
from engine.core.check import check as problems_of
from engine.errors import InvalidInput, StoreUnavailable
from engine.settings import Oidc, Settings
from engine.store import installation
from engine.store.checkup import Found, How

__all__ = ["Found", "How", "examined"]


def examined(settings: Settings) -> Iterator[Found]:
    """What was found, one after the other; nothing is written, and no secret is shown."""
    yield from _workflows(settings)
    yield from _database(settings)
    if settings.oidc is not None:
        yield _provider(settings.oidc)


def _workflows(settings: Settings) -> Iterator[Found]:
    try:
        offered = packages.workflows_of(settings.workflows)
    except InvalidInput as wrong:
        yield Found(what="workflows", how=How.FAULT, why=str(wrong))
        return
    flawed = [one.label for one in offered if problems_of(one)]
    if flawed:
        why = f"not well formed: {', '.join(flawed)}. See `regimen workflow check`"
        yield Found(what="workflows", how=How.FAULT, why=why)
    else:
        labels = ", ".join(one.label for one in offered)
        yield Found(what="workflows", how=How.WELL, why=labels)


def _database(settings: Settings) -> Iterator[Found]:
    file = installation.missing_file(settings.database_url)
    if file is not None:
        why = f"there is none at {file} yet: run `regimen migrate`"
        yield Found(what="database", how=How.FAULT, why=why)
        return
    try:
        found = bootstrap.examined(settings)
    except StoreUnavailable as wrong:
        yield Found(what="database", how=How.FAULT, why=wrong.why)
        return
    yield Found(what="database", how=How.WELL, why="it answers")
    yield from found
    if any(one.how is How.FAULT for one in found):
        return
    if bootstrap.has_tokens(settings):
        yield Found(what="tokens", how=How.WELL, why="there are some")
    else:
        yield Found(what="tokens", how=How.ADVICE, why=HOW_TO_BEGIN.replace("\n", " "))


def _provider(oidc: Oidc) -> Found:
    """Whether the keys of the identity provider can be had."""
    what = "identity provider"
    if find_spec("joserfc") is None:
        return Found(what=what, how=How.FAULT, why="needs regimen-engine[web]")
    from engine.identity import fetch, key_set  # noqa: PLC0415  # an extra brings its library

    try:
        published = (
            fetch(oidc.jwks_url or "")
            if oidc.jwks_file is None
            else Path(oidc.jwks_file).read_bytes()
        )
        number = len(key_set(published).keys)
    except (OSError, ValueError, json.JSONDecodeError) as wrong:
        why = f"its keys cannot be had ({wrong}): see REGIMEN_OIDC_JWKS_URL"
        return Found(what=what, how=How.FAULT, why=why)
    return Found(what=what, how=How.WELL, why=f"{number} keys")
