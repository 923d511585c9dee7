"""Real documents: none is lost, nothing ordinary is taken for personal, known twins are found."""

from __future__ import annotations

import numpy as np
import pytest

from payoff.load.text.clean import clean
from payoff.load.text.language import languages
from payoff.load.text.personal import find, redact
from payoff.load.text.twins import twin_groups

SETS = {
    "banking77": "text",
    "trec": "text",
    "sms_spam": "text",
    "davidson_tweets": "text",
    "cfpb_small": "text",
}


def column(folder, name, which):
    import pyarrow.parquet as pq

    return pq.read_table(folder / "text" / f"{name}.parquet").column(which).to_pylist()


@pytest.mark.parametrize("name", SETS)
def test_cleaning_loses_no_document_and_twice_is_once(name, shared_data):
    raw = column(shared_data, name, SETS[name])
    ready = clean(raw)
    assert clean(ready) == ready
    lost = [r for r, t in zip(raw, ready, strict=True) if r and r.strip() and not t]
    assert lost == []
    assert sum(map(len, ready)) > 0.95 * sum(len(r or "") for r in raw) - 40 * sum(
        (r or "").count("&#") for r in raw
    )


@pytest.mark.parametrize(("name", "allowed"), [("banking77", 0), ("trec", 0), ("cfpb_small", 0)])
def test_hardly_anything_ordinary_is_taken_for_personal(name, allowed, shared_data):
    """Web addresses are there; numbers in these sets are sums, dates and masked digits."""
    texts = clean(column(shared_data, name, SETS[name]))
    taken = [(f.kind, t[f.start : f.end]) for t in texts for f in find(t) if f.kind != "URL"]
    assert len(taken) <= allowed, taken[:5]


def test_phones_in_messages_are_phones(shared_data):
    texts = clean(column(shared_data, "sms_spam", "text"))
    found = [t[f.start : f.end] for t in texts for f in find(t) if f.kind == "phone"]
    assert len(found) > 400
    digits = [sum(c.isdigit() for c in n) for n in found]
    assert np.mean([8 <= d <= 13 for d in digits]) == 1
    assert all(redact(redact(t)) == redact(t) for t in texts)


def test_twins_across_the_official_split_of_banking77(shared_data):
    """6.4 % of the test rows have a near twin in the training rows, measured elsewhere too."""
    texts, split = (
        clean(column(shared_data, "banking77", "text")),
        np.array(column(shared_data, "banking77", "split")),
    )
    groups = twin_groups(texts)
    learnt = np.isin(groups, groups[split == "train"])
    assert learnt[split == "test"].mean() == pytest.approx(0.064, abs=0.002)


@pytest.mark.packages("py3langid")
def test_languages_of_english_questions(shared_data):
    codes, _ = languages(clean(column(shared_data, "banking77", "text"))[:2000])
    assert np.mean(codes == "en") > 0.95
