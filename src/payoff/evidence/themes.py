"""What is lost on each theme: how many documents, which outcomes, which money, which errors.

Lost is measured against knowing each outcome beforehand: what the best action for the row would
have earned more than the action taken. An error is a row on which another action would have earned
more. Themes were learnt from the fitting rows; only judging rows are counted here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare.decision import plural
from payoff.errors import percent
from payoff.evidence.evidence import NOT_ASKED, Estimate, SubgroupEvidence
from payoff.evidence.interval import share
from payoff.evidence.judged import Judged
from payoff.evidence.reviewed import is_review
from payoff.evidence.slices import Slices, ThemeFacts
from payoff.evidence.subgroups.disclosure import withheld
from payoff.evidence.subgroups.simultaneous import RESAMPLES, cases_of, contrast
from payoff.evidence.theme_drift import drift
from payoff.evidence.wording import about, quoted
from payoff.policy.best import policy_value
from payoff.rng import generator

__all__ = ["theme_section"]

_COMPARED: Final = ("errors", "lost_per_unit")
_MOST_NAMED: Final = 3


def theme_section(judged: Judged, groups: Sequence[SubgroupEvidence]) -> dict[str, Any]:
    """Return the section ``themes`` of the evidence.

    Parameters
    ----------
    judged
        The judging; its background holds the slices.
    groups
        Subgroup evidence of declared subgroups and slices; says which groups are withheld.

    Returns
    -------
    dict
        ``themes`` (by money lost, most first), ``lost`` (all documents), ``unknown``, ``compared``,
        ``learnt``, ``drift``, ``slices_left_out``, ``sentences``; or ``not_measured``.
    """
    slices = judged.background.slices
    if slices is None:
        return {"not_measured": NOT_ASKED}
    if slices.themes is None:
        return {"not_measured": slices.without}
    if judged.stakes.past is not None:
        return {
            "not_measured": "with past decisions the best action for a row is not known, so what "
            "is lost is not either"
        }
    return _Section(judged, slices, slices.themes, groups).made()


class _Section:
    """Figures of all themes; holds what they share."""

    def __init__(
        self,
        judged: Judged,
        slices: Slices,
        facts: ThemeFacts,
        groups: Sequence[SubgroupEvidence],
    ) -> None:
        self.judged = judged
        self.slices = slices
        self.facts = facts
        self.stakes = judged.stakes
        self.level = judged.decision.evidence.level
        self.codes = facts.codes.astype(np.int64)
        own = policy_value(judged.first.codes, judged.stakes)
        self.lost = judged.stakes.realised.max(axis=1) - own
        # Money of a row is a sum of declared amounts: below this two sums are the same.
        scale = float(np.abs(judged.stakes.realised).max(initial=0.0))
        self.lost = np.where(self.lost > 1e-12 * scale, self.lost, 0.0)
        # A review is no error: whoever knows the outcome need not look.
        self.wrong = (self.lost > 0) & ~is_review(judged.decision)[judged.first.codes]
        self.states = self._states(groups)
        self.total_weight = float(self.stakes.weight.sum())

    def _states(self, groups: Sequence[SubgroupEvidence]) -> list[str]:
        """Return ``"ok"``, ``"small"`` or ``"withheld"`` of each theme."""
        found = next((s for s in groups if s.automatic and s.name == "theme"), None)
        if found is not None:
            of = {g.label: g.state for g in found.groups}
            states = [of[name] for name in self.facts.names]
            return [s if s in ("small", "withheld") else "ok" for s in states]
        names = len(self.facts.names)
        place = np.where(self.codes < 0, names, self.codes)
        smallest = self.judged.decision.evidence.smallest_group
        declared = {
            name: np.where(c < 0, len(labels), c).astype(np.int64)
            for name, (labels, c) in self.judged.subgroups.items()
        }
        kept = withheld(declared, smallest)
        kept = withheld({**declared, "\0theme": place}, smallest, fixed=kept)
        size = np.bincount(place, minlength=names + 1)
        hidden = kept["\0theme"]
        return [
            "small" if size[k] < smallest else "withheld" if hidden[k] else "ok"
            for k in range(names)
        ]

    def made(self) -> dict[str, Any]:
        shown = np.array([s == "ok" for s in self.states])
        compared = {
            "errors": self._compared(self.wrong.astype(np.float64), shown, "errors"),
            "lost_per_unit": self._compared(self.lost, shown, "lost"),
        }
        rows = [self._theme(k, compared) for k in range(len(self.facts.names))]
        rows.sort(key=lambda r: -(r["lost"] or {"value": 0.0})["value"] if r["lost"] else 1e300)
        unknown = self.codes < 0
        timeline = self.slices.timeline
        moved = (
            {"not_measured": self.slices.untimed}
            if timeline is None
            else drift(self.judged.decision, timeline, self.facts.names, seed=self.judged.seed)
        )
        found: dict[str, Any] = {
            "themes": rows,
            "lost": asdict(self._total(self.lost)),
            "errors": asdict(self._share(self.wrong, np.arange(len(self.codes)))),
            "unknown": {
                "n": int(unknown.sum()),
                "share": float(self.stakes.weight[unknown].sum() / self.total_weight),
            },
            "compared": {
                name: {k: v for k, v in of.items() if k != "by_theme"}
                for name, of in compared.items()
            },
            "learnt": dict(self.facts.learnt),
            "drift": moved,
            "slices_left_out": dict(self.slices.left_out),
        }
        return found | {"sentences": self._sentences(found)}

    # ---------------------------------------------------------------------------- one theme

    def _theme(self, k: int, compared: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        rows = np.flatnonzero(self.codes == k)
        weight = self.stakes.weight[rows]
        made: dict[str, Any] = {
            "name": self.facts.names[k],
            "words": list(self.facts.words[k]),
            "examples": [dict(e) for e in self.facts.examples[k]] if self.facts.examples else [],
            "state": self.states[k],
            "reason": "",
            "n": len(rows),
            "share": float(weight.sum() / self.total_weight),
            "outcomes": [],
            "lost": None,
            "lost_share": None,
            "lost_per_unit": None,
            "errors": None,
            "p_adjusted": dict.fromkeys(_COMPARED),
        }
        if self.states[k] != "ok":
            smallest = self.judged.decision.evidence.smallest_group
            reason = f"fewer than {smallest} rows were judged"
            if self.states[k] == "withheld":
                reason = "its figures would show those of a smaller group by subtraction"
            return made | {"reason": reason}
        inside = self.codes == k
        lost = self._total(np.where(inside, self.lost, 0.0))
        everything = float(self.stakes.weight @ self.lost)
        return made | {
            "outcomes": [
                {"outcome": o, "rate": asdict(self._share(self.stakes.outcome[rows] == code, rows))}
                for code, o in enumerate(self.judged.decision.outcome_names)
            ],
            "lost": asdict(lost),
            "lost_share": float(weight @ self.lost[rows]) / everything if everything > 0 else None,
            "lost_per_unit": asdict(self.judged.worth(self.lost[rows], rows=rows)),
            "errors": asdict(self._share(self.wrong[rows], rows)),
            "p_adjusted": {name: of.get("by_theme", {}).get(k) for name, of in compared.items()},
        }

    def _share(self, hit: NDArray[np.bool_], rows: NDArray[np.int64]) -> Estimate:
        cluster = None if self.stakes.resampled is None else self.stakes.resampled[rows]
        return share(hit, self.stakes.weight[rows], cluster, level=self.level)

    def _total(self, values: NDArray[np.float64]) -> Estimate:
        """Estimate money per period; the theme's own share varies with the rows, too."""
        return self.judged.total(self.judged.worth(values))

    def _compared(
        self, values: NDArray[np.float64], shown: NDArray[np.bool_], what: str
    ) -> dict[str, Any]:
        """Compare each theme with the other documents, all themes at once."""
        if shown.sum() < 2:
            return {"not_measured": "fewer than two themes have rows enough to compare"}
        place = np.where(self.codes < 0, len(shown), self.codes)
        cases = cases_of(values, self.stakes.weight, place, self.stakes.resampled)
        found = contrast(
            cases,
            np.append(shown, False),
            level=self.level,
            rng=generator(self.judged.seed, f"themes/{what}"),
        )
        if found is None:
            return {"not_measured": "it is the same on every row"}
        # Errors and money are looked at together: each gets half of the allowance.
        p = np.minimum(1.0, found.p_adjusted * len(_COMPARED))
        return {
            "p_any": float(p[:-1][shown].min()),
            "themes": int(shown.sum()),
            "resamples": RESAMPLES,
            "by_theme": {int(k): float(p[k]) for k in np.flatnonzero(shown)},
        }

    # ---------------------------------------------------------------------------- sentences

    def _sentences(self, found: Mapping[str, Any]) -> list[str]:
        units = plural(self.judged.decision.unit)
        said = [self._costliest(found, units), self._errors(found, units)]
        said += list(found["drift"].get("sentences", ()))[:1]
        return [s for s in said if s]

    def _costliest(self, found: Mapping[str, Any], units: str) -> str:
        rows = [r for r in found["themes"] if r["lost_share"]]
        whole = found["lost"]["value"]
        if not rows or not whole:
            return "No other action would have earned more on any row of a theme that is shown."
        first = rows[0]
        unit = self.judged.decision.money_unit
        currency, per, rest = unit.partition(" per ")
        bare = about(first["lost"]["value"], currency)
        told = f"{bare} of {about(whole, currency).removeprefix(currency + ' ')}{per}{rest}"
        sure = (first["p_adjusted"]["lost_per_unit"] or 1.0) <= 1 - self.level
        size = f"which holds {percent(first['share'])} of {units}"
        name = quoted(first["name"])
        if first["lost_share"] > 0.5:
            text = f"Most of what is lost, {told}, is lost on {name}, {size}"
        else:
            text = f"The most is lost on {name}: {told}, {percent(first['lost_share'])}, {size}"
        each = f"Per {self.judged.decision.unit}"
        if sure:
            more = "more" if first["lost_share"] > first["share"] else "less"
            return f"{text}. {each}, {more} is lost there than elsewhere, beyond chance."
        return (
            f"{text}. {each}, it differs from the others no more than chance makes themes differ."
        )

    def _errors(self, found: Mapping[str, Any], units: str) -> str:
        facts = found["compared"]["errors"]
        if "not_measured" in facts:
            return ""
        usual = found["errors"]["value"]
        rows = [
            r
            for r in found["themes"]
            if r["errors"] is not None
            and (r["p_adjusted"]["errors"] or 1.0) <= 1 - self.level
            and r["errors"]["value"] > usual
        ]
        if not rows:
            return (
                f"No theme stands out by its errors: the shares of {units} decided wrongly differ "
                f"no more than chance makes {facts['themes']} themes differ."
            )
        rows.sort(key=lambda r: -r["errors"]["value"])
        named = ", ".join(
            f"{quoted(r['name'])} ({percent(r['errors']['value'])})" for r in rows[:_MOST_NAMED]
        )
        more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
        return (
            f"More {units} than elsewhere are decided wrongly, beyond chance, on {named}{more}; of "
            f"all {units}: {percent(usual)}."
        )
