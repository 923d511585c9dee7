"""Synonyms of keys lead to keys that exist."""

from __future__ import annotations

from payoff.declare.spec import DECISION_FILE, Kind
from payoff.declare.synonyms import _WORDS


def keys_of(kind: Kind) -> set[str]:
    """Return the keys of a table, also of tables in a map, a list or among alternatives."""
    found = set(kind.keys)
    for inner in (kind.values, kind.items, *kind.either):
        found |= keys_of(inner) if inner is not None else set()
    return found


def test_every_synonym_stands_for_a_key_of_its_table_and_is_none_itself():
    for table, words in _WORDS.items():
        known = keys_of(DECISION_FILE[table].kind) if table else set(DECISION_FILE)
        assert not set(words) & known, table
        for word, key in words.items():
            if "." in key:
                other, _, name = key.partition(".")
                assert name in keys_of(DECISION_FILE[other].kind), (table, word)
            else:
                assert key in known, (table, word)
