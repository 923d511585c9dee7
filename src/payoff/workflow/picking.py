"""The policy that is recommended: most money on the choosing part, within what is declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import ListConstraint
from payoff.evidence.ranking.accuracy import accuracy
from payoff.evidence.ranking.beyond import exposure
from payoff.model.recommend.alike import alike
from payoff.model.recommend.histories import Histories
from payoff.policy.bounds import Group
from payoff.workflow.listing import COLD, DEPTH, Listing, Tries, sentence

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Picked", "pick"]

#: Weights of variety, tried in this order where a constraint asks for it.
_VARIETY: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
#: Weight of the variant that is shown beside the best where nothing asks for variety.
_SHOWN: Final = 0.3
_ACCURACY: Final = ("ndcg", "recall", "map", "mrr", "hit_rate")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picked:
    """Everything that is judged, and which of it is recommended.

    Parameters
    ----------
    all
        Every policy, the recommended one first.
    best
        The recommended one.
    cold
        What users without a history are shown.
    constraints
        What each policy reached of the declared constraints, on the choosing part, JSON-ready.
    """

    all: tuple[Listing, ...]
    best: Listing
    cold: Listing
    constraints: Sequence[Mapping[str, Any]]
    attributes: csr_matrix | None = field(repr=False)
    seed: int

    def alike(self, histories: Histories) -> NDArray[np.float32]:
        """Return how alike items are, for the policies that ask for variety."""
        return alike(histories, self.attributes, rng=self.seed)

    def why(self, one: Listing) -> str:
        """Return why a policy was recommended or not."""
        broken = [c for c in self.constraints if c["policy"] == one.policy.name and not c["kept"]]
        if broken:
            return f"breaks {broken[0]['words']} (reached {broken[0]['value']:.3g})"
        if one is self.best:
            kept = " of those that keep the constraints" if self.constraints else ""
            return f"the most money on the choosing part{kept}"
        return ""


def pick(
    tries: Tries,
    found: Sequence[Listing],
    groups: Mapping[str, Group],
    attributes: csr_matrix | None,
) -> Picked:
    """Choose by money among the policies that keep the declared constraints on the choosing part.

    Showing nothing has no measures, so that no constraint binds it. Where no other policy keeps
    all, the choice is by money alone, and the record says which are broken.
    """
    rules = tries.decision.recommend
    assert rules is not None
    constraints = rules.list.constraints
    options = [tries.nothing(), *found]
    best = max(options, key=lambda x: x.rank)
    options += _variants(tries, best, constraints, attributes)
    reached = [
        _reached(tries, one, constraint, groups, attributes)
        for one in options
        if one.policy.recommender
        for constraint in constraints
    ]
    broken = {r["policy"] for r in reached if not r["kept"]}
    keeping = [x for x in options if x.policy.name not in broken]
    if constraints and not any(x.policy.recommender for x in keeping):
        keeping = options
    best = max(keeping, key=lambda x: x.rank)
    cold = next(x for x in found if x.policy.name == "popular")
    return Picked(
        all=(best, *(x for x in options if x is not best)),
        best=best,
        cold=cold,
        constraints=reached,
        attributes=attributes,
        seed=tries.facts.seed,
    )


def _variants(
    tries: Tries,
    best: Listing,
    constraints: Sequence[ListConstraint],
    attributes: csr_matrix | None,
) -> list[Listing]:
    """Return the best model once without regard to money, and once with more variety."""
    if best.recommender is None or best.policy.baseline:
        return []
    found = []
    name, label = best.policy.name, best.policy.label
    if best.policy.power:
        policy = replace(
            best.policy,
            name=f"{name}_plain",
            label=f"{label}, money left out",
            how=sentence([*_plain(best), "in the order of the model", COLD]),
            depth=0,
            chance=None,
            power=0.0,
        )
        found.append(tries.varied(best, policy, "without money"))
    wanted = next((c for c in constraints if c.measure == "diversity"), None)
    vectors = alike(tries.world.histories, attributes, rng=tries.facts.seed)
    tries.world = replace(tries.world, offer=replace(tries.world.offer, alike=vectors))
    chance = best.policy.chance or tries.chance(best)
    for weight in _VARIETY if wanted is not None else (_SHOWN,):
        policy = replace(
            best.policy,
            name=f"{name}_varied",
            label=f"{label}, more varied",
            how=sentence(
                [*_words(best), f"variety has a weight of {weight:g} against worth", COLD]
            ),
            depth=DEPTH,
            chance=chance,
            diversity=weight,
        )
        varied = tries.varied(best, policy, f"variety {weight:g}")
        last = weight == _VARIETY[-1]
        if (
            wanted is None
            or last
            or wanted.kept(_measure(tries, varied, "diversity", {}, attributes))
        ):
            found.append(varied)
            break
    return found


def _plain(best: Listing) -> list[str]:
    """Return the settings of the best model without those of the order by money."""
    words = best.words.partition("money to the power")[0].rstrip(", ")
    return [words] if words else []


def _words(best: Listing) -> list[str]:
    return [best.words] if best.words else []


def _reached(
    tries: Tries,
    one: Listing,
    constraint: ListConstraint,
    groups: Mapping[str, Group],
    attributes: csr_matrix | None,
) -> dict[str, Any]:
    value = _measure(tries, one, constraint.measure, groups, attributes)
    ends = [("at least", constraint.at_least), ("at most", constraint.at_most)]
    limits = " and ".join(f"{words} {end:g}" for words, end in ends if end is not None)
    return {
        "policy": one.policy.name,
        "measure": constraint.measure,
        "words": f"{constraint.measure} {limits}",
        "value": value,
        "kept": bool(constraint.kept(value)),
        "reason": constraint.reason,
    }


def _measure(
    tries: Tries,
    one: Listing,
    measure: str,
    groups: Mapping[str, Group],
    attributes: csr_matrix | None,
) -> float:
    """Return a measure of the lists of the choosing part; 0 where it says nothing."""
    stakes, lists = tries.world.stakes, one.lists
    m, k = stakes.n_items, lists.shape[1]
    if measure in _ACCURACY:
        row, item = np.divmod(stakes.pair, m)
        return _known(accuracy(lists, row, item, n_items=m, at=[k]).mean(measure, k))
    if measure.startswith("share:"):
        column, _, label = measure.removeprefix("share:").partition("=")
        labels, codes = groups[column.strip()]
        places = lists[lists >= 0]
        wanted = labels.index(label.strip()) if label.strip() in labels else -2
        return float(np.mean(codes[places] == wanted)) if len(places) else 0.0
    histories = tries.world.histories
    seen = exposure(
        lists,
        histories.popularity(),
        int(np.sum(np.diff(histories.start) > 0)),
        attributes=attributes,
    )
    if measure in seen.overall:
        return _known(seen.overall[measure])
    values = seen.by_user.get(measure)
    if values is None or np.isnan(values).all():
        return 0.0
    return float(np.nanmean(values))


def _known(value: float) -> float:
    return 0.0 if np.isnan(value) else float(value)
