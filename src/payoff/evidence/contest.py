"""Several policies on the same rows: who wins, by how much, how sure, and where they differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.decision import plural
from payoff.errors import chance, percent
from payoff.evidence.acted import Acted
from payoff.evidence.evidence import Estimate, finite
from payoff.evidence.joint import best_shares, joint_draws
from payoff.evidence.worth import worth
from payoff.policy.best import earned
from payoff.policy.stakes import Judging

__all__ = ["Compared", "Pair", "Standing", "Switch", "contest"]

_DRAWS: Final = 4_000
_MOST_SWITCHES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One policy in the contest.

    Parameters
    ----------
    name, label
        As in the command, and words for the page.
    baseline
        Whether it needs no model; baselines are shown, and take no part in the contest.
    value, total
        Money per unit, and per period.
    chance_best
        Chance that it is the best of the contestants, given these rows (None for a baseline).
    acted
        Share of units that get another action than the default.
    """

    name: str
    label: str
    baseline: bool
    value: Estimate
    total: Estimate
    chance_best: float | None
    acted: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The leader minus another policy, paired on the same rows.

    ``total`` holds at the declared level for this pair alone; ``together`` for all pairs of
    contestants at once (Bonferroni), because the leader was picked by these very rows. ``differ``
    is the share of units the two treat differently.
    """

    against: str
    total: Estimate
    together: Estimate
    differ: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Units to which the leader does one thing and the runner-up another."""

    leader: str
    other: str
    n: int
    share: float
    per_period: float
    total: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a comparison found; ``to_json`` writes it.

    Parameters
    ----------
    decision
        Name, title, unit, money unit, level.
    state
        ``"ahead"`` (the leader is ahead of every contestant beyond chance), ``"open"`` (it earned
        most, but chance could have done it) or ``"alike"`` (they act alike).
    leader, runner_up
        Names.
    sentences
        The answer in words, for a manager.
    standings
        Contestants by money, then baselines.
    pairs
        The leader against each other policy.
    switches
        Where leader and runner-up differ, by what each does.
    groups
        Per declared subgroup and group: ``n``, and the leader minus the runner-up.
    rows
        Which rows judged, and why those.
    rules
        ``differ``: whether the contestants keep to different capacities, limits or constraints;
        ``of``: contestant -> what it keeps to, in words; ``said``: the same as a sentence.
    """

    decision: Mapping[str, Any]
    state: str
    leader: str
    runner_up: str
    sentences: tuple[str, ...]
    standings: tuple[Standing, ...]
    pairs: tuple[Pair, ...]
    switches: tuple[Switch, ...]
    groups: tuple[Mapping[str, Any], ...]
    rows: Mapping[str, Any]
    seed: int
    rules: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        value: dict[str, Any] = finite(asdict(self))
        return value

    def to_json(self) -> str:
        """Return the JSON text, equal for equal comparisons."""
        return json.dumps(self.to_dict(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def contest(
    decision: Decision,
    stakes: Judging,
    contestants: Sequence[Acted],
    baselines: Sequence[Acted],
    *,
    subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
    rows: Mapping[str, Any],
    seed: int,
) -> Compared:
    """Compare policies that were fixed before these rows were seen.

    Parameters
    ----------
    contestants
        Two or more policies with the action each took on every row.
    baselines
        Policies without a model, for orientation.
    subgroups
        Name -> (labels, codes (n,)).
    rows
        Facts of which rows judge, repeated in the result.
    """
    every = [*contestants, *baselines]
    values = {a.policy.name: earned(decision, a.policy, a.codes, stakes) for a in every}
    columns = np.stack([values[a.policy.name] for a in contestants], axis=1)
    # Relative to the first, what all policies share drops out, and ties stay exact.
    drawn = joint_draws(
        columns - columns[:, :1], stakes.weight, stakes.resampled, seed=seed, draws=_DRAWS
    )
    chances = [float(p) for p in best_shares(drawn.means)]
    view = _View(decision, stakes, values)
    standings = [view.standing(a, p) for a, p in zip(contestants, chances, strict=True)]
    # The sort is stable: among equals the one named first leads.
    standings.sort(key=lambda s: -(s.value.value or 0.0))
    leader, second = standings[0], standings[1]
    codes = {a.policy.name: a.codes for a in every}
    n_pairs = len(contestants) * (len(contestants) - 1) // 2
    others = [*standings[1:], *(view.standing(a, None) for a in baselines)]
    pairs = tuple(view.pair(leader.name, s.name, codes, n_pairs) for s in others)
    found = Compared(
        decision={
            "name": decision.name,
            "title": decision.title or decision.name,
            "unit": decision.unit,
            "units": plural(decision.unit),
            "money_unit": decision.money_unit,
            "level": decision.evidence.level,
            "positive": decision.positive,
        },
        state=_state(pairs[: len(standings) - 1]),
        leader=leader.name,
        runner_up=second.name,
        sentences=(),
        standings=(leader, *others),
        pairs=pairs,
        switches=view.switches(codes[leader.name], codes[second.name], leader.name, second.name),
        groups=view.groups(leader.name, second.name, subgroups),
        rows=rows,
        seed=seed,
    )
    return replace(found, sentences=_sentences(found, len(contestants)))


def _state(pairs: Sequence[Pair]) -> str:
    if all(p.differ == 0 for p in pairs):
        return "alike"
    sure = all(p.together.low is not None and p.together.low > 0 for p in pairs)
    return "ahead" if sure else "open"


class _View:
    def __init__(
        self,
        decision: Decision,
        stakes: Judging,
        values: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self.decision = decision
        self.stakes = stakes
        self.values = values
        self.weight = float(stakes.weight.sum())

    def estimate(
        self,
        values: NDArray[np.float64],
        why: str = "",
        *,
        rows: NDArray[np.int64] | None = None,
        decision: Decision | None = None,
    ) -> Estimate:
        return worth(
            decision or self.decision,
            self.stakes,
            values,
            rows=rows,
            identical=why,
        )

    def total(self, value: Estimate, share: float = 1.0) -> Estimate:
        return value.scaled(share * self.decision.units_reported, self.decision.money_unit)

    def standing(self, acted: Acted, chance: float | None) -> Standing:
        policy = acted.policy
        own = self.values[policy.name]
        same = "its money is the same for every unit judged" if policy.kind == "constant" else ""
        value = self.estimate(own, same)
        default = policy.actions.index(policy.default)
        other = acted.codes != default
        return Standing(
            name=policy.name,
            label=policy.label,
            baseline=policy.baseline,
            value=value,
            total=self.total(value),
            chance_best=chance,
            acted=float(self.stakes.weight[other].sum() / self.weight),
        )

    def pair(
        self, leader: str, other: str, codes: Mapping[str, NDArray[np.int16]], n_pairs: int
    ) -> Pair:
        gain = self.values[leader] - self.values[other]
        differ = codes[leader] != codes[other]
        same = "" if differ.any() else "the two act alike on every row judged"
        level = self.decision.evidence.level
        wider = replace(
            self.decision,
            evidence=replace(self.decision.evidence, level=1 - (1 - level) / max(n_pairs, 1)),
        )
        together = self.estimate(gain, same, decision=wider)
        return Pair(
            against=other,
            total=self.total(self.estimate(gain, same)),
            together=self.total(replace(together, level=level)),
            differ=float(self.stakes.weight[differ].sum() / self.weight),
        )

    def switches(
        self, one: NDArray[np.int16], two: NDArray[np.int16], leader: str, second: str
    ) -> tuple[Switch, ...]:
        """Return each pair of different actions with its units and the money it explains."""
        names = self.decision.action_names
        gain = self.values[leader] - self.values[second]
        place = one.astype(np.int64) * len(names) + two
        found = []
        for k in np.unique(place[one != two]):
            rows = place == k
            share = float(self.stakes.weight[rows].sum() / self.weight)
            found.append(
                Switch(
                    leader=names[int(k) // len(names)],
                    other=names[int(k) % len(names)],
                    n=int(rows.sum()),
                    share=share,
                    per_period=share * self.decision.units_reported,
                    total=self.total(self.estimate(np.where(rows, gain, 0.0))),
                )
            )
        found.sort(key=lambda s: -abs(s.total.value or 0.0))
        return tuple(found[:_MOST_SWITCHES])

    def groups(
        self,
        leader: str,
        second: str,
        subgroups: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
    ) -> tuple[dict[str, Any], ...]:
        """Return the leader minus the runner-up in each declared group large enough to show."""
        gain = self.values[leader] - self.values[second]
        smallest = self.decision.evidence.smallest_group
        found = []
        for name, (labels, codes) in subgroups.items():
            for k, label in enumerate(labels):
                rows = np.flatnonzero(codes == k)
                if len(rows) < smallest:
                    continue
                share = float(self.stakes.weight[rows].sum() / self.weight)
                same = "" if np.any(gain[rows]) else "the two earn the same on every row"
                own = self.estimate(gain[rows], same, rows=rows)
                found.append(
                    {
                        "subgroup": name,
                        "group": label,
                        "n": len(rows),
                        "share": share,
                        "value": asdict(own),
                        "total": asdict(self.total(own, share)),
                    }
                )
        return tuple(found)


def _sentences(found: Compared, contestants: int) -> tuple[str, ...]:
    from payoff.evidence.checks import money, quoted

    labels = {s.name: quoted(s.label) for s in found.standings}
    first = found.pairs[0]
    leader, second = labels[found.leader], labels[found.runner_up]
    p_best = found.standings[0].chance_best or 0.0
    if found.state == "alike":
        said = [f"They act alike on all {first.total.n:,} rows judged: there is nothing to choose."]
    elif found.state == "ahead":
        said = [f"{leader} wins: it earned {money(first.together)} more than {second}."]
    elif first.together.low is None and first.differ:
        said = [
            f"{leader} earned most, {money(first.total)} more than {second}; how sure that is "
            f"cannot be said: {first.together.reason}."
        ]
    else:
        said = [
            f"{leader} earned most, but chance could have done it: {money(first.together)} more "
            f"than {second}."
        ]
    if found.state != "alike":
        many = "" if contestants == 2 else f" of the {contestants}"
        said.append(
            f"Given these rows, the chance that it is the best{many} is "
            f"{chance(p_best)}; they treat {percent(first.differ)} "
            f"of {found.decision['units']} differently."
        )
    simple = [s for s in found.standings if s.baseline]
    best = max(simple, key=lambda s: s.total.value or 0.0, default=None)
    if best is not None:
        pair = next(p for p in found.pairs if p.against == best.name)
        gain = pair.total
        if gain.value is not None and gain.value <= 0:
            said.append(
                f"But {labels[best.name]}, which needs no model, earned as much or more than "
                "every contestant."
            )
        else:
            said.append(
                f"Against {labels[best.name]}, the best policy without a model: {money(gain)} more."
            )
    return tuple(said)
