"""Documents with several labels go the whole way: declared, judged, bundled, scored, served."""

import json

import numpy as np
import pyarrow as pa
import pytest

from payoff.bundle import Bundle
from payoff.declare import Action, Data, Decision, Outcome, PayoffTable, Training
from payoff.declare.file import from_toml, to_toml
from payoff.declare.multilabel import MultiLabel
from payoff.errors import DataError, DeclarationError
from payoff.load.text.twins import twin_groups
from payoff.workflow.explaining import explain_row
from payoff.workflow.rows import check
from payoff.workflow.scored_rows import score_rows
from payoff.workflow.training import run
from tests.load.text.worlds import comparisons
from tests.serve.asking import client_of, post, refused, validate

WORDS = {
    "card": ["card", "chip", "pin", "swipe", "atm"],
    "fee": ["fee", "charge", "charged", "cost", "overdraft"],
    "loan": ["loan", "mortgage", "rate", "repay", "borrow"],
}
SHARE = {"card": 0.45, "fee": 0.35, "loan": 0.1}
FILLER = ["please", "help", "me", "with", "my", "the", "now", "thanks", "what", "is", "again"]
#: Money of sending a letter that carries the label, and of one that does not.
WORTH = {"card": 4, "fee": 4, "loan": 20}
VAIN = -2


def letters(n=600, seed=0):
    rng = np.random.default_rng(seed)
    topics, texts = [], []
    for _ in range(n):
        has = [name for name in WORDS if rng.random() < SHARE[name]]
        words = list(rng.choice(FILLER, size=rng.integers(5, 12)))
        for name in has:
            words += list(rng.choice(WORDS[name], size=rng.integers(1, 3)))
        texts.append(" ".join(rng.permutation(words)))
        topics.append(";".join(h for h in has if rng.random() < 0.95))
    return pa.table({"id": [f"m{i}" for i in range(n)], "message": texts, "topics": topics})


def tagging(labels=None, **more):
    money = "case when label = 'loan' then 20 else 4 end"
    usual = {
        "data": Data(outcome="topics", text=("message",), unit_id="id"),
        "outcomes": (
            Outcome(name="lacks", values=(False,)),
            Outcome(name="carries", values=(True,)),
        ),
        "training": Training(candidates=("tfidf",), folds=3),
    }
    return Decision(
        name="tagging",
        kind="text",
        currency="EUR",
        actions=(Action(name="send"), Action(name="leave")),
        payoffs=PayoffTable.of(
            {"send": {"carries": money, "lacks": VAIN}, "leave": {"carries": 0, "lacks": 0}}
        ),
        do_nothing="leave",
        multilabel=labels or MultiLabel(names=tuple(WORDS), empty="none", documents=1000),
        **{**usual, **more},
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    table = letters()
    folder = tmp_path_factory.mktemp("labels") / "bundle"
    found = run(tagging(), table, out=folder)
    return table, found.evidence, Bundle.open(folder)


def test_the_value_is_the_money_of_the_actions_on_the_judging_rows(made):
    table, evidence, bundle = made
    scored = score_rows(bundle, table).to_pylist()
    earned = [
        (WORTH[r["label"]] if r["label"] in r["topics"].split(";") else VAIN)
        for r in scored
        if r["payoff_part"] == "judge" and r["payoff_action"] == "send"
    ]
    n = sum(r["payoff_part"] == "judge" for r in scored)
    policy = evidence.policies[0]
    assert policy.value.value == pytest.approx(sum(earned) / n)
    # 1,000 documents of three labels come up per period.
    assert policy.total.value == pytest.approx(sum(earned) / n * 3000)
    assert policy.value.n == n
    assert policy.value.n_clusters == n // 3


def test_a_documents_labels_are_on_one_side_of_the_split(made):
    table, _, bundle = made
    sides = {}
    for row in score_rows(bundle, table).to_pylist():
        sides.setdefault(row["id"], set()).add(row["payoff_part"])
    assert all(len(parts) == 1 for parts in sides.values())


def test_each_action_has_the_larger_expected_money_of_its_own_label(made):
    table, _, bundle = made
    for row in score_rows(bundle, table.slice(0, 40)).to_pylist():
        p = row["y_prob_carries"]
        money = p * WORTH[row["label"]] + (1 - p) * VAIN
        assert row["expected_send"] == pytest.approx(money)
        assert row["payoff_action"] == ("send" if money > 0 else "leave")


def test_table_and_served_rows_agree(made):
    table, _, bundle = made
    some = table.slice(0, 30)
    scored = score_rows(bundle, some).to_pylist()
    asked = [{"message": m} for m in some.column("message").to_pylist()]
    answered = bundle.decide(asked)
    assert [a["label"] for a in answered] == [r["label"] for r in scored]
    assert [a["probabilities"]["carries"] for a in answered] == pytest.approx(
        [r["y_prob_carries"] for r in scored], abs=1e-12
    )


def test_a_row_that_names_its_label_gets_one_decision(made):
    *_, bundle = made
    [one] = bundle.decide([{"message": "my loan rate", "label": "loan"}])
    every = bundle.decide([{"message": "my loan rate"}])
    assert one == every[2]
    assert (one["label"], one["action"]) == ("loan", "send")


def test_preparing_twice_changes_nothing(made):
    *_, bundle = made
    once = bundle.prepare([{"message": "card 4111 1111 1111 1111", "id": "a"}])
    assert [r["label"] for r in once] == list(WORDS)
    assert bundle.prepare(once) == once
    assert "4111" not in json.dumps(once)


def test_the_bundle_keeps_the_declaration_and_the_answers(made):
    _, _, bundle = made
    assert bundle.decision == from_toml(to_toml(bundle.decision))
    assert bundle.decision.multilabel.names == tuple(WORDS)
    assert bundle.decision.volume == 3000
    assert "volume" not in (bundle.path / "decision.toml").read_text()


def test_evidence_counts_documents_once(made):
    _, evidence, _ = made
    assert evidence.data["n_rows"] == 1800
    assert evidence.data["n_documents"] == 600
    sheet = evidence.data["corpus"]
    assert sheet["documents"]["n"] == 600
    truth = {
        name: sum(name in t.split(";") for t in letters().column("topics").to_pylist())
        for name in WORDS
    }
    assert {r["name"]: r["n"] for r in sheet["labels"]} == truth
    assert {r["label"] for r in sheet["label_noise"]["rows"]} <= set(WORDS)
    assert evidence.data["clustered"]


def test_labels_are_a_slice_and_no_protected_group(made):
    _, evidence, _ = made
    found = next(s for s in evidence.subgroups if s.name == "label")
    assert found.automatic
    assert {g.label for g in found.groups} == set(WORDS)
    # Every judged document is asked about every label; money differs by label.
    assert {g.n for g in found.groups} == {evidence.policies[0].value.n_clusters}
    assert evidence.model["description"]["rows_per_label"].keys() == set(WORDS)


def test_the_server_answers_every_label_and_its_description_fits(made):
    *_, bundle = made
    client = client_of(bundle)
    body = json.dumps({"rows": [{"id": "a", "message": "my card fee"}]})
    answer = post(client, body).json()
    assert [d["label"] for d in answer["decisions"]] == list(WORDS)
    assert {d["unit_id"] for d in answer["decisions"]} == {"a"}
    document = client.get("/openapi.json").json()
    validate(document, {"$ref": "#/components/schemas/Answer"}, answer)
    asked = client.post("/explain", content=body, headers={"content-type": "application/json"})
    assert asked.status_code == 200
    assert asked.json()["label"] in ("card", "fee")
    validate(document, {"$ref": "#/components/schemas/Explanation"}, asked.json())
    wrong = post(client, json.dumps({"message": "x", "label": "lon"}))
    error = refused(wrong, 422, "PAY-S001")
    assert "'loan'" in error["problems"][0]["need"]


def test_an_explanation_speaks_of_its_label(made):
    table, _, bundle = made
    found = explain_row(bundle, table, row=1, label="fee")
    assert found["label"] == "fee"
    assert found["why"]["outcome"] in ("carries", "lacks")
    words = sum(w["log_odds"] for w in found["why"]["words"])
    rest = sum(r["log_odds"] for r in found["why"]["rest"])
    assert words + rest == pytest.approx(found["why"]["log_odds"])
    truth = "fee" in table.column("topics")[0].as_py().split(";")
    assert found["outcome"] == ("carries" if truth else "lacks")
    with pytest.raises(DataError, match="PAY-L019"):
        explain_row(bundle, table, row=1, label="lon")


def test_columns_of_true_and_false_say_the_same_as_a_list(made):
    table, evidence, _ = made
    topics = table.column("topics").to_pylist()
    flags = {f"is_{n}": [n in t.split(";") for t in topics] for n in WORDS}
    labels = MultiLabel(columns={n: f"is_{n}" for n in WORDS}, documents=1000)
    asked = tagging(labels)
    columns = {"id": table.column("id"), "message": table.column("message"), **flags}
    found = run(asked, pa.table(columns))
    own, other = (e.policies[0].value.value for e in (evidence, found.evidence))
    assert own == other
    assert from_toml(to_toml(asked)) == asked


def test_whatever_is_empty_must_be_said():
    labels = MultiLabel(names=tuple(WORDS))
    with pytest.raises(DataError, match="PAY-L006") as caught:
        check(tagging(labels), letters(200))
    assert "empty = 'none'" in caught.value.mend


def test_an_unknown_label_is_refused_or_ignored():
    with pytest.raises(DataError, match="PAY-L007") as caught:
        check(tagging(MultiLabel(names=("card", "fee"), empty="none")), letters(200))
    assert "'loan'" in caught.value.got
    ignored = MultiLabel(names=("card", "fee"), empty="none", others="ignore")
    assert len(check(tagging(ignored), letters(200)).data) == 400


def test_a_wrong_separator_is_named():
    labels = MultiLabel(names=tuple(WORDS), separator="|", empty="none")
    with pytest.raises(DataError, match="PAY-L007") as caught:
        check(tagging(labels), letters(200))
    assert "separator = ';'" in caught.value.mend


def test_a_documents_with_unknown_labels_take_no_part():
    table = letters(300)
    topics = [
        None if i % 10 == 0 else t or "[]" for i, t in enumerate(table.column("topics").to_pylist())
    ]
    table = table.set_column(2, "topics", pa.array(topics))
    found = check(tagging(MultiLabel(names=tuple(WORDS), empty="unknown")), table)
    rows = sum(len(p) for p in (found.parts.fit, found.parts.choose, found.parts.judge))
    assert rows == 270 * 3


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (
            {
                "outcomes": (
                    Outcome(name="carries", values=("y",)),
                    Outcome(name="lacks", values=("n",)),
                )
            },
            "outcomes",
        ),
        ({"volume": 12.0, "labels": MultiLabel(names=tuple(WORDS))}, "decision.volume"),
        ({"volume": 12.0}, "decision.volume"),
        ({"labels": MultiLabel(names=tuple(WORDS), column="topics")}, "multilabel.column"),
        ({"labels": MultiLabel(names=tuple(WORDS), column="message")}, "multilabel.column"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(change, key):
    with pytest.raises(DeclarationError) as caught:
        tagging(**change)
    assert key in (caught.value.where or "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ("one",)},
        {"names": ("a", "a")},
        {"names": ("a", "")},
        {"names": ("a", "b"), "columns": {"c": "x", "d": "y"}},
        {"columns": {"a": "x", "b": "x"}},
        {"names": ("a", "b"), "separator": ""},
        {"names": ("a", "b"), "empty": "maybe"},
        {"names": ("a", "b"), "others": "drop"},
        {"names": ("a", "b"), "documents": 0},
    ],
)
def test_labels_that_cannot_be_are_refused(wrong):
    with pytest.raises(DeclarationError):
        MultiLabel(**wrong)


@pytest.mark.parametrize("unknown", [0, 30])
def test_documents_are_compared_once(unknown, monkeypatch):
    compared = comparisons(monkeypatch)
    table = letters(300)
    texts, topics = table["message"].to_pylist(), table["topics"].to_pylist()
    topics = [topic or "card" for topic in topics]
    texts[250:], topics[:unknown] = texts[100:150], [None] * unknown
    table = table.set_column(1, "message", [texts]).set_column(2, "topics", [topics])
    made = check(tagging(MultiLabel(names=tuple(WORDS), empty="unknown")), table)
    size = np.bincount(twin_groups(texts, made.data.similarity))
    assert made.corpus["twins"]["rows"] == size[size > 1].sum() >= 100
    # A second time only where some documents took no part in the split.
    assert compared == ([300 - unknown, 300] if unknown else [300])
