"""Checks of the documents: ``PAY-L121`` to ``PAY-L126``, for decisions that read documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.errors import counted, listed, percent, show
from payoff.load.dataset import Dataset, Parts
from payoff.load.text.corpus import counted_words, documents
from payoff.load.text.sheet import data_sheet
from payoff.load.text.twins import twin_groups

__all__ = ["check", "sheet_of"]

_FEW_WORDS: Final = 0.05
_NO_WORDS: Final = 0.01
_ANOTHER_LANGUAGE: Final = 0.02
_CONTRADICTED: Final = 0.01


def sheet_of(data: Dataset, parts: Parts) -> dict[str, Any]:
    """Return the data sheet of all rows; {} without documents.

    Twins are those the split found. Where it did not compare all rows they are found anew: a
    document that takes no part can join two others.
    """
    names = data.decision.data.text
    if not names:
        return {}
    if data.document is not None:
        return _sheet_of_labels(data, parts)
    texts = documents(data.table, names)
    return data_sheet(
        texts,
        data.outcome,
        data.decision.outcome_names,
        twins=_twins_of(data, parts, texts),
        expected=data.decision.text.languages,
        keep=data.decision.text.kept,
    )


def _twins_of(data: Dataset, parts: Parts, texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the twin group of each document, int64 (d,)."""
    if parts.twins is None or len(parts.twins) < len(data):
        return twin_groups(texts, data.similarity)
    return parts.twins[data.leading]


def _sheet_of_labels(data: Dataset, parts: Parts) -> dict[str, Any]:
    """Return the data sheet of documents with several labels; twins differ where their sets do."""
    decision = data.decision
    assert decision.multilabel is not None
    names = decision.multilabel.names
    texts = documents(data.table.take(pa.array(data.leading)), decision.data.text)
    outcome = data.outcome.reshape(len(texts), len(names))
    sets = np.unique(outcome, axis=0, return_inverse=True)[1].reshape(-1)
    sets = np.where((outcome < 0).any(axis=1), -1, sets)
    sheet = data_sheet(
        texts,
        sets,
        (),
        twins=_twins_of(data, parts, texts),
        expected=decision.text.languages,
        keep=decision.text.kept,
    )
    carries = outcome == decision.carried_code
    words = counted_words(texts)
    sheet["labels"] = [
        {
            "name": name,
            "n": int(has.sum()),
            "share": float(has.mean()),
            "median_words": float(np.median(words[has])) if has.any() else None,
        }
        for name, has in zip(names, carries.T, strict=True)
    ]
    return sheet


def check(data: Dataset, parts: Parts, sheet: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return one result per numbered check of the documents; none where there are no documents."""
    if not sheet:
        return ()
    return (
        _short(sheet),
        _languages(sheet),
        _twins(parts),
        _personal(data, sheet),
        _contradicted(sheet),
        _names(data),
    )


def _short(sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L121", "Empty and one-word documents")
    n, empty, one = (sheet["documents"][k] for k in ("n", "empty", "one_word"))
    detail = f"Of {counted(n, 'document')}, empty: {empty:,} ({percent(empty / n)}); of one word: "
    detail += f"{one:,} ({percent(one / n)})."
    if empty > _NO_WORDS * n:
        return result(
            status="issue",
            detail=detail + " Nothing can be read in them; the other columns decide.",
            mend="Check the export; if they will come like that, expect no more from them",
        )
    if one > _FEW_WORDS * n:
        return result(
            status="tip",
            detail=detail,
            mend="Ask for a sentence where the document is entered, or let people handle them",
        )
    return result(status="passed", detail=detail)


def _languages(sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L122", "Languages")
    found = sheet["languages"]
    if "not_measured" in found:
        return result(status="skipped", detail=str(found["not_measured"]))
    counts, n = found["counts"], max(found["read"], 1)
    shown = ", ".join(f"{code} {percent(k / n)}" for code, k in list(counts.items())[:6])
    detail = (
        f"Of {counted(found['read'], 'document')}: {shown or 'none sure'}; too short or unsure "
    )
    detail += f"{percent(found['unsure'] / n)}."
    strange = found["unexpected"]["n"]
    if found["expected"] and strange > _ANOTHER_LANGUAGE * n:
        return result(
            status="issue",
            detail=f"{counted(strange, 'document')} are in languages other than the declared "
            f"{', '.join(found['expected'])}. {detail}",
            mend="Declare these languages in [text], or route such documents before this decision",
        )
    others = [c for c, k in list(counts.items())[1:] if k > _ANOTHER_LANGUAGE * n]
    if not found["expected"] and others:
        return result(
            status="tip",
            detail=f"The documents are in several languages. {detail}",
            mend="Declare 'languages' in [text], and look at the value of each as a subgroup",
        )
    return result(status="passed", detail=detail)


def _twins(parts: Parts) -> Check:
    result = numbered("PAY-L123", "Twins on both sides of the split")
    twins = parts.how["twins"]
    otherwise = twins["judged_across_otherwise"]
    detail = f"{twins['rows']:,} of {counted(twins['documents'], 'document')} are copies or near "
    detail += f"copies of another, in {counted(twins['groups'], 'group')}."
    if twins["across"]:
        return result(
            status="issue",
            detail=f"{detail} {counted(twins['across'], 'row')} of the choosing and judging parts "
            "have a twin in an earlier part: what was learnt by heart counts as understood.",
            mend="Make the part column keep twins together, or leave it out and let payoff split"
            if parts.how["method"] == "column"
            else "Set twins = 'keep together' in [text]",
        )
    if twins["left_out"]:
        return result(
            status="passed",
            detail=f"{detail} {counted(twins['left_out'], 'row')} with a twin in an earlier part "
            "were left out.",
        )
    return result(
        status="passed",
        detail=f"{detail} They stay together; by chance {otherwise['n']:,} judging rows "
        f"({percent(otherwise['share'])}) would have had a twin among the rows learnt from.",
    )


def _personal(data: Dataset, sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L124", "Personal data in the documents")
    finder = data.decision.text.names
    names = (
        f"Names of persons are looked for by {show(finder)}, which is not payoff's."
        if finder
        else "Names of persons are not looked for."
    )
    personal = sheet["personal"]
    replaced = ", ".join(f"{kind} {n:,}" for kind, n in personal["replaced"].items())
    left = ", ".join(f"{kind} {n:,}" for kind, n in personal["left"].items())
    if left:
        return result(
            status="issue",
            detail=f"{counted(personal['documents'], 'document')} hold personal data that is not "
            f"replaced: {left}. It goes into the vocabulary of the model and into explanations.",
            mend="Remove 'redact = false' from [text]"
            if not data.decision.text.redact
            else "Tell us about this document: replacing it should have left nothing",
        )
    if replaced:
        return result(
            status="passed",
            detail=f"Replaced in {counted(personal['documents'], 'document')}: {replaced}. {names}",
        )
    return result(status="passed", detail=f"None found. {names}")


def _contradicted(sheet: Mapping[str, Any]) -> Check:
    result = numbered("PAY-L125", "Twins with different outcomes")
    differ = sheet["twins"]["labelled_differently"]
    if not sheet["twins"]["groups"]:
        return result(status="not_applicable", detail="No document is a copy of another.")
    if differ["groups"]:
        return result(
            status="issue" if differ["n"] > _CONTRADICTED * sheet["documents"]["n"] else "tip",
            detail=f"In {counted(differ['groups'], 'group')} of twins "
            f"({counted(differ['n'], 'row')}) the outcomes differ, first in row "
            f"{differ['rows'][0] + 1:,}. Where the document decides the outcome, one of them is "
            "wrong.",
            mend="Look at these rows; evidence.json lists their places",
        )
    return result(status="passed", detail="All twins have the same outcome.")


def _names(data: Dataset) -> Check:
    result = numbered("PAY-L126", "Outcomes named like columns")
    columns = {c.casefold(): c for c in data.table.column_names}
    same = [
        columns[name.casefold()]
        for name in data.decision.outcome_names
        if name.casefold() in columns
    ]
    if same:
        return result(
            status="tip",
            detail=f"{listed(same)} name both an outcome and a column. Nothing is mixed up, but "
            "readers may: money reads the column, the payoff table the outcome.",
            mend=f"Give the outcome another name, such as {show('is_' + same[0])}",
        )
    return result(status="passed", detail="No outcome has the name of a column.")
