"""What a served row may hold that was not seen among the rows learnt from."""

from __future__ import annotations

import pytest

from payoff.load.fields import Contract, Field

CONTRACT = Contract(
    fields=(
        Field(name="age", type="number", low=18.0, high=90.0),
        Field(name="income", type="number", low=0.0, high=9e5, missing_share=0.2),
        Field(name="job", type="category", categories=("clerk", "1"), n_categories=2),
        Field(name="city", type="category", categories=("Rome",), n_categories=5000),
        Field(name="due", type="date", first="2020-01-01", last="2020-02-01", n_categories=30),
        Field(name="fee", type="number", role="money", low=1.0, high=2.0),
    )
)
USUAL = {"age": 30, "income": 1.0, "job": "clerk", "city": "Rome", "due": "2020-01-05", "fee": 1.5}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"age": 18}, None),
        ({"age": 17.9}, "'age' = 17.9 lies outside 18 to 90"),
        ({"age": None}, "'age' is missing"),
        ({"income": None}, None),
        ({"job": 1}, None),
        ({"job": "Clerk"}, "'job' = 'Clerk' was not among"),
        ({"city": "Oslo"}, None),
        ({"due": "2031-01-01"}, None),
        ({"fee": 99}, "'fee' = 99"),
        ({"fee": None}, None),
    ],
)
def test_what_is_unusual_is_named(change, words):
    row = {**USUAL, **change}
    (found,) = CONTRACT.unusual([row])
    assert CONTRACT.check([row]) == []
    assert (found == []) if words is None else (len(found) == 1 and words in found[0])


def test_hostile_values_are_shown_harmless():
    (found,) = CONTRACT.unusual([{**USUAL, "job": "\x1b[31m</script>" + "x" * 500}])
    assert "\x1b" not in found[0]
    assert len(found[0]) < 200
