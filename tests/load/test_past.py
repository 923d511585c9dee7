"""Reading what was done: codes, probabilities, refusals, and which rows take part."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from payoff.declare import Past
from payoff.errors import DataError, EvidenceError
from payoff.load.past import read_past
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.split import split
from tests.past_worlds import campaign


def logged(past, weight=None, **columns):
    table = pa.table(columns)
    n = table.num_rows
    return read_past(table, campaign(past=past), np.ones(n) if weight is None else weight)


def test_names_and_values_of_actions():
    past = Past(action="done", randomised=True, values={"mail": 1})
    found = logged(past, done=["1", "leave", None, "1"])
    assert found.taken.tolist() == [0, 1, -1, 0]
    assert found.propensity[:2].tolist() == [2 / 3, 1 / 3]
    assert np.isnan(found.propensity[2])


def test_shares_are_weighted_or_given():
    past = Past(action="done", randomised=True)
    found = logged(past, np.array([3.0, 1.0]), done=["mail", "leave"])
    assert found.propensity.tolist() == [0.75, 0.25]
    given = Past(action="done", randomised=True, shares={"mail": 0.2, "leave": 0.8})
    assert logged(given, done=["mail", "leave"]).propensity.tolist() == [0.2, 0.8]


def test_without_chance_there_is_no_probability():
    assert logged(Past(action="done"), done=["mail"]).propensity is None


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.2, None, float("nan")])
def test_a_probability_that_cannot_be(bad):
    past = Past(action="done", propensity="p")
    with pytest.raises(DataError) as error:
        logged(past, done=["mail", "leave"], p=[0.5, bad])
    assert error.value.code == "PAY-L006"


def test_columns_and_actions_that_are_not_there():
    with pytest.raises(DataError) as error:
        logged(Past(action="done"), other=[1])
    assert error.value.code == "PAY-L004"
    with pytest.raises(EvidenceError) as error:
        logged(Past(action="done"), done=["fax"])
    assert error.value.code == "PAY-E003"
    with pytest.raises(DataError):
        logged(Past(action="done", propensity="p"), done=["mail"], p=["half"])


def parts_of(past, table):
    return split(assign(read(pa.table(table)), campaign(past=past)))


def test_no_feature_and_the_same_shares_in_every_part(rng):
    n = 1000
    table = {"x": rng.normal(size=n), "y": rng.integers(0, 2, n),
             "done": rng.choice(["mail", "leave"], n, p=[0.2, 0.8])}  # fmt: skip
    parts = parts_of(Past(action="done", randomised=True), table)
    assert parts.fit.features == ("x",)
    shares = [np.mean(p.logged.taken == 0) for p in (parts.fit, parts.choose, parts.judge)]
    assert np.ptp(shares) < 0.01


def test_rows_without_an_outcome_are_judged_where_that_is_declared(rng):
    n = 1000
    done = rng.choice(["mail", "leave"], n)
    y = np.where(done == "mail", rng.integers(0, 2, n).astype(float), np.nan)
    table = {"x": rng.normal(size=n), "y": y, "done": done}
    parts = parts_of(Past(action="done", outcomes_known=("mail",)), table)
    assert (parts.fit.outcome >= 0).all()
    assert np.mean(parts.judge.outcome < 0) == pytest.approx(np.mean(np.isnan(y)), abs=0.02)
    unlearnt = next(d for d in parts.dropped if "learnt" in d["reason"])
    assert unlearnt["n"] == pytest.approx(0.5 * np.isnan(y).sum(), abs=2)
    plain = parts_of(Past(action="done"), table)
    assert (plain.judge.outcome >= 0).all()
