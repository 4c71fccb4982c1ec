"""Time stamps of others on a checkpoint: a request to send, and a response that was sent back.

A time-stamping authority (RFC 3161) says that it was shown the text of a checkpoint by a time. What
is sent is its hash. Nothing is sent from here: a file is written, and a file is read. The extra
`timestamp` brings the library.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec

from engine.core.note import Note
from engine.errors import A_STAMP, InvalidInput, StampDivergence


def request_of(note: Note) -> bytes:
    """The request for a time stamp on the text of a note, as `application/timestamp-query`."""
    _require()
    from rfc3161_client import (  # noqa: PLC0415  # an extra brings it
        HashAlgorithm,
        TimestampRequestBuilder,
    )

    built = TimestampRequestBuilder().data(note.text.encode()).hash_algorithm(HashAlgorithm.SHA256)
    asked = built.cert_request(cert_request=True).nonce(nonce=True).build()
    made: bytes = asked.as_bytes()
    return made


def stamped_at(note: Note, response: bytes, roots: bytes) -> datetime:
    """By when the text of a note was there, as an authority says whose root is trusted.

    `roots` are PEM certificates. Raises InvalidInput where the response is none, and
    StampDivergence where it is of another text, or not signed by such an authority.
    """
    _require()
    from cryptography import x509  # noqa: PLC0415  # an extra brings it
    from rfc3161_client import (  # noqa: PLC0415  # likewise
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    try:
        trusted = x509.load_pem_x509_certificates(roots)
    except ValueError:
        raise InvalidInput("--root", "certificates in PEM") from None
    try:
        found = decode_timestamp_response(response)
    except ValueError as wrong:
        raise InvalidInput("response", A_STAMP, found=_short(wrong)) from None
    try:
        VerifierBuilder(roots=trusted).build().verify_message(found, note.text.encode())
    except (ValueError, VerificationError) as wrong:
        raise StampDivergence(_short(wrong)) from None
    at: datetime = found.tst_info.gen_time
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _short(wrong: Exception) -> str:
    return str(wrong).partition(": ErrorStack")[0]


def _require() -> None:
    if not find_spec("rfc3161_client"):
        raise InvalidInput("time stamps", "regimen-engine[timestamp], which is not installed")
