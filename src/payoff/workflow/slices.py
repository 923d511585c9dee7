"""The slices of documents a judging is given: by theme, length, language and label; their time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from payoff.evidence.slices import Slices, ThemeFacts, Timeline
from payoff.load.frame import is_temporal
from payoff.load.multilabel import label_codes
from payoff.load.split import times
from payoff.load.text.corpus import counted_words, documents
from payoff.load.text.slices import by_language, by_length, length_limits
from payoff.model.kinds import Themed

if TYPE_CHECKING:
    from payoff.load.dataset import Dataset, Parts
    from payoff.model.scored import Scored

__all__ = ["periods_of", "slices_of"]

_DAY: Final = 86_400 * 1_000_000
#: (unit, most days it is used for)
_UNITS: Final = (("week", 100), ("month", 800), ("quarter", 2_600))
_SPANS: Final = 8


def slices_of(parts: Parts, model: object, judging: Scored) -> Slices | None:
    """Return the slices; None where the decision reads no documents.

    Parameters
    ----------
    parts
        Fit, choose and judge; limits of bands and themes come from the first.
    model
        The fitted model, which may have themes.
    judging
        Predictions of the judging rows, with their themes.
    """
    judge = parts.judge
    names = judge.decision.data.text
    if not names:
        return None
    settings = judge.decision.text
    groups: dict[str, tuple[tuple[str, ...], NDArray[np.int32]]] = {}
    left_out = {}
    themes = model.themes if isinstance(model, Themed) else None
    facts = None
    why = ""
    if themes is None or judging.theme is None:
        described = getattr(model, "facts", {}).get("themes", {})
        why = str(described.get("not_measured") or "the model has no themes")
    else:
        facts = ThemeFacts(
            names=themes.names,
            words=themes.words,
            examples=themes.examples,
            learnt=themes.facts,
            codes=judging.theme,
        )
    labels = judge.decision.multilabel
    if labels is not None and all(s.column != labels.column for s in judge.decision.subgroups):
        groups[labels.column] = (
            labels.names,
            label_codes(judge.table, judge.decision).astype(np.int32),
        )
    for name in settings.slices:
        if name == "theme":
            found, reason = ((facts.names, facts.codes), "") if facts else (None, why)
        elif name == "length":
            fit = counted_words(documents(parts.fit.table, names))
            own = counted_words(documents(judge.table, names))
            found, reason = by_length(own, length_limits(fit))
        else:
            smallest = judge.decision.evidence.smallest_group
            found, reason = by_language(documents(judge.table, names), smallest)
        if found is None:
            left_out[name] = reason
        elif name not in judge.subgroups and name not in groups:
            groups[name] = found
        else:
            left_out[name] = f"other groups have the name {name!r}"
    line, untimed = (None, why) if facts is None else _timeline(parts, model, facts.codes)
    return Slices(
        groups=groups,
        left_out=left_out,
        themes=facts,
        without=why,
        timeline=line,
        untimed=untimed,
    )


def _timeline(
    parts: Parts, model: object, judged: NDArray[np.int32]
) -> tuple[Timeline | None, str]:
    """Return when the documents of all parts came; or why that is not known."""
    name = parts.judge.decision.data.time
    if name is None:
        return None, "no time is declared ('time' in [data]), so how themes move is not known"
    every: tuple[Dataset, ...] = (parts.fit, parts.choose, parts.judge)
    if not isinstance(model, Themed):
        return None, "the model has no themes"
    theme = [model.themes_of_table(one.table) for one in every[:2]]
    if any(codes is None for codes in theme):
        return None, "the model has no themes"
    when = np.concatenate([times(one) for one in every])
    temporal = is_temporal(parts.judge.table.column(name).type)
    by, labels, period = periods_of(when, temporal=temporal)
    if len(labels) < 2:
        return None, "all documents are of one time"
    sizes = [len(one) for one in every]
    part = np.repeat(np.arange(3), sizes).astype(np.int8)
    cluster = None
    if any(one.clustered for one in every):
        starts = np.cumsum([0, *(int(one.cluster.max(initial=-1)) + 1 for one in every[:2])])
        cluster = np.concatenate([one.cluster + s for one, s in zip(every, starts, strict=True)])
    return Timeline(
        by=by,
        labels=labels,
        period=period,
        theme=np.concatenate([*[c for c in theme if c is not None], judged]),
        weight=np.concatenate([one.weight for one in every]),
        cluster=cluster,
        part=part,
        ordered=parts.how["method"] == "time",
        spans={
            "fit": _span(labels, period[part == 0]),
            "judge": _span(labels, period[part == 2]),
        },
    ), ""


def periods_of(
    when: NDArray[np.float64], *, temporal: bool
) -> tuple[str, tuple[str, ...], NDArray[np.int32]]:
    """Cut time into periods: weeks, months, quarters or years by how long it is.

    Parameters
    ----------
    when
        float64 (n,), microseconds since 1970, or any number that rises with time; NaN where it is
        missing.
    temporal
        Whether these are moments.

    Returns
    -------
    by, labels, period
        int32 (n,), places in ``labels``, -1 where missing; every period between the first and the
        last has a label.

    Examples
    --------
    >>> day = 86_400e6
    >>> by, labels, period = periods_of(np.array([0, 31, 200]) * day, temporal=True)
    >>> by, labels[:2], period.tolist()
    ('month', ('1970-01', '1970-02'), [0, 1, 6])
    """
    known = ~np.isnan(when)
    period = np.full(len(when), -1, dtype=np.int32)
    if not known.any():
        return "month", (), period
    if not temporal:
        return _spans(when, known, period)
    stamps = pc.cast(pa.array(when[known].astype(np.int64)), pa.timestamp("us"))
    stamps = np.asarray(stamps.to_numpy(zero_copy_only=False), dtype="datetime64[us]")
    days = float((when[known].max() - when[known].min()) / _DAY)
    by = next((unit for unit, most in _UNITS if days <= most), "year")
    if by == "week":
        # 1970-01-01 was a Thursday: three days later weeks begin on Monday.
        place = (stamps.astype("datetime64[D]").astype(np.int64) + 3) // 7
    elif by == "year":
        place = stamps.astype("datetime64[Y]").astype(np.int64)
    else:
        place = stamps.astype("datetime64[M]").astype(np.int64) // (3 if by == "quarter" else 1)
    first = int(place.min())
    period[known] = place - first
    labels = tuple(_label(by, first + k) for k in range(int(place.max()) - first + 1))
    return by, labels, period


def _label(by: str, place: int) -> str:
    if by == "week":
        return f"week of {np.datetime64(place * 7 - 3, 'D')}"
    if by == "year":
        return str(1970 + place)
    if by == "quarter":
        return f"{1970 + place // 4} Q{place % 4 + 1}"
    return str(np.datetime64(place, "M"))


def _spans(
    when: NDArray[np.float64], known: NDArray[np.bool_], period: NDArray[np.int32]
) -> tuple[str, tuple[str, ...], NDArray[np.int32]]:
    """Cut a number that rises with time into at most eight spans of about as many documents."""
    values = np.unique(when[known])
    cuts = values[1:]
    if len(values) > _SPANS:
        cuts = np.unique(np.quantile(when[known], np.arange(1, _SPANS) / _SPANS))
        cuts = cuts[cuts > values[0]]
    period[known] = np.searchsorted(cuts, when[known], side="right")
    edges = [values[0], *cuts.tolist()]
    labels = [f"{a:,.6g} to below {b:,.6g}" for a, b in itertools.pairwise(edges)]
    return "span", (*labels, f"{edges[-1]:,.6g} and later"), period


def _span(labels: tuple[str, ...], period: NDArray[np.int32]) -> str:
    """Return the first and the last period of some rows in words."""
    known = period[period >= 0]
    if not len(known):
        return "no known time"
    first, last = labels[int(known.min())], labels[int(known.max())]
    return first if first == last else f"{first} to {last}"
