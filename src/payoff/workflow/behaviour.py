"""Behaviour tests: documents of judging rows are changed and decided again, the whole way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.bundle import Bundle
from payoff.errors import plain
from payoff.evidence.trials import Trial, Trials
from payoff.load.dataset import Dataset
from payoff.model.text.labels import LabelModel
from payoff.model.text.model import TextModel
from payoff.model.text.perturb import (
    FAMILIES,
    TESTS,
    BehaviourTest,
    changed_row,
    looks_english,
)
from payoff.progress import Progress, silent
from payoff.rng import child_seed, generator
from payoff.workflow.explaining import rows_of

__all__ = ["MOST_DOCUMENTS", "try_changes"]

#: Documents changed by each test, enough for an interval; fewer where reading them takes longer.
MOST_DOCUMENTS: Final = 500
_MOST_EMBEDDED: Final = 60
_MOST_CHARACTERS: Final = 150_000
#: Rows looked at to find documents that a test can change.
_MOST_SCANNED: Final = 6_000
_EXCERPT: Final = 160
_NO_ACTION: Final = -1


def try_changes(bundle: Bundle, judge: Dataset, *, progress: Progress = silent) -> Trials:
    """Change documents of the judging rows in every way and decide them again.

    Parameters
    ----------
    bundle
        What decides; each changed row goes the way of a served one (cleaned, redacted, decided by
        itself).
    judge
        The judging rows; they judge, and choose nothing.

    Returns
    -------
    Trials
        With a reason in place of trials where there is nothing to try.
    """
    decision = bundle.decision
    if not decision.text.behaviour:
        return _none(judge, "switched off by behaviour = false in [text]")
    if not isinstance(bundle.model, TextModel | LabelModel):
        return _none(judge, "the model reads no documents")
    seed = decision.training.seed
    order = generator(seed, "behaviour rows").permutation(len(judge))[:_MOST_SCANNED]
    work = _Work(bundle, judge, order.astype(np.int64), seed)
    trials = []
    for number, test in enumerate(TESTS):
        progress("change documents", number, len(TESTS), test.label)
        trials.append(work.trial(test))
    progress("change documents", len(TESTS), len(TESTS))
    return Trials(
        trials=tuple(trials), place=judge.place, families=FAMILIES, language=work.language
    )


def _none(judge: Dataset, reason: str) -> Trials:
    return Trials(trials=(), place=judge.place, families=FAMILIES, language="", reason=reason)


class _Work:
    """The rows looked at, read once, with the actions they get as they stand."""

    def __init__(self, bundle: Bundle, judge: Dataset, order: NDArray[np.int64], seed: int) -> None:
        self.bundle, self.judge, self.order, self.seed = bundle, judge, order, seed
        self.rows = rows_of(judge.table, bundle, order.tolist())
        self.names = bundle.decision.data.text
        self.texts = [{n: str(row.get(n) or "") for n in self.names} for row in self.rows]
        self.english, self.language = self._english()
        self.codes = {name: code for code, name in enumerate(bundle.decision.action_names)}
        self.known: NDArray[np.int16] = np.full(len(order), _NO_ACTION, dtype=np.int16)
        embedded = (
            isinstance(bundle.model, TextModel | LabelModel) and bundle.model.features.embedder
        )
        self.most = _MOST_EMBEDDED if embedded else MOST_DOCUMENTS

    def _english(self) -> tuple[NDArray[np.bool_], str]:
        """Return which rows the tests of English may change, and what is said of it."""
        declared = self.bundle.decision.text.languages
        if declared == ("en",):
            return np.ones(len(self.rows), dtype=bool), "English is declared ([text] languages)."
        if declared and "en" not in declared:
            return (
                np.zeros(len(self.rows), dtype=bool),
                f"Declared are {', '.join(declared)}: tests that need English were not made.",
            )
        found = np.array([looks_english(" ".join(t.values())) for t in self.texts], dtype=bool)
        share = float(found.mean()) if len(found) else 0.0
        return found, (
            f"{share * 100:.0f} % of the documents looked at read like English; tests that need "
            'English were made on those. languages = ["en"] in [text] says that all are.'
        )

    def trial(self, test: BehaviourTest) -> Trial:
        """Make one test."""
        if test.english and not self.english.any():
            return self._trial(test, 0, {}, reason="no document reads like English")
        made: dict[int, Mapping[str, str]] = {}
        characters = scanned = 0
        root = child_seed(self.seed, f"behaviour {test.name}")
        for i, texts in enumerate(self.texts):
            if len(made) >= self.most or characters >= _MOST_CHARACTERS:
                break
            scanned = i + 1
            if test.english and not self.english[i]:
                continue
            changed = changed_row(test, texts, np.random.default_rng((root, int(self.order[i]))))
            if changed is not None:
                made[i] = changed
                characters += sum(map(len, changed.values()))
        return self._trial(test, scanned, made)

    def _trial(
        self,
        test: BehaviourTest,
        scanned: int,
        made: Mapping[int, Mapping[str, str]],
        reason: str = "",
    ) -> Trial:
        touched = list(made)
        self._decide_as_they_stand(touched)
        before = np.where(self.known[:scanned] == _NO_ACTION, 0, self.known[:scanned])
        after = before.copy()
        after[touched] = self._decide([{**self.rows[i], **made[i]} for i in touched])
        changed = np.zeros(scanned, dtype=bool)
        changed[touched] = True
        texts: dict[int, tuple[str, str]] = {}
        if self.bundle.decision.text.excerpts:
            for i in np.flatnonzero(before != after).tolist():
                texts[i] = self._excerpts(i, made[i])
        return Trial(
            name=test.name,
            family=test.family,
            label=test.label,
            rows=self.order[:scanned],
            changed=changed,
            before=before.astype(np.int16),
            after=after.astype(np.int16),
            texts=texts,
            reason=reason,
        )

    def _decide_as_they_stand(self, touched: Sequence[int]) -> None:
        new = [i for i in touched if self.known[i] == _NO_ACTION]
        self.known[new] = self._decide([self.rows[i] for i in new])

    def _decide(self, rows: list[dict[str, Any]]) -> NDArray[np.int16]:
        made = self.bundle.decide(rows)
        return np.array([self.codes[one["action"]] for one in made], dtype=np.int16)

    def _excerpts(self, i: int, made: Mapping[str, str]) -> tuple[str, str]:
        """Return the stretch around the first change, before and after, cleaned and redacted."""
        before, after = self.texts[i], made
        name = next(n for n in self.names if before[n] != after[n])
        [ready] = self.bundle.prepare([{**self.rows[i], **made}])
        return excerpt_pair(before[name], str(ready.get(name) or ""))


def excerpt_pair(before: str, after: str, longest: int = _EXCERPT) -> tuple[str, str]:
    """Return two texts from shortly before the place where they begin to differ, one line each.

    Examples
    --------
    >>> excerpt_pair("I am a man of words", "I am a woman of words", 12)
    ('…a man of wor…', '…a woman of w…')
    """
    first = next(
        (k for k, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    start = max(0, first - longest // 4)
    blank = before.rfind(" ", 0, start + 1)
    start = blank + 1 if start and start - blank < longest // 4 else start
    return tuple(  # type: ignore[return-value]
        ("…" if start else "")
        + plain(" ".join(t[start : start + longest].split()))
        + ("…" if len(t) > start + longest else "")
        for t in (before, after)
    )
