"""Entries and batches for the tests of the log."""

from __future__ import annotations

import itertools

from payoff.serve.log import Batch, Entry

_numbers = itertools.count(1)


def entry(unit="c-1", *, at=1.5, secret="cook", **changes):
    number = next(_numbers)
    facts = {
        "id": f"d{number}",
        "request_id": f"r{number}",
        "at": at,
        "bundle_id": "b" * 64,
        "row": {"age": 41, "job": secret, "customer": unit},
        "answer": {"id": f"d{number}", "unit_id": unit, "action": "call", "expected": 0.1 + 0.2},
        "unit_id": unit,
    }
    return Entry(**(facts | changes))


def batch(*entries, key=None, asked=b"a"):
    head = {"bundle_id": "b" * 64, "currency": "EUR"}
    return Batch(entries=entries or (entry(),), key=key, asked=asked, head=head)


def answered(one):
    """Return the answer that a batch's request is given."""
    return {**one.head, one.under: [e.answer for e in one.entries]}
