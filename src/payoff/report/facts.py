"""What every page asks of the evidence: labels, units, and the policies a page speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.evidence.evidence import Comparison, Estimate, Evidence, PolicyEvidence
from payoff.report import wording
from payoff.report.escape import visible

__all__ = ["INTERVAL_TERM", "Facts"]

INTERVAL_TERM: Final = (
    "Interval: the range of values that fit the {rows} judged. It is made so that, over many such "
    "studies, {level} of the ranges hold the true figure. A wide range means few {rows} or uneven "
    "money."
)


class Facts:
    """Labels, units and shortcuts over one :class:`~payoff.evidence.evidence.Evidence`.

    Parameters
    ----------
    evidence
        What one judging found.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.decision: Mapping[str, Any] = evidence.decision
        self.subject: PolicyEvidence = evidence.policies[0]
        self._policies = {p.name: p for p in evidence.policies}
        self._actions = _labels(self.decision.get("actions", ()))
        self._outcomes = _labels(self.decision.get("outcomes", ()))
        self.units = visible(self.decision.get("units") or "units", 40)
        self.unit = visible(self.decision.get("unit") or "unit", 40)
        self.money_unit = visible(self.decision.get("money_unit") or "money", 80)
        self.per = "per" + self.money_unit.partition(" per")[2]
        self.level = wording.percent(float(self.decision.get("level") or 0.95))
        self.n = self.subject.value.n

    @property
    def lists(self) -> bool:
        """Whether the decision is about lists, whose rows are users."""
        trade = self.evidence.tradeoff
        return bool(trade) and "not_measured" not in trade

    @property
    def rows(self) -> str:
        """What was judged, in a word."""
        return "users" if self.lists else "rows"

    @property
    def reference(self) -> PolicyEvidence | None:
        """The policy money is compared with."""
        return self._policies.get(str(self.evidence.verdict.get("reference")))

    @property
    def trivial(self) -> PolicyEvidence | None:
        """The best policy that needs no model."""
        return self._policies.get(str(self.evidence.verdict.get("best_trivial")))

    def policy(self, name: str, most: int = 80) -> str:
        """Return the label of a policy."""
        found = self._policies.get(name)
        return visible(found.label if found else name, most)

    def action(self, name: str, most: int = 80) -> str:
        """Return the label of an action."""
        return visible(self._actions.get(name, name), most)

    def outcome(self, name: str, most: int = 80) -> str:
        """Return the label of an outcome."""
        return visible(self._outcomes.get(name, name), most)

    def against(self, name: str) -> Comparison | None:
        """Return the comparison of the subject with another policy."""
        pairs = self.evidence.comparisons
        return next((c for c in pairs if c.policy == self.subject.name and c.against == name), None)

    @property
    def gain(self) -> Estimate | None:
        """Money per period of the subject against the reference."""
        found = self.against(str(self.evidence.verdict.get("reference")))
        return found.total if found else None

    def acts(self, action: str) -> bool:
        """Whether an action is something other than doing nothing (or than the default)."""
        return action != (self.decision.get("do_nothing") or self.decision.get("default"))

    def reviews(self, action: str) -> bool:
        """Whether an action is a person's review."""
        return any(a["name"] == action and a.get("review") for a in self.decision["actions"])

    def count(self, value: float) -> str:
        """Return a number of units per period, with its unit."""
        return f"{wording.people(value)} {self.units} {self.period}"

    @property
    def period(self) -> str:
        """Return ``per month``, or ``in every 1,000`` when no volume is declared."""
        if self.decision.get("volume") is None:
            return f"in every {wording.people(float(self.decision.get('units_reported') or 1000))}"
        return f"per {visible(self.decision.get('period') or 'period')}"

    @property
    def one_period(self) -> str:
        """Return ``one month``, or ``1,000 customers`` when no volume is declared."""
        if self.decision.get("volume") is None:
            amount = wording.people(float(self.decision.get("units_reported") or 1000))
            return f"{amount} {self.units}"
        return f"one {visible(self.decision.get('period') or 'period')}"

    def interval_term(self) -> str:
        """Return the explanation of an interval in plain words."""
        return INTERVAL_TERM.format(level=self.level, rows=self.rows)


def _labels(entries: Any) -> dict[str, str]:
    return {str(e["name"]): str(e.get("label") or e["name"]) for e in entries}
