"""Recommendations from rows to evidence: planted worlds whose right list is known."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from payoff.cli.main import group
from payoff.declare.file import from_toml
from payoff.errors import PayoffError
from payoff.model.recommend import plugged
from payoff.model.recommend.families import Facts, NotTried, why_not
from payoff.model.recommend.histories import Histories
from payoff.workflow import run
from tests.load.interactions.making import HEAD, day, table

FAST = '[training]\ncandidates = ["item_neighbours", "ease"]\n'
SPLIT = '[split]\nchoose_from = "2026-03-01"\njudge_from = "2026-04-01"\n'


def tastes(seed=0, users=120, days=120, dear=1.0):
    """Two tastes of 12 items each; nobody crosses over, and nobody takes an item twice in a part.

    The last item of each taste costs ``dear`` times the others.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for u in range(users):
        own = 12 * (u % 2) + rng.permutation(12)
        for at, d in enumerate(np.sort(rng.choice(days, 10, replace=False))):
            item = int(own[at])
            price = 10.0 * (dear if item % 12 == 11 else 1.0)
            rows.append((f"u{u}", f"i{item:02d}", int(d), 1, price))
    return sorted(rows, key=lambda r: r[2])


def outcome(rows, more="", **named):
    return run(from_toml(HEAD + more), table(rows), **named)


def chosen(evidence):
    return {c["name"]: c for c in evidence.model["candidates"]}


@pytest.fixture(scope="module")
def two_tastes():
    return outcome(tastes(), "[list]\nlength = 5\nrepeats = false\n" + SPLIT + FAST).evidence


def test_a_model_finds_the_taste_that_popularity_cannot(two_tastes):
    policies = {p.name: p for p in two_tastes.policies}
    assert two_tastes.policies[0].name in ("item_neighbours", "ease")
    best, popular = two_tastes.policies[0], policies["popular"]
    assert best.value.value > 1.5 * popular.value.value
    assert policies["do_nothing"].value.value == 0
    assert "buy_again" not in policies
    reasons = {f["name"]: f["reason"] for f in two_tastes.model["failures"]}
    assert "'repeats' is false" in reasons["buy_again"]


def test_the_record_says_what_was_tried_and_what_it_took(two_tastes):
    model = two_tastes.model
    assert {t["family"] for t in model["tried"]} == {"popular", "item_neighbours", "ease"}
    assert sum(c["chosen"] for c in model["candidates"]) == 1
    cost = chosen(two_tastes)["ease"]["cost"]
    assert cost["fit_seconds"] > 0
    assert cost["model_bytes"] > 24 * 24 * 4
    json.dumps(two_tastes.to_dict(), allow_nan=False)


def test_money_shows_what_is_dear():
    rows = tastes(dear=20.0)
    more = "[list]\nlength = 1\nrepeats = false\n" + SPLIT + FAST
    evidence = outcome(rows, more).evidence
    best = evidence.policies[0]
    assert "money to the power" in chosen(evidence)[best.name]["words"]
    plain = next(p for p in evidence.policies if p.name.endswith("_plain"))
    assert best.value.value > 1.5 * plain.value.value


def same(a, b):
    """Return evidence without what a clock measured."""

    def bare(evidence):
        candidates = [{**c, "cost": None} for c in evidence.model["candidates"]]
        return {**evidence.model, "candidates": candidates}, [
            dataclasses.asdict(p) for p in evidence.policies
        ]

    return bare(a) == bare(b)


def test_a_seed_gives_the_same_again(two_tastes):
    again = outcome(tastes(), "[list]\nlength = 5\nrepeats = false\n" + SPLIT + FAST).evidence
    assert same(two_tastes, again)


def test_judging_rows_choose_nothing(two_tastes):
    rows = tastes()
    spoilt = [
        (u, f"i{(int(i[1:]) + 12) % 24:02d}", d, n, 77.0) if d >= 90 else (u, i, d, n, p)
        for u, i, d, n, p in rows
    ]
    other = outcome(spoilt, "[list]\nlength = 5\nrepeats = false\n" + SPLIT + FAST).evidence
    for key in ("tried", "name", "settings", "chosen_on"):
        assert other.model[key] == two_tastes.model[key], key
    assert other.policies[0].value.value != two_tastes.policies[0].value.value


def test_constraints_bind_the_choice(tmp_path):
    items = pa.table({"sku": [f"i{n:02d}" for n in range(24)], "kind": ["even", "odd"] * 12})
    pq.write_table(items, tmp_path / "items.parquet")
    more = (
        f'[items]\nid = "sku"\nsource = "{tmp_path}/items.parquet"\n'
        '[list]\nlength = 4\nrepeats = false\nat_most = { kind = 2 }\nitem_groups = ["kind"]\n'
        '[[list.constraints]]\nmeasure = "coverage"\nat_least = 0.9\nreason = "the long tail"\n'
        '[[list.constraints]]\nmeasure = "share:kind=odd"\nat_most = 0.6\nreason = "fair"\n'
    )
    evidence = outcome(tastes(), more + SPLIT + FAST).evidence
    reached = evidence.model["chosen_on"]["constraints"]
    kept = {r["policy"] for r in reached} - {r["policy"] for r in reached if not r["kept"]}
    assert evidence.policies[0].name in kept
    assert "popular" not in kept  # it covers a few items only
    shares = [r["value"] for r in reached if r["measure"].startswith("share")]
    assert shares == pytest.approx([0.5] * len(shares), abs=0.02)
    assert "breaks coverage" in chosen(evidence)["popular"]["reason"]


def test_bundle_and_pages(tmp_path):
    rows = pa.table(table(tastes()))
    pq.write_table(rows, tmp_path / "rows.parquet")
    text = HEAD + 'source = "rows.parquet"\n[list]\nrepeats = false\n' + SPLIT + FAST
    (tmp_path / "decision.toml").write_text(text, encoding="utf-8")
    said = CliRunner().invoke(
        group, ["run", str(tmp_path / "decision.toml"), "--out", str(tmp_path / "out")]
    )
    assert said.exit_code == 0, said.output
    assert (tmp_path / "out" / "report.html").is_file()
    from payoff.bundle import RecommendBundle

    opened = RecommendBundle.open(tmp_path / "out")
    lists = opened.ranker.policy.lists(
        opened.ranker.recommender, opened.histories.take([0]), opened.offer
    )
    mine = {str(opened.items.labels[i]) for i in lists.items[0] if i >= 0}
    had = {str(opened.items.labels[i]) for i in opened.histories.take([0]).item}
    assert mine
    assert not mine & had
    told = CliRunner().invoke(
        group,
        ["train", str(tmp_path / "decision.toml"), "--out", str(tmp_path / "trained"), "--quiet"],
    )
    assert told.exit_code == 0, told.output
    assert "buy_again was skipped" in told.output
    assert not (tmp_path / "trained" / "report.html").exists()


# ------------------------------------------------------------------------------------ bad input


def one_moment():
    return [(u, i, 5, n, p) for u, i, _, n, p in tastes()]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("u1", i, d, n, p) for _, i, d, n, p in tastes()], "PAY-L009"),
        ([(u, "i1", d, n, p) for u, _, d, n, p in tastes()], "PAY-L009"),
        (one_moment(), "PAY-L006"),
        ([(u, i, d, -1, p) for u, i, d, _, p in tastes()], "PAY-L003"),
    ],
    ids=["one user", "one item", "one moment", "only returns"],
)
def test_rows_that_cannot_be_used_are_refused(rows, code):
    with pytest.raises(PayoffError, match=code):
        outcome(rows, FAST)


def test_rows_that_repeat_count_once(two_tastes):
    rows = [row for row in tastes() for _ in range(2)]
    again = outcome(rows, "[list]\nlength = 5\nrepeats = false\n" + SPLIT + FAST).evidence
    assert [p.value.value for p in again.policies] == [p.value.value for p in two_tastes.policies]


def test_new_items_new_users_and_ids_of_mixed_type_are_judged():
    rows = tastes()
    late = [(f"n{k}", f"new{k % 3}", 95 + k % 20, 1, 5.0) for k in range(30)]
    mixed = [
        (u, str(int(i[1:])) if d < 40 else f"{int(i[1:])}.0", d, n, p) for u, i, d, n, p in rows
    ]
    evidence = outcome(
        sorted([*mixed, *late], key=lambda r: r[2]),
        "[list]\nlength = 5\nrepeats = false\n" + SPLIT + FAST,
    ).evidence
    assert evidence.data["interactions"]["n_items"] == 24 + 3
    assert evidence.data["split"]["cold"]["judge"]["users"] >= 30
    assert evidence.policies[0].value.n == evidence.data["split"]["parts"]["judge"]["n_users"]


def test_a_catalogue_that_changes_is_obeyed(tmp_path):
    items = pa.table({
        "sku": [f"i{n:02d}" for n in range(24)],
        "gone": [day(80) if n % 12 < 6 else None for n in range(24)],
    })  # fmt: skip
    pq.write_table(items, tmp_path / "items.parquet")
    more = f'[items]\nid = "sku"\nsource = "{tmp_path}/items.parquet"\nuntil = "gone"\n'
    out = outcome(
        tastes(),
        more + "[list]\nlength = 12\nrepeats = true\n" + SPLIT + FAST,
        out=tmp_path / "out",
        pages=False,
    )
    from payoff.bundle import RecommendBundle

    opened = RecommendBundle.open(out.folder)
    left = [int(str(x)[1:]) % 12 >= 6 for x in opened.items.labels]
    assert opened.offer.allowed.tolist() == left


@pytest.mark.parametrize("method", ["last", "random"])
def test_splits_of_papers(method):
    more = f'[list]\nlength = 5\nrepeats = false\n[split]\nmethod = "{method}"\n' + FAST
    evidence = outcome(tastes(), more).evidence
    assert evidence.policies[0].name in ("item_neighbours", "ease")


def test_known_users_who_did_nothing_earn_the_misses():
    more = "[payoffs.show]\nmiss = -0.5\n[list]\nlength = 5\nrepeats = false\nshown_to = "
    rows = [r for r in tastes() if r[2] < 90 or int(r[0][1:]) < 60]
    active, known = (
        outcome(rows, f'{more}"{who}"\n' + SPLIT + FAST).evidence for who in ("active", "known")
    )
    for name in ("popular", "item_neighbours"):
        a = next(p for p in active.policies if p.name == name).value
        b = next(p for p in known.policies if p.name == name).value
        assert b.n == 120
        if chosen(active)[name]["words"] == chosen(known)[name]["words"]:
            assert b.value * b.n == pytest.approx(a.value * a.n - 2.5 * (b.n - a.n), abs=1e-6)


# -------------------------------------------------------------------------------- what is left out


def test_what_cannot_be_fitted_is_left_out_with_the_reason():
    facts = Facts(
        histories=Histories.sessions([[0, 1]], 20_000), attributes=None, dates=True, repeats=True,
        seed=0,
    )  # fmt: skip
    for family, words in (("ease", "processor seconds"), ("content", "No attributes")):
        with pytest.raises(NotTried) as error:
            list(facts.settings(family))
        assert words in why_not(error.value)
    assert next(iter(facts.settings("low_rank_ease"))).settings["rank"] == 96
    with pytest.raises(PayoffError, match="PAY-T002"):
        outcome(tastes(), '[training]\ncandidates = ["eaze"]\n')


def test_a_recommender_of_another_library(tmp_path):
    def factory(histories):
        x = histories.matrix().toarray()
        likeness = x.T @ x
        return lambda asked: asked.matrix().toarray() @ likeness

    plugged.register_recommender("together", factory)
    try:
        more = "[list]\nlength = 5\nrepeats = false\n" + SPLIT
        more += '[training]\ncandidates = ["together"]\n'
        found = outcome(tastes(), more, out=tmp_path / "out", pages=False)
        assert found.evidence.policies[0].name == "together"
        kept = plugged.fitted_recommender("together")
        from payoff.bundle import RecommendBundle

        opened = RecommendBundle.open(tmp_path / "out")
        assert opened.ranker.recommender.registered == "together"
        plugged.unregister_recommender("together")
        with pytest.raises(PayoffError, match="PAY-B007"):
            RecommendBundle.open(tmp_path / "out")
        plugged.register_recommender("together", fitted=lambda asked: -kept(asked))
        with pytest.raises(PayoffError, match="PAY-B007"):
            RecommendBundle.open(tmp_path / "out")
        plugged.register_recommender("together", fitted=kept)
        assert RecommendBundle.open(tmp_path / "out").id == opened.id
    finally:
        plugged.unregister_recommender("together")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (lambda _: 3, "cannot be called"),
        (lambda _: lambda asked: np.zeros((len(asked), 2)), "shape"),
        (lambda h: lambda asked: np.random.default_rng().random((len(asked), h.n_items)), "others"),
        (lambda _: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_recommenders_that_do_not_what_they_must_are_left_out(factory, words):
    plugged.register_recommender("odd_one", factory)
    try:
        with pytest.raises(PayoffError, match="PAY-T005") as error:
            plugged.fit_plugged("odd_one", Histories.sessions([[0, 1], [1, 2], [2]], 3))
        assert words in str(error.value)
    finally:
        plugged.unregister_recommender("odd_one")
    for name in ("EASE", "ease", "blend"):
        with pytest.raises(PayoffError, match="PAY-T005"):
            plugged.register_recommender(name, factory)
