"""Each check of the documents fires on a corpus made to fire it, and passes on a good one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from payoff.errors import DataError
from payoff.load.contract import learn
from payoff.load.fields import Contract
from payoff.load.roles import assign
from payoff.load.source import read
from payoff.load.text.twins import twin_groups
from payoff.workflow.rows import check
from tests.bad_input.making import assert_well_told
from tests.load.text.worlds import changed, comparisons, corpus, with_copies


def found(table, decision=None):
    return {c.code: c for c in check(decision or changed(), table).checks}


def replaced(table, column, values):
    return table.set_column(table.column_names.index(column), column, pa.array(values))


def test_a_good_corpus_passes():
    results = found(corpus(300))
    for code in ("PAY-L121", "PAY-L123", "PAY-L124", "PAY-L126"):
        assert results[code].status == "passed", results[code]
    assert results["PAY-L125"].status == "not_applicable"
    assert results["PAY-L108"].status == "passed"  # documents differ in every row; that is no fault


def test_no_documents_no_checks_of_documents():
    decision = changed(('kind = "text"\n', ""), ('text = ["narrative"]\n', ""))
    assert not [c for c in found(corpus(300), decision) if c.startswith("PAY-L12")]


def test_empty_and_one_word_documents():
    table = corpus(300)
    texts = table["narrative"].to_pylist()
    blank = replaced(table, "narrative", [None if k % 10 == 0 else t for k, t in enumerate(texts)])
    assert found(blank)["PAY-L121"].status == "issue"
    one = [f"word{k}" if k % 10 == 0 else t for k, t in enumerate(texts)]
    assert found(replaced(table, "narrative", one))["PAY-L121"].status == "tip"


@pytest.mark.packages("py3langid")
def test_languages():
    german = "Ich warte seit zwei Wochen auf meine neue Karte und niemand antwortet mir, Vorgang"
    table = corpus(300)
    texts = [
        f"{german} {k * 7919}" if k % 4 == 0 else t for k, t in enumerate(table[0].to_pylist())
    ]
    mixed = replaced(table, "narrative", texts)
    assert found(mixed)["PAY-L122"].status == "tip"
    declared = found(mixed, changed(more='\n[text]\nlanguages = ["en"]\n'))["PAY-L122"]
    assert declared.status == "issue"
    assert "75 documents" in declared.detail
    both = changed(more='\n[text]\nlanguages = ["en", "de"]\n')
    assert found(mixed, both)["PAY-L122"].status == "passed"


def test_twins_across_declared_parts():
    table = with_copies(corpus(300), 100)
    part = np.random.default_rng(1).choice(["fit", "choose", "judge"], 400)
    table = table.append_column("part", pa.array(part))
    decision = changed(('outcome = "topic"', 'outcome = "topic"\npart = "part"'))
    leak = found(table, decision)["PAY-L123"]
    assert leak.status == "issue"
    assert "part column" in leak.mend
    kept = found(table.drop_columns("part"))["PAY-L123"]
    assert kept.status == "passed"
    assert "200 of 400 documents" in kept.detail


def test_personal_data_is_replaced_unless_that_is_turned_off():
    table = corpus(300)
    texts = [f"{t} jo{k}@acme.example" for k, t in enumerate(table[0].to_pylist())]
    table = replaced(table, "narrative", texts)
    passed = found(table)["PAY-L124"]
    assert passed.status == "passed"
    assert "e-mail 300" in passed.detail
    assert found(table, changed(more="\n[text]\nredact = false\n"))["PAY-L124"].status == "issue"
    data = assign(read(table), changed())
    assert not any("acme" in t for t in data.table["narrative"].to_pylist())


def test_twins_with_different_outcomes():
    table = with_copies(corpus(300), 60)
    topics = table["topic"].to_pylist()
    flipped = [
        ("loan" if t == "card" else "card") if k % 5 == 0 else t for k, t in enumerate(topics)
    ]
    result = found(replaced(table, "topic", flipped))["PAY-L125"]
    assert result.status == "issue"
    assert found(table)["PAY-L125"].status == "passed"


def test_an_outcome_named_like_a_column():
    table = corpus(300).append_column("Card", pa.array(np.arange(300.0)))
    result = found(table)["PAY-L126"]
    assert result.status == "tip"
    assert "'Card'" in result.detail


def test_texts_are_read_with_ordinary_columns_and_described_without_their_words():
    table = corpus(300, note=["a second column of text"] * 299 + [None])
    data = assign(read(table), changed(('["narrative"]', '["narrative", "note"]')))
    assert data.features == ("narrative", "age", "note")
    assert data.ordinary == ("age",)
    contract = learn(data)
    fields = {f.name: f for f in contract.fields}
    assert fields["narrative"].type == "text"
    assert fields["narrative"].longest == max(map(len, data.table["narrative"].to_pylist()))
    assert fields["note"].missing_share == pytest.approx(1 / 300)
    assert "second" not in str(contract.to_dict())
    assert Contract.from_dict(contract.to_dict()) == contract
    narrow = changed(('["narrative"]', '["narrative"]\nfeatures = ["age"]'))
    assert assign(read(table), narrow).features == ("narrative", "age")


def test_requests():
    contract = learn(assign(read(corpus(300)), changed()))
    assert contract.problems({"narrative": "My card is lost", "age": 30}) == []
    assert contract.problems({"narrative": None, "age": 30}) == []
    huge = contract.problems({"narrative": "x" * 10_000_000, "age": 30})[0]
    assert huge["got"] == "text of 10,000,000 characters"
    assert "200,000" in huge["need"]
    assert contract.problems({"narrative": 7, "age": 30})[0]["got"] == "7"
    assert "empty" in contract.unusual([{"narrative": " ", "age": 30}])[0][0]
    longer = contract.unusual([{"narrative": "secret " * 500, "age": 30}])[0][0]
    assert "3,500 characters" in longer
    assert "secret" not in longer


# ------------------------------------------------------------------------------- bad input


def stopped(table, decision=None, code="PAY-L003"):
    with pytest.raises(DataError) as caught:
        check(decision or changed(), table)
    return assert_well_told(caught.value, code)


@pytest.mark.parametrize("nothing", ["", "  \t ", "\0\0", "<p></p>", "\u202e\u200b", None])
def test_a_corpus_without_a_word(nothing):
    assert "narrative" in stopped(replaced(corpus(300), "narrative", [nothing] * 300))


def test_a_document_of_ten_megabytes():
    texts = corpus(300)["narrative"].to_pylist()
    texts[7] = "secret " * 1_500_000
    said = stopped(replaced(corpus(300), "narrative", texts), code="PAY-L013")
    assert "row 8" in said
    assert "10,500,000 characters" in said
    assert "secret" not in said


def test_numbers_for_documents():
    stopped(replaced(corpus(300), "narrative", np.arange(300.0)), code="PAY-L006")


def test_no_such_text_column():
    stopped(corpus(300), changed(('["narrative"]', '["narration"]')), code="PAY-L004")


def test_one_label():
    stopped(replaced(corpus(300), "topic", ["card"] * 300), code="PAY-L008")


def test_hostile_documents_are_read_and_none_is_lost():
    table = corpus(300)
    hostile = [
        "<script>alert(1)</script> card",
        "card \0 null \x1b[31m red",
        "\u202egnp.card\u202c",
        "😀🏳️\u200d🌈 card 👍🏽",
        "<img src=x onerror=alert(1)> card",
        "CafÃ© card",
        "=cmd|' /C calc'!A0 card",
    ]
    texts = table["narrative"].to_pylist()
    texts[: len(hostile)] = hostile
    data = assign(read(replaced(table, "narrative", texts)), changed())
    ready = data.table["narrative"].to_pylist()
    assert all("card" in t for t in ready[: len(hostile)])
    assert not any("<" in t or "\0" in t or "\x1b" in t or "\u202e" in t for t in ready)
    assert ready[5] == "Café card"
    assert ready[3] == hostile[3]
    assert len(found(replaced(table, "narrative", texts))) > 20


def test_bytes_of_mixed_encodings():
    texts = corpus(300)["narrative"].to_pylist()
    mixed = [f"{t} café".encode("cp1252" if k % 2 else "utf-8") for k, t in enumerate(texts)]
    table = replaced(corpus(300), "narrative", pa.array(mixed, pa.binary()))
    data = assign(read(table), changed())
    assert all(t.endswith(" café") for t in data.table["narrative"].to_pylist())


@pytest.mark.parametrize("unlabelled", [0, 30])
def test_the_sheet_counts_twins_among_all_rows(unlabelled, monkeypatch):
    compared = comparisons(monkeypatch)
    table = with_copies(corpus(300), 60)
    topic = [None if k < unlabelled else t for k, t in enumerate(table["topic"].to_pylist())]
    made = check(changed(), replaced(table, "topic", topic))
    groups = twin_groups(table["narrative"].to_pylist(), made.data.similarity)
    size = np.bincount(groups)
    assert made.corpus["twins"]["rows"] == size[size > 1].sum() == 120
    # All rows are compared once; a second time only where some rows took no part in the split.
    assert compared == ([360 - unlabelled, 360] if unlabelled else [360])
