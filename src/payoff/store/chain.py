"""How entries hold each other: each one's hash covers the hash of the one before.

::

    digest_i = SHA-256(salt_i, content_i)
    hash_i   = SHA-256(hash_{i-1}, JSON of number, kind, id, request, time, bundle, digest_i)

The chain covers digests, not contents, so a content can be erased and the chain still checked. The
salt is 16 random bytes that are erased with the content: without them a digest of so little as an
age and a town could be guessed by trying.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

__all__ = ["GENESIS", "canonical", "digest_of", "link"]

#: What the first entry follows.
GENESIS: Final = bytes(32)


def digest_of(salt: bytes, content: bytes) -> bytes:
    """Return the digest of a content, (32,) bytes.

    Examples
    --------
    >>> digest_of(b"", b"abc").hex()[:16]
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(salt + content).digest()


def canonical(
    *,
    number: int,
    kind: str,
    id: str,
    request_id: str,
    at: float,
    bundle_id: str,
    digest: bytes,
) -> bytes:
    """Write what the chain covers of an entry as JSON with sorted keys and no spaces.

    Examples
    --------
    >>> canonical(
    ...     number=1,
    ...     kind="decision",
    ...     id="d",
    ...     request_id="r",
    ...     at=1.5,
    ...     bundle_id="b",
    ...     digest=b"ab",
    ... )
    b'{"at":1.5,"bundle_id":"b","digest":"6162","id":"d","kind":"decision","number":1,"request_id":"r"}'
    """
    facts = {
        "at": at,
        "bundle_id": bundle_id,
        "digest": digest.hex(),
        "id": id,
        "kind": kind,
        "number": number,
        "request_id": request_id,
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode("ascii")


def link(before: bytes, header: bytes) -> bytes:
    """Return the hash of an entry from the hash of the one before it and its canonical JSON.

    Examples
    --------
    >>> link(GENESIS, b"{}") == link(GENESIS, b"{}") != link(b"x" * 32, b"{}")
    True
    """
    return hashlib.sha256(before + header).digest()
