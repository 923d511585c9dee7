"""How themes move over time: shares by period, and which of them moved beyond chance.

Two questions, each asked of every theme: does any period differ from the others, and do the judging
rows differ from the fitting rows (where time split them)? All of them together share one allowance
for false alarms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.errors import percent
from payoff.evidence.evidence import Estimate
from payoff.evidence.interval import share
from payoff.evidence.slices import Timeline
from payoff.evidence.subgroups.simultaneous import cases_of, contrast
from payoff.evidence.wording import quoted
from payoff.rng import generator

__all__ = ["drift"]

_MOST_NAMED: Final = 2
_FIT, _JUDGE = 0, 2


def drift(decision: Decision, line: Timeline, names: Sequence[str], *, seed: int) -> dict[str, Any]:
    """Return the share of each theme by period, with simultaneous tests.

    Returns
    -------
    dict
        ``by``, ``periods`` (label, n, whether it has rows enough), ``themes`` (name, ``shares`` of
        all periods, ``change`` from the fitting to the judging rows, ``p_periods``, ``p_change``),
        ``tests`` (how many share the allowance), ``sentences``; or ``not_measured``.
    """
    known = np.flatnonzero((line.theme >= 0) & (line.period >= 0) & (line.weight > 0))
    count = np.bincount(line.period[known], minlength=len(line.labels))
    enough = count >= decision.evidence.smallest_group
    if enough.sum() < 2:
        return {
            "not_measured": f"fewer than two {line.by}s have "
            f"{decision.evidence.smallest_group} documents"
        }
    core = _Drift(decision, line, names, known, enough, seed)
    return core.made(count)


class _Drift:
    def __init__(
        self,
        decision: Decision,
        line: Timeline,
        names: Sequence[str],
        known: NDArray[np.int64],
        enough: NDArray[np.bool_],
        seed: int,
    ) -> None:
        self.decision = decision
        self.level = decision.evidence.level
        self.line = line
        self.names = names
        self.rows = known
        self.enough = enough
        self.seed = seed
        self.theme = line.theme[known]
        self.weight = line.weight[known]
        self.period = line.period[known].astype(np.int64)
        self.cluster = None if line.cluster is None else line.cluster[known]
        self.part = line.part[known]
        self.ordered = line.ordered and all(np.any(self.part == p) for p in (_FIT, _JUDGE))
        self.tests = len(names) * (2 if self.ordered else 1)

    def made(self, count: NDArray[np.int64]) -> dict[str, Any]:
        themes = [self._theme(k) for k in range(len(self.names))]
        found: dict[str, Any] = {
            "by": self.line.by,
            "periods": [
                {"label": label, "n": int(n), "shown": bool(ok)}
                for label, n, ok in zip(self.line.labels, count, self.enough, strict=True)
            ],
            "parts": dict(self.line.spans) if self.ordered else {},
            "themes": themes,
            "tests": self.tests,
            "n": len(self.rows),
        }
        return found | {"sentences": self._sentences(themes)}

    def _theme(self, k: int) -> dict[str, Any]:
        hit = self.theme == k
        shares = [
            asdict(self._share(hit, self.period == p)) if ok else None
            for p, ok in enumerate(self.enough)
        ]
        change, p_change = self._change(k, hit) if self.ordered else (None, None)
        return {
            "name": self.names[k],
            "share": asdict(self._share(hit, np.ones(len(hit), dtype=bool))),
            "shares": shares,
            "fit": asdict(self._share(hit, self.part == _FIT)) if self.ordered else None,
            "judge": asdict(self._share(hit, self.part == _JUDGE)) if self.ordered else None,
            "change": None if change is None else asdict(change),
            "p_change": p_change,
            "p_periods": self._periods(k, hit),
        }

    def _share(self, hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> Estimate:
        cluster = None if self.cluster is None else self.cluster[among]
        return share(hit[among], self.weight[among], cluster, level=self.level)

    def _periods(self, k: int, hit: NDArray[np.bool_]) -> float | None:
        """Return how often chance makes any theme's periods differ this much."""
        cases = cases_of(hit.astype(np.float64), self.weight, self.period, self.cluster)
        found = contrast(
            cases,
            self.enough[: int(self.period.max()) + 1],
            level=self.level,
            rng=generator(self.seed, f"themes/periods/{k}"),
        )
        return None if found is None else min(1.0, found.p_any * self.tests)

    def _change(self, k: int, hit: NDArray[np.bool_]) -> tuple[Estimate | None, float | None]:
        """Return the change of the share, its interval for all themes at once, and its p."""
        either = (self.part == _FIT) | (self.part == _JUDGE)
        group = (self.part[either] == _JUDGE).astype(np.int64)
        cluster = None if self.cluster is None else self.cluster[either]
        cases = cases_of(hit[either].astype(np.float64), self.weight[either], group, cluster)
        found = contrast(
            cases,
            np.array([True, True]),
            level=self.level,
            rng=generator(self.seed, f"themes/change/{k}"),
        )
        if found is None:
            return None, None
        change = float(found.difference[1])
        error = float(np.hypot(found.error[0], found.error[1]))
        half = float(special.ndtri(1 - (1 - self.level) / 2 / self.tests)) * error
        base = self._share(hit, self.part == _JUDGE)
        return (
            replace(
                base,
                value=change,
                low=max(-1.0, change - half),
                high=min(1.0, change + half),
                n=int(either.sum()),
                n_clusters=len(cases.s),
                method="wald",
            ),
            min(1.0, float(found.p_adjusted[1]) * self.tests),
        )

    def _sentences(self, themes: Sequence[Mapping[str, Any]]) -> list[str]:
        units = plural(self.decision.unit)
        limit = 1 - self.level
        moved = [t for t in themes if t["p_change"] is not None and t["p_change"] <= limit]
        moved.sort(key=lambda t: -t["change"]["value"])
        said = []
        grown = [t for t in moved if t["change"]["value"] > 0][:_MOST_NAMED]
        shrunk = [t for t in moved if t["change"]["value"] < 0][::-1][:_MOST_NAMED]
        for verb, some in (("grew", grown), ("shrank", shrunk)):
            said += [
                f"{quoted(t['name'])} {verb} from {percent(t['fit']['value'])} of {units} in "
                f"{self.line.spans['fit']} to {percent(t['judge']['value'])} in "
                f"{self.line.spans['judge']}, beyond chance."
                for t in some
            ]
        if said:
            return said
        uneven = [t for t in themes if t["p_periods"] is not None and t["p_periods"] <= limit]
        uneven.sort(key=lambda t: -self._swing(t)[0])
        for t in uneven[:_MOST_NAMED]:
            _, k = self._swing(t)
            then, ever = (percent(s["value"]) for s in (t["shares"][k], t["share"]))
            said.append(
                f"{quoted(t['name'])} was {then} of {units} in {self.line.labels[k]} and {ever} "
                f"over all {self.line.by}s, beyond chance."
            )
        return said or [
            f"No theme grew or shrank by more than chance makes {len(themes)} themes do over "
            f"{int(self.enough.sum())} {self.line.by}s ({len(self.rows):,} {units})."
        ]

    def _swing(self, theme: Mapping[str, Any]) -> tuple[float, int]:
        """Return how far the period farthest from the whole is, and which it is."""
        whole = theme["share"]["value"]
        return max(
            (abs(s["value"] - whole), k) for k, s in enumerate(theme["shares"]) if s is not None
        )
