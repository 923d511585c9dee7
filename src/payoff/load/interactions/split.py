"""Interactions get their part: fit, choose or judge, by time first."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from payoff.declare import PARTS
from payoff.errors import DataError, DeclarationError, show
from payoff.load.interactions.events import Events, Interactions
from payoff.rng import generator

__all__ = ["InteractionParts", "moment_text", "split_interactions"]

_FEWEST: Final = {"fit": 40, "choose": 20, "judge": 20}
_REASONS: Final = {
    "time": "the model will recommend for the future, so the latest interactions judge it",
    "last": "the last interaction of each user judges, the one before chooses, as many papers do; "
    "the model has then seen what others did later",
    "random": "chance decides, as some papers do; the model has then seen the future of each user",
    "column": "a column says which part each interaction belongs to",
}


class _Dated(Protocol):
    @property
    def dates(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InteractionParts:
    """Three parts of the interactions, and how they were made.

    Parameters
    ----------
    part
        int8 (n,), 0 fit, 1 choose, 2 judge, -1 none, in the order of the events.
    fit
        What models learn from: the fitting part, as known before the choosing part begins.
    choose
        What settings are chosen on, as known before the judging part begins.
    history
        Fit and choose together, as known before the judging part begins: what the chosen model is
        fitted on before it is judged.
    judge
        What judges, less all that is known to have been taken back.
    starts
        float64 (2,), moments at which choosing and judging begin; NaN unless split by time.
    how
        Method, reason, sizes, first and last moments, and cold users and items.
    """

    part: NDArray[np.int8]
    fit: Events
    choose: Events
    history: Events
    judge: Events
    starts: NDArray[np.float64]
    how: Mapping[str, Any]


def split_interactions(data: Interactions) -> InteractionParts:
    """Split interactions by the declared method; by time when none is declared.

    With ``time`` the parts are windows of time for everybody. What happens at one moment stays in
    one part, and what is taken back later is not known to an earlier part.

    Raises
    ------
    DataError
        ``PAY-L006`` all at one time, ``PAY-L009`` too few interactions in a part.
    """
    split = data.decision.split
    method = "time" if split.method == "auto" else split.method
    starts = np.full(2, np.nan)
    if data.part is not None:
        method, part = "column", data.part.copy()
    elif method == "time":
        part, starts = _by_time(data)
    elif method == "last":
        part = _last(data.events)
    else:
        rng = generator(data.decision.training.seed, "split")
        limits = [split.fit, split.fit + split.choose]
        draws = rng.random(len(data.events))
        part = np.searchsorted(limits, draws, side="right").astype(np.int8)
    part = part.astype(np.int8)
    until = np.where(np.isnan(starts), np.inf, starts)
    fit = data.known(part == 0, float(until[0]))
    choose = data.known(part == 1, float(until[1]))
    history = data.known((part == 0) | (part == 1), float(until[1]))
    end = _moment(data, split.judge_until, "split.judge_until")
    judge = data.known(part == 2, np.inf if end is None else end)
    for name, events in (("fit", fit), ("choose", choose), ("judge", judge)):
        if len(events) < _FEWEST[name]:
            raise DataError.too_few(
                f"interactions in the part {name!r}",
                len(events),
                _FEWEST[name],
                "Collect more interactions, or move the limits in [split]"
                + ("; leave-last-out needs users with three or more" if method == "last" else ""),
                f"split by {method}",
            )
    part.setflags(write=False)
    starts.setflags(write=False)
    return InteractionParts(
        part=part,
        fit=fit,
        choose=choose,
        history=history,
        judge=judge,
        starts=starts,
        how={
            "method": method,
            "reason": _REASONS[method],
            "starts": None
            if method != "time"
            else {n: moment_text(m, data) for n, m in zip(PARTS[1:], starts, strict=True)},
            "n_left_out": int(np.sum(part < 0)),
            "parts": {
                name: _described(data, events)
                for name, events in (("fit", fit), ("choose", choose), ("judge", judge))
            },
            "cold": {"choose": _cold(choose, fit), "judge": _cold(judge, history)},
        },
    )


def _by_time(data: Interactions) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    split, time = data.decision.split, data.events.time
    moments, counts = np.unique(time, return_counts=True)
    if len(moments) < 3:
        raise DataError.bad_column(
            data.decision.recommend.interactions.time if data.decision.recommend else "time",
            "the time",
            f"{len(moments)} moment(s) in {len(time):,} interactions, such as "
            f"{moment_text(float(moments[0]), data)}",
            "three moments or more, to judge on the latest",
            "Check the time column; without times, set split.method to 'random'",
        )
    choose = _moment(data, split.choose_from, "split.choose_from")
    judge = _moment(data, split.judge_from, "split.judge_from")
    end = _moment(data, split.judge_until, "split.judge_until")
    if choose is None or judge is None:
        middle = (np.cumsum(counts) - counts / 2) / len(time)
        code = np.searchsorted([split.fit, split.fit + split.choose], middle, side="right")
        later = [moments[code >= c] for c in (1, 2)]
        choose, judge = (float(m[0]) if len(m) else float(np.inf) for m in later)
    elif not choose < judge or (end is not None and not judge < end):
        raise DeclarationError.bad_value(
            "split.judge_from",
            split.judge_from,
            "choose_from before judge_from, and that before judge_until",
            "Windows may not overlap",
        )
    part = np.searchsorted([choose, judge], time, side="right").astype(np.int8)
    if end is not None:
        part[time >= end] = -1
    return part, np.array([choose, judge])


def _moment(data: Interactions, value: str | float | None, key: str) -> float | None:
    """Return a declared moment in the unit of the events' time."""
    if value is None:
        return None
    if isinstance(value, str) == data.dates:
        if not isinstance(value, str):
            return float(value)
        try:
            moment = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            pass
        else:
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=datetime.UTC)
            start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
            return float((moment - start) // datetime.timedelta(microseconds=1))
    raise DeclarationError.bad_value(
        key,
        value,
        "a date such as '2026-05-01', as the time column holds dates"
        if data.dates
        else "a number, as the time column holds numbers",
    )


def _last(events: Events) -> NDArray[np.int8]:
    """Judge on the last event of each user, choose on the one before; users of fewer than 3 fit."""
    order = np.argsort(events.user, kind="stable")  # events are in the order of time already
    sizes = np.bincount(events.user)[events.user[order]]
    ends = np.cumsum(np.bincount(events.user))[events.user[order]]
    from_end = ends - np.arange(len(order))  # 1 for the last event of a user
    part = np.zeros(len(events), dtype=np.int8)
    part[order[(from_end == 1) & (sizes >= 3)]] = 2
    part[order[(from_end == 2) & (sizes >= 3)]] = 1
    return part


def moment_text(moment: float, data: _Dated) -> str:
    """Write a moment of the events as a date, or as the number it is."""
    if not np.isfinite(moment):
        return "never"
    if not data.dates:
        return f"{moment:,.10g}" if moment != int(moment) else str(int(moment))
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    try:
        found = start + datetime.timedelta(microseconds=moment)
    except OverflowError:
        return show(moment)
    text = found.strftime("%Y-%m-%d %H:%M")
    return text.removesuffix(" 00:00")


def _described(data: Interactions, events: Events) -> dict[str, Any]:
    return {
        "n": len(events),
        "n_users": len(np.unique(events.user)),
        "n_items": len(np.unique(events.item)),
        "value": float(events.value.sum()),
        "first": moment_text(float(events.time.min()), data) if len(events) else None,
        "last": moment_text(float(events.time.max()), data) if len(events) else None,
    }


def _cold(later: Events, earlier: Events) -> dict[str, Any]:
    """Count users and items of a part that were never met before it."""
    users = np.setdiff1d(later.user, earlier.user)
    items = np.setdiff1d(later.item, earlier.item)
    by_user, by_item = np.isin(later.user, users), np.isin(later.item, items)
    return {
        "users": len(users),
        "users_of": len(np.unique(later.user)),
        "items": len(items),
        "items_of": len(np.unique(later.item)),
        "n_of_cold_users": int(by_user.sum()),
        "n_of_cold_items": int(by_item.sum()),
        "n": len(later),
        "value_of_cold_users": float(later.value[by_user].sum()),
        "value_of_cold_items": float(later.value[by_item].sum()),
        "value": float(later.value.sum()),
    }
