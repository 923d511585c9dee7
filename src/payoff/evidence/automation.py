"""Automation at a guaranteed error rate: what is automated, how often it errs, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.declare.automation import Automation
from payoff.declare.decision import plural
from payoff.errors import percent
from payoff.evidence.acted import Acted
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import share, sharpest_share
from payoff.evidence.judged import Judged
from payoff.evidence.people import heads
from payoff.evidence.wording import money, quoted
from payoff.policy.automate import NAME, trials
from payoff.policy.automation import misrouted
from payoff.policy.guarantee import Trials

__all__ = ["automation", "automation_check", "error_share", "why_none"]

_STEPS: Final = 40
_FEWEST_DRAWN: Final = 30


def why_none(decision: Decision) -> str:
    """Say why no guarantee is judged where no policy holds one."""
    if decision.automation is None:
        return "no [automation] is declared"
    return (
        "the threshold is found on rows that fitted and chose nothing and that do not judge; "
        "predictions made elsewhere come without such rows"
    )


def automation(judged: Judged) -> dict[str, Any]:
    """Return what the declared error rate allows to be automated, and whether it was kept.

    Returns
    -------
    dict
        ``max_error``, ``confidence``, ``otherwise`` (name) and ``threshold`` (None where none was
        passed); ``recommended``; ``chosen`` (the record of how the threshold was found, see
        :func:`payoff.policy.automate.automation_policy`); on the rows judged ``automated`` (share,
        estimate), ``error`` (share among automated, estimate, or None), ``n_automated`` and
        ``errors`` (rows), ``state`` (``"kept"``, ``"not ruled out"``, ``"broken"`` or ``"idle"``);
        ``against`` (money per period more than acting by expected money alone, estimate, with the
        policy's name); ``rest`` (units per period that go to ``otherwise``); ``curve``; and
        ``sentences``. Or ``not_measured``.
    """
    decision, asked = judged.decision, judged.decision.automation
    found = next((a for a in judged.acted if a.policy.name == NAME), None)
    if asked is None or found is None:
        return {"not_measured": why_none(decision)}
    acted = found.codes != decision.action_names.index(str(asked.otherwise))
    wrong = _wrong(judged, found, acted)
    weight, cluster = judged.stakes.weight, judged.stakes.resampled
    level = decision.evidence.level
    error = error_share(wrong, acted, judged)
    chosen = dict(judged.background.guarantee)
    out: dict[str, Any] = {
        "max_error": asked.max_error,
        "confidence": asked.confidence,
        "otherwise": asked.otherwise,
        "threshold": chosen.get("threshold"),
        "recommended": judged.first is found,
        "chosen": chosen,
        "automated": asdict(share(acted, weight, cluster, level=level)),
        "n": len(judged.stakes),
        "n_automated": int(acted.sum()),
        "errors": int((wrong & acted).sum()),
        "error": None if error is None else asdict(error),
        "state": _state(error, asked.max_error),
        "against": _against(judged, found),
        "rest": _rest(decision, weight, acted, chosen),
        "curve": _curve(judged, found),
    }
    return out | {"sentences": _sentences(decision, asked, out)}


def _wrong(judged: Judged, found: Acted, acted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    places = [found.policy.actions.index(a) for a in found.policy.automatic]
    return misrouted(judged.stakes.realised, found.codes, places) & acted


def error_share(
    wrong: NDArray[np.bool_], among: NDArray[np.bool_], judged: Judged
) -> Estimate | None:
    """Estimate the share wrong among some rows; None without rows."""
    if not among.any():
        return None
    weight, cluster = judged.stakes.weight[among], judged.stakes.resampled
    own = None if cluster is None else cluster[among]
    return sharpest_share(wrong[among], weight, own, level=judged.decision.evidence.level)


def _state(error: Estimate | None, limit: float) -> str:
    if error is None or error.value is None:
        return "idle"
    if error.value <= limit:
        return "kept"
    return "broken" if error.low is not None and error.low > limit else "not ruled out"


def _against(judged: Judged, found: Acted) -> dict[str, Any]:
    """Return the money the guarantee costs or earns against expected money alone."""
    other = next(a for a in judged.acted if a.policy.name == "expected")
    gain = judged.values[NAME] - judged.values["expected"]
    same = "" if np.any(found.codes != other.codes) else "the two act alike on every row judged"
    estimate = judged.total(judged.worth(gain, identical=same))
    return {"policy": "expected", "label": other.policy.label, "total": asdict(estimate)}


def _rest(
    decision: Decision,
    weight: NDArray[np.float64],
    acted: NDArray[np.bool_],
    chosen: Mapping[str, Any],
) -> dict[str, Any]:
    part = float(weight[~acted].sum() / weight.sum())
    room = chosen.get("room")
    units = decision.units_reported
    return {
        "share": part,
        "per_period": part * units,
        "room_per_period": None if room is None else room * units,
        "fits": chosen.get("fits", True),
    }


def _curve(judged: Judged, found: Acted) -> dict[str, Any]:
    """Return the error rate among automated rows at other thresholds, on the rows judged."""
    rows = trials(found.policy, judged.stakes)
    level = judged.decision.evidence.level
    steps = [
        t for t in dict.fromkeys(_thresholds(rows)) if int((rows.sure >= t).sum()) >= _FEWEST_DRAWN
    ]
    points = []
    for threshold in steps:
        acted = rows.sure >= threshold
        rate = _rate(rows, acted, level)
        points.append(
            {
                "threshold": threshold,
                "automated": float(rows.weight[acted].sum() / rows.weight.sum()),
                "n": int(acted.sum()),
                "error": rate.value,
                "low": rate.low,
                "high": rate.high,
            }
        )
    if not points:
        return {"not_measured": f"fewer than {_FEWEST_DRAWN} rows could be automated"}
    return {"points": points, "level": level, "n": len(rows)}


def _rate(rows: Trials, acted: NDArray[np.bool_], level: float) -> Estimate:
    cluster = None if rows.cluster is None else rows.cluster[acted]
    return share(rows.wrong[acted], rows.weight[acted], cluster, level=level)


def _thresholds(rows: Trials) -> list[float]:
    sure = np.sort(rows.sure)[::-1]
    places = np.minimum((np.arange(1, _STEPS + 1) * len(sure)) // _STEPS, len(sure)) - 1
    return [float(max(t, 0.0)) for t in sure[np.maximum(places, 0)]]


# ------------------------------------------------------------------------------------ in words


def _sentences(decision: Decision, asked: Automation, found: Mapping[str, Any]) -> list[str]:
    units, limit = plural(decision.unit), percent(asked.max_error)
    sure = f"{percent(asked.confidence)} sure"
    rest = quoted(decision.action_label(str(asked.otherwise)))
    if found["threshold"] is None:
        return [_nothing(decision, asked, found), *_beyond(decision, found)]
    rate = found["error"]
    are, go = ("are", "go") if found["rest"]["fits"] else ("could be", "would go")
    said = [
        f"{percent(found['automated']['value'])} of {units} {are} decided automatically, at an "
        f"error rate of at most {limit} ({sure}); the others {go} to {rest}."
    ]
    if rate is None:
        said[0] = f"On the rows judged nothing was sure enough; all {units} go to {rest}."
    else:
        ends = ""
        if rate["low"] is not None:
            ends = (
                f" ({rate['level'] * 100:g} % interval {percent(rate['low'])} to "
                f"{percent(rate['high'])})"
            )
        verdicts = {
            "kept": "",
            "not ruled out": " That is above the limit, by no more than chance may bring.",
            "broken": " That is above the limit by more than chance may bring: the promise was not "
            "kept on these rows.",
        }
        said.append(
            f"Measured on {found['n_automated']:,} automated rows that took no part in choosing: "
            f"{percent(rate['value'])} wrong{ends}.{verdicts[found['state']]}"
        )
    return [*said, *(_cost(found) or _beyond(decision, found))]


def _cost(found: Mapping[str, Any]) -> list[str]:
    """Say what the limit costs, unless it is kept by people who are not there."""
    if not found["rest"]["fits"]:
        return []
    gain = Estimate(**found["against"]["total"])
    if gain.value is None:
        return [f"What the limit costs cannot be said: {gain.reason}."]
    if gain.value == 0 and gain.reason:
        return ["Acting by expected money alone does the same."]
    word = "earns" if gain.value > 0 else "costs"
    flipped = Estimate(
        value=abs(gain.value),
        low=gain.low if gain.value > 0 or gain.high is None else -gain.high,
        high=gain.high if gain.value > 0 or gain.low is None else -gain.low,
        level=gain.level,
        unit=gain.unit,
        n=gain.n,
        n_clusters=gain.n_clusters,
        method=gain.method,
        reason=gain.reason,
    )
    unsure = "" if gain.low is not None else f"; no interval, because {gain.reason}"
    return [
        f"Against acting by expected money alone, keeping to the limit {word} {money(flipped)}"
        f"{unsure}."
    ]


def _nothing(decision: Decision, asked: Automation, found: Mapping[str, Any]) -> str:
    chosen = found["chosen"]
    start = (
        f"Nothing is automated: on {chosen['n']:,} rows no threshold passed the test of an error "
        f"rate of at most {percent(asked.max_error)} ({percent(asked.confidence)} sure)."
    )
    if chosen["needed"] is None:
        return (
            f"{start} The error rate was at or above it however sure the model was; more rows will "
            "not change that, a better model or a higher limit will."
        )
    if chosen["needed"] <= chosen["n"]:  # chance stood against it: the halves differ
        return (
            f"{start} It was close: at the error rate of all rows that chose, about "
            f"{heads(chosen['needed'])} would do on average. More rows will settle it."
        )
    return f"{start} About {heads(chosen['needed'])} such rows would have been enough."


def _beyond(decision: Decision, found: Mapping[str, Any]) -> list[str]:
    rest = found["rest"]
    if rest["fits"]:
        return []
    action = quoted(decision.action_label(str(found["otherwise"])))
    per = f"per {decision.period}" if decision.volume is not None else "of 1,000"
    units = plural(decision.unit)
    room = rest["room_per_period"]
    has = (
        f"there is room for {heads(room)}" if room is not None else "its limits leave no such room"
    )
    return [
        f"It needs {action} for {heads(rest['per_period'])} {units} {per}, but {has}; so it is not "
        "recommended, and the policy judged keeps no error rate."
    ]


def automation_check(found: Mapping[str, Any], declared: bool) -> Check:
    """Say whether the guarantee could be given, fits, and was kept on the rows judged."""
    result = numbered("PAY-E241", "The guaranteed error rate")
    if not declared:
        return result(status="not_applicable", detail="No [automation] is declared.")
    if "not_measured" in found:
        return result(status="skipped", detail=f"Not measured: {found['not_measured']}.")
    text = " ".join(found["sentences"])
    if not found["rest"]["fits"]:
        return result(
            status="issue",
            page_one=True,
            detail=text,
            mend="Raise the capacity, allow a higher error rate, or remove [automation]",
        )
    if found["threshold"] is None:
        return result(
            status="issue",
            page_one=True,
            detail=text,
            mend="Bring more rows, a better model, or a higher 'max_error'",
        )
    if found["state"] == "broken":
        return result(
            status="issue",
            page_one=True,
            detail=text,
            mend="The rows judged differ from those that chose (see the outcome shares); train on "
            "recent rows before automating",
        )
    return result(status="tip" if found["state"] == "not ruled out" else "passed", detail=text)
