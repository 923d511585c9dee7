"""Corpora whose right answers are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from payoff.declare.file import from_toml
from payoff.load.text import checks, together
from payoff.load.text.twins import twin_groups

RIGHT = """\
schema_version = 1

[decision]
name = "routing"
kind = "text"
currency = "EUR"
unit = "complaint"

[data]
source = "rows.parquet"
outcome = "topic"
text = ["narrative"]

[outcomes]
card = "card"
loan = "loan"

[actions]
to_cards = "To the card desk"
to_loans = "To the loan desk"

[payoffs.to_cards]
card = 0
loan = -10

[payoffs.to_loans]
card = -10
loan = 0
"""

_CARD, _LOAN, _BOTH = (
    line.split()
    for line in """\
card payment declined terminal contactless pin blocked cash machine refund shop
loan interest rate mortgage repayment instalment broker house term collateral
please yesterday again still nobody answered letter branch office waiting week why
""".splitlines()
)


def changed(*edits: tuple[str, str], more: str = ""):
    """The right decision with texts replaced."""
    text = RIGHT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return from_toml(text + more)


def corpus(n: int = 300, seed: int = 0, **columns: object) -> pa.Table:
    """Complaints of two topics, no two alike; columns given join or replace."""
    rng = np.random.default_rng(seed)
    topic = np.where(rng.random(n) < 0.5, "card", "loan")
    texts = [
        " ".join([*rng.choice(_CARD if t == "card" else _LOAN, 6), *rng.choice(_BOTH, 6)])
        + f" {k * 7919}"
        for k, t in enumerate(topic)
    ]
    table = {"narrative": texts, "topic": topic, "age": rng.integers(18, 90, n), **columns}
    return pa.table(table)


def with_copies(table: pa.Table, copies: int, seed: int = 1) -> pa.Table:
    """The table with the first rows repeated, each in another spelling, and all rows shuffled."""
    first = table.slice(0, copies)
    spelt = [t.upper() + " !!" for t in first["narrative"].to_pylist()]
    place = first.column_names.index("narrative")
    first = first.set_column(place, "narrative", pa.array(spelt))
    both = pa.concat_tables([table, first])
    return both.take(pa.array(np.random.default_rng(seed).permutation(len(both))))


def comparisons(monkeypatch):
    """Return a list that gets the number of documents each time twins are looked for."""
    compared = []

    def noted(texts, similarity):
        compared.append(len(texts))
        return twin_groups(texts, similarity)

    for module in (checks, together):
        monkeypatch.setattr(module, "twin_groups", noted)
    return compared
