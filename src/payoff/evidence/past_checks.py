"""Checks of past decisions: ``PAY-E211``, ``PAY-E225`` and ``PAY-E226``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.checks import Check, numbered
from payoff.declare import Decision
from payoff.errors import listed, percent
from payoff.evidence.wording import quoted

__all__ = ["past_checks"]

#: A test of chance that holds is failed by one true experiment in a hundred.
_CHANCE: Final = 0.01
_FEW_EFFECTIVE: Final = 100


def past_checks(
    decision: Decision, past: Mapping[str, Any], data: Mapping[str, Any], *, recorded: bool
) -> tuple[Check, ...]:
    """Return one result per check of what was done in the past.

    Parameters
    ----------
    past
        The section ``past`` of the evidence.
    data
        Facts of the rows.
    recorded
        Whether the policy judged is actions decided elsewhere.
    """
    return (
        _acted_upon(decision, data, recorded=recorded),
        _by_chance(past),
        _overlap(past),
    )


def _acted_upon(decision: Decision, data: Mapping[str, Any], *, recorded: bool) -> Check:
    result = numbered("PAY-E211", "What was done may have changed what happened")
    rule = decision.current_rule
    if decision.past is not None and decision.past.selected:
        return result(
            status="passed",
            detail="[past] says under which actions outcomes were recorded; for the rest there are "
            "bounds, and no value. It is taken that acting changes no outcome.",
        )
    if decision.past is not None:
        return result(
            status="passed",
            detail="[past] says which action was taken and how it was chosen; each action is "
            "judged by what happened where it was taken.",
        )
    hidden = data.get("unknown_where")
    if hidden:
        return result(
            status="issue",
            page_one=True,
            detail=f"The outcome is missing on {hidden['unknown']:,} of {hidden['n']:,} rows where "
            f"{hidden['column']} says {quoted(hidden['action'])}, and known on nearly all others: "
            "it was recorded only where another action was taken. The figures hold for those rows "
            "only.",
            mend="Declare [past] with 'action' and 'outcomes_known'; payoff then reports what can "
            "be known of all rows, as bounds",
        )
    if recorded or (rule is not None and rule.column is not None):
        return result(
            status="tip",
            detail="These rows record what was done, and their outcomes may be its consequence: "
            "another action is judged by the outcome that happened under the one taken.",
            mend="Read the differences as if acting changed no outcome, or decide some cases by "
            "chance and judge those",
        )
    return result(
        status="skipped",
        detail="Not measurable here: the rows do not say which action was taken. Outcomes are "
        "taken as they happened.",
    )


def _by_chance(past: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E225", "Whether chance chose the past actions")
    test = past.get("assignment")
    if test is None:
        detail = "Nothing says that chance chose past actions."
        return result(status="not_applicable", detail=detail)
    if "not_measured" in test:
        return result(status="skipped", detail=f"Not measured: {test['not_measured']}.")
    text = (
        f"From the features one guesses the action taken on {percent(test['guessed'])} of rows; "
        f"the most frequent action alone would be right on {percent(test['by_share'])} (p = "
        f"{test['p_value']:.3f}, {test['n']:,} rows)."
    )
    if past["design"]["how"] == "modelled":
        return result(
            status="tip",
            detail=f"{text} The probabilities of past actions are modelled from these features; "
            "reasons that are not among them are not ruled out.",
            mend="Leave a small share of decisions to chance, and judge on those",
        )
    if test["p_value"] < _CHANCE:
        return result(
            status="issue",
            page_one=True,
            detail=f"{text} Chance alone would not be guessed so often.",
            mend="Find out how the action was assigned; give its probability in a column "
            "([past] propensity), or leave 'randomised' out",
        )
    return result(status="passed", detail=text)


def _overlap(past: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E226", "Whether the past did what the policy would do")
    if past.get("bounds"):
        return _bounds(past["bounds"][0])
    if "estimators" not in past:
        return result(status="not_applicable", detail="No past actions are declared.")
    first = past["estimators"][0]
    lacking = [quoted(e["label"]) for e in past["estimators"] if e["overlap"]]
    if first["overlap"]:
        return result(
            status="issue",
            page_one=True,
            detail=f"No value can be given for {quoted(first['label'])}: {first['overlap']}.",
            mend="Leave 1 to 2 % of decisions to chance, with every action among them, and judge "
            "on those",
        )
    text = (
        f"Past and policy agree on {first['matched']:,} rows, which say as much as "
        f"{first['ess']:,.0f} of equal weight; the largest weight is "
        f"{first['largest_weight']:,.3g}."
    )
    trimmed = past["design"]["trimmed"]
    if trimmed:
        text += (
            f" The probability of {trimmed:,} past actions was below {past['design']['floor']:g} "
            "and was lifted to it."
        )
    if lacking:
        return result(status="tip", detail=f"{text} No value can be given for {listed(lacking)}.")
    if trimmed or first["ess"] < _FEW_EFFECTIVE:
        return result(status="tip", detail=text, mend="Leave a small share of decisions to chance")
    return result(status="passed", detail=text)


def _bounds(first: Mapping[str, Any]) -> Check:
    result = numbered("PAY-E226", "Whether the past did what the policy would do")
    if not first["unknown"]:
        return result(status="passed", detail="The policy's money is known on every row.")
    return result(
        status="issue",
        page_one=True,
        detail=f"The outcome was never recorded on {first['unknown']:,} of {first['n']:,} rows "
        "on which the policy's money depends on it, so there are bounds and no value.",
        mend="Leave 1 to 2 % of decisions to chance, and judge on those",
    )
