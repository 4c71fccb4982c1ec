"""Signing keys: made, kept in a file that only its owner may read, and used.

The only module that knows the library for Ed25519, which the extra `audit` brings. It is asked for
when something is signed, and where it is there when a signature is checked.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.core.note import KeyKind, Signature, SigningKey, is_name, signature_by
from engine.errors import InvalidInput
from engine.standalone.regimen_verify import signed

SECRET = 32
"""How many bytes of chance a key is made of."""

VARIABLE = "REGIMEN_LEDGER_KEY"
"""The setting that names the files of the keys that sign checkpoints."""

NO_LIBRARY = "regimen-engine[audit], which is not installed"


def new_key(name: str, kind: KeyKind, seed: bytes) -> SigningKey:
    """A key of a name, from 32 bytes of chance. Raises InvalidInput for what is no name."""
    if not is_name(name) or len(name) > 200:
        raise InvalidInput("NAME", "up to 200 characters without spaces and without a plus")
    return SigningKey(name=name, kind=kind, seed=seed, public=public_of(seed))


def named(key: SigningKey, name: str) -> SigningKey:
    """The same secret under another name."""
    return SigningKey(name=name, kind=key.kind, seed=key.seed, public=key.public)


def write_key(path: Path, key: SigningKey) -> None:
    """Put a key into a new file, for its owner alone. Raises InvalidInput where it cannot be."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"{key.text()}\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise InvalidInput("FILE", "a file that is not there yet") from None
    except OSError as wrong:
        raise InvalidInput("FILE", "a file that can be written", found=wrong.strerror) from None


def read_key(path: Path, *, place: str = "key file") -> SigningKey:
    """The key of a file. Raises InvalidInput for one that others may read, or that holds no key."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except OSError as wrong:
        raise InvalidInput(place, "a file that can be read", found=wrong.strerror) from None
    except UnicodeDecodeError:
        raise InvalidInput(place, "a signing key: PRIVATE+KEY+NAME+HASH+SECRET") from None
    if os.name == "posix" and mode & _NOT_OURS:
        found = f"mode {stat.S_IMODE(mode):04o}"
        raise InvalidInput(place, "a file that only its owner may read, such as 0600", found=found)
    return SigningKey.parse(text.removesuffix("\n"), public_of, place=place)


def signature(key: SigningKey, text: str, at: int = 0) -> Signature:
    """The line of a key under the text of a note; a witness's says when, in seconds since 1970."""
    return signature_by(key.verifier, text, signing(key), at)


def signing(key: SigningKey) -> Callable[[bytes], bytes]:
    """What signs bytes with a key."""
    secret = _ed25519().Ed25519PrivateKey.from_private_bytes(key.seed)

    def sign(message: bytes) -> bytes:
        made: bytes = secret.sign(message)
        return made

    return sign


def public_of(seed: bytes) -> bytes:
    """The public key of a secret one."""
    public: bytes = (
        _ed25519().Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    )
    return public


def verify(public: bytes, message: bytes, made: bytes) -> bool:
    """Whether a public key made a signature over a message.

    Without the library, the stand-alone verifier says so, which needs none and takes longer.
    """
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # an extra brings it
    except ModuleNotFoundError:
        return signed(public, made, message)
    try:
        _ed25519().Ed25519PublicKey.from_public_bytes(public).verify(made, message)
    except (InvalidSignature, ValueError):
        return False
    return True


_NOT_OURS = stat.S_IWGRP | stat.S_IRWXO


def _ed25519() -> Any:  # noqa: ANN401  # a module of an extra
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415  # an extra's
    except ModuleNotFoundError:
        raise InvalidInput("signatures", NO_LIBRARY) from None
    return ed25519
