"""Why a row got its action: the pair of outcomes that tells, what spoke for which, what would do.

Everything here is plain data for a terminal, a page or a program; whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from payoff.declare import Decision
from payoff.errors import listed
from payoff.load.spelling import text_of
from payoff.model.arms import ArmModels
from payoff.model.explain import column_contributions, seen_outcomes
from payoff.model.kinds import Classifier
from payoff.model.tabular import TabularModel

__all__ = ["explanation", "telling_pair"]

_MOST_NAMED: Final = 4
_NOTES: Final = {
    False: "Log-odds before calibration.",
    True: "Log-odds before calibration. The embedding reads the whole document, so words are "
    "marked by what leaving each out takes from the log-odds ('without'), which does not sum to "
    "them.",
}
_LINEAR: Final = "exact: the log-odds of a linear model are a sum over its features"


def explanation(
    decision: Decision,
    model: Classifier | ArmModels | None,
    row: Mapping[str, Any],
    made: Mapping[str, Any],
    money: Mapping[tuple[int, int], float],
    decide: Callable[[list[Mapping[str, Any]]], Sequence[str]],
) -> dict[str, Any]:
    """Explain one decision.

    Parameters
    ----------
    row
        Field -> value, prepared.
    made
        What the bundle decided: ``action``, ``probabilities``, ``expected_money``.
    money
        (place of the action, place of the outcome) -> money of this row, per unit.
    decide
        Rows -> their actions: the whole way from row to action.

    Returns
    -------
    dict
        ``next_best`` (another action and its expected money), ``why`` (:func:`_why`),
        ``documents`` (column -> text, as places count it), ``nearest`` and ``removal`` (documents
        only), ``sentences``. What cannot be said is ``{"not_measured": reason}``.
    """
    action = str(made["action"])
    others = {k: v for k, v in made["expected_money"].items() if k != action}
    rival = max(others, key=others.__getitem__, default=None)
    out: dict[str, Any] = {
        "next_best": None if rival is None else {"action": rival, "expected_money": others[rival]},
        "documents": {},
        "nearest": {"not_measured": "this decision reads no documents"},
        "removal": {"not_measured": "this decision reads no documents"},
    }
    if model is None or isinstance(model, ArmModels):
        out["why"] = {
            "not_measured": "one model per action ([past]) has no one log-odds to split up"
        }
        return out | {"sentences": _sentences(decision, made, out)}
    pair = telling_pair(decision, model, made, money, rival)
    if pair is None:
        out["why"] = {"not_measured": "the model has seen fewer than two outcomes"}
    elif isinstance(model, TabularModel):
        out["why"] = _of_columns(model, row, pair)
    else:
        out |= _of_documents(model, row, pair, decide)
    return out | {"sentences": _sentences(decision, made, out)}


def telling_pair(
    decision: Decision,
    model: Classifier,
    made: Mapping[str, Any],
    money: Mapping[tuple[int, int], float],
    rival: str | None,
) -> tuple[str, str] | None:
    """Return the outcome that speaks most for the action taken, and the one that speaks against.

    ``E[U(taken)] - E[U(next best)]`` is a sum of ``p(o) * (U(taken, o) - U(next best, o))`` over
    outcomes; the pair is its largest and its smallest term. So what adds to the log-odds of the
    first over the second adds to the reason for the action. Where the two are one outcome, it is
    the likeliest two.
    """
    seen = np.flatnonzero(seen_outcomes(model))
    if len(seen) < 2:
        return None
    names = decision.outcome_names
    prob = np.array([made["probabilities"][n] for n in names])
    order = seen[np.argsort(-prob[seen], kind="stable")]
    if rival is not None and money:
        one = decision.action_names.index(str(made["action"]))
        two = decision.action_names.index(rival)
        gain = np.array([money[one, o] - money[two, o] for o in range(len(names))])
        terms = prob[seen] * gain[seen]
        first, last = int(seen[np.argmax(terms)]), int(seen[np.argmin(terms)])
        if gain[first] > gain[last]:
            return names[first], names[last]
    return names[int(order[0])], names[int(order[1])]


def _of_columns(
    model: TabularModel, row: Mapping[str, Any], pair: tuple[str, str]
) -> dict[str, Any]:
    found = column_contributions(model, row, outcome=pair[0], against=pair[1])
    if found is None:
        label = model.describe()["algorithm"]
        return {
            "not_measured": f"{label} is neither additive nor made of trees that LightGBM can "
            "split up; any split among its columns would be an approximation"
        }
    return _why(pair, found, [], row)


def _of_documents(
    model: Any,
    row: Mapping[str, Any],
    pair: tuple[str, str],
    decide: Callable[[list[Mapping[str, Any]]], Sequence[str]],
) -> dict[str, Any]:
    from payoff.model.text import explain

    found = explain.contributions(model, row, outcome=pair[0], against=pair[1])
    told = found["words"]
    if model.features.embedder is not None:
        told = explain.left_out(model, row, told, outcome=pair[0], against=pair[1])
    words = [{**w, "strength": s} for w, s in zip(told, explain.strengths(told), strict=True)]
    nearest = explain.nearest_documents(model, row)
    return {
        "why": _why(pair, found | {"method": _LINEAR}, words, row),
        "documents": explain.documents_read(model, row),
        "nearest": nearest or {"not_measured": "the model keeps no documents to compare with"},
        "removal": explain.removals(row, words, decide),
    }


def _why(
    pair: tuple[str, str],
    found: Mapping[str, Any],
    words: list[dict[str, Any]],
    row: Mapping[str, Any],
) -> dict[str, Any]:
    """Lay out the parts; words, columns and rest sum to ``log_odds``."""
    columns = [
        {"column": name, "value": _plain(row.get(name)), "log_odds": value}
        for name, value in sorted(found["columns"].items(), key=lambda item: -abs(item[1]))
    ]
    return {
        "outcome": pair[0],
        "against": pair[1],
        "log_odds": found["log_odds"],
        "words": words,
        "columns": columns,
        "rest": [{"name": k, "log_odds": v} for k, v in found["rest"].items()],
        "method": found["method"],
        "note": _NOTES["without" in (words[0] if words else {})],
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else text_of(value)


def _sentences(decision: Decision, made: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    labels = {a.name: a.label for a in decision.actions}
    outcomes = {o.name: o.label for o in decision.outcomes}
    expected, currency = made["expected_money"], decision.currency
    first = f"{labels[made['action']]}: expected {_money(expected[made['action']])} {currency}"
    rival = found["next_best"]
    if rival is not None:
        first += f"; {labels[rival['action']]}: {_money(rival['expected_money'])} {currency}"
    out = [first + "."]
    if made.get("familiar") is False:
        out.append("It is unlike whatever the model learnt from.")
    elif made.get("why_not"):
        out.append(f"Not automated: {made['why_not']}.")
    why = found["why"]
    if "not_measured" in why:
        return [*out, f"Not explained: {why['not_measured']}."]
    parts = [(w["word"], w.get("without", w["log_odds"])) for w in why["words"] if w["strength"]]
    parts += [(c["column"], c["log_odds"]) for c in why["columns"] if abs(c["log_odds"]) >= 0.05]
    for said, sign in ((f"for {outcomes[why['outcome']]}", 1), ("against it", -1)):
        named = _strongest(parts, sign)
        if named:
            over = f" rather than {outcomes[why['against']]}" if sign > 0 else ""
            out.append(f"Most spoke {said}{over}: {listed(named)}.")
    removal = found["removal"]
    if removal.get("removed"):
        out.append(
            f"Without {listed(removal['removed'])} it would be {labels[removal['becomes']]}."
        )
    elif "tried" in removal:
        trials = max(int(removal["tried"]) - 1, 0)
        out.append(f"None of {trials} removals of one to five words tried would change it.")
    return out


def _strongest(parts: Sequence[tuple[str, float]], sign: int) -> list[str]:
    """Return the names that speak most in one direction, each once."""
    total: dict[str, float] = {}
    for name, value in parts:
        if value * sign > 0:
            total[name.lower()] = total.get(name.lower(), 0.0) + abs(value)
    return sorted(total, key=lambda n: -total[n])[:_MOST_NAMED]


def _money(value: float) -> str:
    return f"{value:,.2f}"
