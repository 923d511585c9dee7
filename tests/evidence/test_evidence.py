"""Evidence as a value: frozen, JSON both ways, frames out, and safe in a notebook."""

from __future__ import annotations

import copy
import dataclasses
import html.parser
import json
import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff import judge_predictions
from payoff.checks import Check
from payoff.errors import EvidenceError
from payoff.evidence.evidence import Evidence
from payoff.evidence.frames import FRAMES, LIBRARIES, rows_of
from payoff.evidence.frozen import frozen
from tests.report.examples import HOSTILE
from tests.worlds import binary, calibrated, judged, three_by_three


@pytest.fixture
def evidence(rng):
    prob, y = calibrated(rng, 400)
    group = np.array(["a", "b", "rare"])[np.minimum(rng.integers(0, 40, 400), 2)]
    return judged(binary(subgroups=("g",), rule="g = 'a'"), {"y": y, "g": group}, prob)


# ------------------------------------------------------------------------------------- frozen


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.verdict.update(state="deploy"),
        lambda e: e.decision["actions"].append("another"),
        lambda e: e.decision["actions"][0].pop("label"),
        lambda e: e.curve["value"].sort(),
        lambda e: e.curve["value"].__setitem__(0, 1e9),
        lambda e: e.calibration["bins"][0].clear(),
        lambda e: e.made_with.setdefault("payoff", "9"),
        lambda e: e.data.__ior__({"n_rows": 1}),
    ],
)
def test_nothing_inside_can_be_changed(evidence, change):
    before = evidence.to_json()
    with pytest.raises(TypeError, match="frozen"):
        change(evidence)
    with pytest.raises(dataclasses.FrozenInstanceError):
        evidence.seed = 3
    assert evidence.to_json() == before


def test_what_was_handed_over_stays_the_callers(evidence):
    mine = {"state": "deploy", "list": [1, {"deep": 2}]}
    made = dataclasses.replace(evidence, verdict=mine)
    mine["list"][1]["deep"] = 3
    mine["state"] = "refuse"
    assert made.verdict == {"state": "deploy", "list": [1, {"deep": 2}]}
    mine["list"].append(4)  # the caller's own is not frozen by having been handed over


def test_a_copy_of_the_json_form_is_free(evidence):
    value = evidence.to_dict()
    value["verdict"]["state"] = "changed"
    value["curve"]["value"].append(1)
    assert evidence.verdict["state"] != "changed"


def test_it_copies_and_pickles(evidence):
    assert copy.deepcopy(evidence) == evidence
    assert pickle.loads(pickle.dumps(evidence)) == evidence  # payoff itself never does


def test_judging_leaves_the_callers_frame_as_it_was(rng):
    """A peer's frozen frame turned its caller's categories into text."""
    prob, y = calibrated(rng, 200)
    mine = pd.DataFrame({"y": y.astype("int8"), "y_prob": prob.astype("float32")})
    mine["g"] = pd.Categorical(np.where(y, "a", "b"))
    before = mine.copy(deep=True)
    judge_predictions(binary(subgroups=("g",)), mine)
    pd.testing.assert_frame_equal(mine, before, check_exact=True)
    assert mine.dtypes.to_dict() == before.dtypes.to_dict()


# --------------------------------------------------------------------------------------- JSON


_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.dictionaries(st.text(max_size=8), _PLAIN, max_size=4))
def test_json_both_ways(seed, section):
    rng = np.random.default_rng(seed)
    prob = rng.dirichlet([1, 2, 3], 60)
    y = np.array(["fraud", "error", "fine"])[np.arange(60) % 3]
    made = judged(three_by_three(), {"y": y, "amount": rng.lognormal(3, 1, 60)}, prob)
    made = dataclasses.replace(made, past=section)
    read = Evidence.from_dict(json.loads(made.to_json()))
    assert read.to_json() == made.to_json()
    assert read.past == made.past
    assert read.policies == made.policies
    assert read.comparisons == made.comparisons


@given(_PLAIN)
def test_freezing_keeps_the_value(value):
    kept = frozen(value)
    assert kept == value
    assert json.dumps(kept) == json.dumps(value)
    assert frozen(kept) is kept or not isinstance(value, dict | list)


# ------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", FRAMES)
def test_frames_in_the_callers_library(evidence, name, library):
    found = evidence.frame(name, library)
    kind = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}[library]
    assert isinstance(found, kind)
    rows = rows_of(evidence, name)
    names = list(found.column_names if library == "pyarrow" else found.columns)
    assert names == list(rows[0])
    assert "n" in names
    assert [c for c in names if c.endswith("unit")]
    for column in names:
        got = found[column].to_pylist() if library == "pyarrow" else found[column].to_list()
        for mine, theirs in zip((r[column] for r in rows), got, strict=True):
            if mine is None:
                assert theirs is None or math.isnan(theirs)
            else:
                assert theirs == mine


def test_a_frame_says_what_the_evidence_says(evidence):
    table = evidence.frame("policies").to_pylist()
    for row, policy in zip(table, evidence.policies, strict=True):
        assert (row["total"], row["total_low"], row["total_high"], row["total_unit"]) == (
            policy.total.value,
            policy.total.low,
            policy.total.high,
            policy.total.unit,
        )
    small = [g for g in evidence.frame("groups").to_pylist() if g["state"] == "small"]
    assert small
    assert small[0]["value"] is None
    assert small[0]["reason"]


def test_frames_of_nothing_and_of_what_was_not_measured(evidence, rng):
    prob, y = calibrated(rng, 60)
    bare = judged(binary(), {"y": y}, prob)
    assert bare.frame("groups").num_rows == 0
    gone = dataclasses.replace(evidence, curve={"not_measured": "three actions"})
    with pytest.raises(EvidenceError, match="three actions"):
        gone.frame("curve")


@pytest.mark.parametrize(
    ("name", "library"), [("polices", "pyarrow"), ("policies", "panda"), ("policies", "modin")]
)
def test_unknown_frames_are_refused_with_a_hint(evidence, name, library):
    with pytest.raises(EvidenceError) as caught:
        evidence.frame(name, library)
    assert caught.value.code == "PAY-E011"


# ----------------------------------------------------------------------------------- notebook


class _Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    tags = _Tags()
    tags.feed(text)
    return tags


def test_a_notebook_shows_verdict_options_and_warnings(evidence):
    shown = read(evidence._repr_html_())
    words = " ".join(shown.text)
    for policy in evidence.policies:
        assert policy.label in words
    assert evidence.verdict["sentence"] in words
    for check in evidence.checks:
        assert (check.detail in words) == check.page_one
    assert evidence.policies[0].total.unit in words
    assert len(evidence._repr_html_()) < 20_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_a_notebook(evidence, name):
    tame = read(evidence._repr_html_())
    hostile = dataclasses.replace(
        evidence,
        decision={**evidence.decision, "title": name},
        verdict={**evidence.verdict, "sentence": name, "state": name},
        policies=tuple(
            dataclasses.replace(
                p,
                label=name,
                total=dataclasses.replace(p.total, unit=name, low=None, reason=name),
            )
            for p in evidence.policies
        ),
        checks=(
            Check(code=name, title=name, status="issue", detail=name, mend=name, page_one=True),
        ),
    )
    text = hostile._repr_html_()
    shown = read(text)
    assert {t for t, _ in shown.tags} <= {t for t, _ in tame.tags} | {"p"}
    assert all(set(a) <= {"class", "scope"} for _, a in shown.tags)
    assert not any(c in text for c in "\u202e\u2066\x1b\r\n")
    assert len(text) < 40_000
