"""Recommenders tried on the choosing part: settings by money, then money itself, then variety."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.errors import PayoffError
from payoff.evidence.ranking.accuracy import accuracy
from payoff.model.recommend.blend import Blend
from payoff.model.recommend.families import BASELINES, LABELS, Facts, NotTried, Setting, why_not
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Lists, Recommender
from payoff.policy.listing.fill import filled
from payoff.policy.listing.hits import hits_of
from payoff.policy.listing.policy import ListPolicy, Offer
from payoff.policy.listing.stakes import ListsToChoose
from payoff.policy.listing.value import rank_chance
from payoff.policy.listing.world import World
from payoff.progress import Progress

__all__ = ["COLD", "DEPTH", "Listing", "Tried", "Tries", "made", "sentence", "try_families"]

#: Candidates of a model that money puts into order.
DEPTH: Final = 100
POWERS: Final = (0.0, 0.25, 0.5, 1.0)
#: Weights of the best model, the second and what the user bought before.
_WEIGHTS: Final = ((1.0, 1.0, 0.0), (1.0, 0.0, 1.0), (1.0, 0.5, 1.0), (1.0, 0.5, 2.0))
COLD: Final = "users without a history, and places left over, get what most users buy"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """One setting with what its lists earned on the choosing part.

    Parameters
    ----------
    family, words, settings
        As in :class:`~payoff.model.recommend.families.Setting`.
    money
        Mean money of a list.
    ndcg
        Mean nDCG, which decides between settings that earn the same.
    """

    family: str
    words: str
    settings: Mapping[str, Any]
    money: float
    ndcg: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing:
    """A policy with the recommender behind it, and what its lists earned on the choosing part.

    Parameters
    ----------
    policy
        The policy.
    words
        Settings in words.
    settings
        Settings of the model, JSON-ready.
    recommender
        Fitted on the fitting part; None for the policy that shows nothing.
    parts
        Families and weights of a blend; empty for others.
    setting
        What fits the model again; None for a blend and for nothing.
    lists, money
        int32 (n, k) and float64 (n,): the lists, and what each earned.
    ndcg
        Mean nDCG.
    """

    policy: ListPolicy
    words: str
    settings: Mapping[str, Any]
    recommender: Recommender | None
    lists: NDArray[np.int32]
    money: NDArray[np.float64]
    ndcg: float
    parts: tuple[tuple[str, float], ...] = ()
    setting: Setting | None = None

    @property
    def rank(self) -> tuple[float, float]:
        """What is larger of a better one: mean money, then nDCG."""
        return round(float(self.money.mean()), 9), round(self.ndcg, 9)


@dataclass(slots=True, kw_only=True, eq=False)
class Tries:
    """What is tried on one choosing part, and what came of it.

    Parameters
    ----------
    decision, world, facts
        The declaration, the choosing part, and what decides which settings are worth trying.
    tried, failures
        Filled as the work goes on: every setting, and families left out with the reason.
    cold
        Policy and recommender for users without a history: what most users buy.
    """

    decision: Decision
    world: World[ListsToChoose]
    facts: Facts
    tried: list[Tried] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    cold: tuple[ListPolicy, Recommender] | None = None
    _asking: Histories | None = None

    @property
    def asking(self) -> Histories:
        """Histories of the users who are shown a list."""
        if self._asking is None:
            self._asking = self.world.asking
        return self._asking

    def policy(self, family: str, words: str) -> ListPolicy:
        """Return the policy that lists what a family ranks first."""
        assert self.decision.recommend is not None
        rules = self.decision.recommend.list
        label = LABELS.get(family, f"The registered recommender {family!r}")
        how = [words] if words else []
        return ListPolicy(
            name=family,
            label=label,
            how=sentence([*how, *([] if family == "popular" else [COLD])]),
            recommender=family,
            length=rules.length,
            repeats=rules.repeats,
            baseline=family in BASELINES,
            tuned_on="choose",
        )

    def nothing(self) -> Listing:
        """Return the policy that shows nothing."""
        policy = replace(
            self.policy("do_nothing", ""),
            label="Show nothing",
            how="No list is shown.",
            recommender="",
            baseline=True,
            tuned_on=None,
        )
        lists = np.full((len(self.world.stakes), policy.length), -1, dtype=np.int32)
        return self.listing(policy, lists, "", {}, None)

    def listing(
        self,
        policy: ListPolicy,
        lists: NDArray[np.int32],
        words: str,
        settings: Mapping[str, Any],
        recommender: Recommender | None,
        *,
        parts: tuple[tuple[str, float], ...] = (),
        setting: Setting | None = None,
    ) -> Listing:
        """Measure the lists of a policy."""
        stakes = self.world.stakes
        pairs = stakes.pair
        found = accuracy(
            lists, pairs // stakes.n_items, pairs % stakes.n_items, n_items=stakes.n_items,
            at=[lists.shape[1]],
        )  # fmt: skip
        ndcg = found.mean("ndcg", lists.shape[1])
        return Listing(
            policy=policy,
            words=words,
            settings=settings,
            recommender=recommender,
            lists=lists,
            money=stakes.money(lists),
            ndcg=0.0 if np.isnan(ndcg) else ndcg,
            parts=parts,
            setting=setting,
        )

    def made(self, policy: ListPolicy, recommender: Recommender) -> NDArray[np.int32]:
        """Return the lists of a policy for the users of the choosing part."""
        return made(policy, recommender, self.cold, self.asking, self.world.offer)

    def attempt(self, setting: Setting, recommender: Recommender) -> Listing:
        """Measure one setting, and note it."""
        policy = self.policy(setting.family, setting.words)
        found = self.listing(
            policy, self.made(policy, recommender), setting.words, setting.settings, recommender,
            setting=setting,
        )  # fmt: skip
        self.note(found)
        return found

    def note(self, found: Listing) -> None:
        """Keep what was tried for the record."""
        self.tried.append(
            Tried(
                family=found.policy.recommender,
                words=found.words,
                settings=found.settings,
                money=float(found.money.mean()),
                ndcg=found.ndcg,
            )
        )

    def valued(self, plain: Listing) -> Listing:
        """Return the policy with its candidates ordered by chance times the best power of money."""
        assert plain.recommender is not None
        money = self.world.offer.money[self.world.offer.allowed]
        if plain.policy.baseline or not len(money) or np.ptp(money) <= 0:
            return plain
        chance = self.chance(plain)
        best = plain
        for power in POWERS[1:]:
            policy = replace(
                plain.policy,
                depth=DEPTH,
                chance=chance,
                power=power,
                how=sentence([plain.words, f"the first {DEPTH} are ordered by their chance of a "
                              f"hit times their money to the power {power:g}", COLD]),
            )  # fmt: skip
            found = self.varied(
                plain, policy, f"{plain.words}, money to the power {power:g}".removeprefix(", ")
            )
            self.note(found)
            best = max(best, found, key=lambda x: x.rank)
        return best

    def varied(self, plain: Listing, policy: ListPolicy, words: str) -> Listing:
        """Measure another policy of the same recommender."""
        assert plain.recommender is not None
        return self.listing(
            policy,
            self.made(policy, plain.recommender),
            words,
            plain.settings,
            plain.recommender,
            parts=plain.parts,
            setting=plain.setting,
        )

    def chance(self, plain: Listing) -> tuple[float, float]:
        """Return how the chance of a hit falls with the rank among a model's candidates."""
        assert plain.recommender is not None
        stakes = self.world.stakes
        warm = stakes.known > 0
        deep = replace(plain.policy, length=DEPTH, depth=0)
        lists = deep.lists(plain.recommender, self.asking, replace(self.world.offer, at_most=()))
        shown = (lists.items >= 0) & warm[:, None]
        row, rank = hits_of(lists.items, stakes.pair, stakes.n_items)
        hits = np.bincount(rank[warm[row]], minlength=DEPTH)
        return rank_chance(hits, shown.sum(axis=0))


def sentence(parts: Sequence[str]) -> str:
    """Join parts into one sentence."""
    text = "; ".join(p for p in parts if p)
    return text[:1].upper() + text[1:] + "." if text else ""


def made(
    policy: ListPolicy,
    recommender: Recommender,
    cold: tuple[ListPolicy, Recommender] | None,
    asking: Histories,
    offer: Offer,
) -> NDArray[np.int32]:
    """Return the list of each user, int32 (n, k).

    One without a history gets what most users buy, and so do places that the policy leaves empty.

    Parameters
    ----------
    cold
        Policy and recommender for users of whom nothing is known.
    """
    lists = policy.lists(recommender, asking, offer)
    if cold is None or recommender is cold[1]:
        return lists.items
    items = lists.items.copy()
    items[np.diff(asking.start) == 0] = -1
    return filled(Lists(items=items, scores=lists.scores), cold, asking, offer).items


def try_families(tries: Tries, names: Sequence[str], progress: Progress) -> list[Listing]:
    """Return the best policy of each family that could be fitted, baselines first.

    A family that cannot be fitted is left out, and ``tries.failures`` says why.
    """
    families = [*BASELINES, *(n for n in names if n != "blend")]
    found: list[Listing] = []
    for at, family in enumerate(families):
        progress("try models", at, len(families) + 1, LABELS.get(family, family))
        best = _best_of(tries, family)
        if best is None:
            continue
        found.append(tries.valued(best))
        if family == "popular" and best.recommender is not None:
            tries.cold = (best.policy, best.recommender)
    if "blend" in names:
        progress("try models", len(families), len(families) + 1, LABELS["blend"])
        blended = _blended(tries, found)
        if blended is not None:
            found.append(tries.valued(blended))
    progress("try models", len(families) + 1, len(families) + 1, f"{len(tries.tried)} settings")
    return found


def _best_of(tries: Tries, family: str) -> Listing | None:
    best: Listing | None = None
    try:
        for setting in tries.facts.settings(family):
            found = tries.attempt(setting, setting.make(tries.facts.histories))
            best = found if best is None else max(best, found, key=lambda x: x.rank)
    except (PayoffError, NotTried) as error:
        if isinstance(error, PayoffError) and error.code == "PAY-T002":
            raise
        tries.failures[family] = why_not(error)
    except MemoryError:
        tries.failures[family] = "It ran out of memory."
    return best


def _blended(tries: Tries, found: Sequence[Listing]) -> Listing | None:
    """Try blends of the two best models and of what the user bought before."""
    models = sorted((x for x in found if not x.policy.baseline), key=lambda x: x.rank, reverse=True)
    again = next((x for x in found if x.policy.name == "buy_again"), None)
    if not models or (len(models) < 2 and again is None):
        tries.failures["blend"] = "There are no two recommenders to blend."
        return None
    best: Listing | None = None
    for members in _members(models, again):
        words = _mixed([(one.policy.label, weight) for one, weight in members])
        parts = tuple((one.policy.recommender, weight) for one, weight in members)
        blend = Blend.of(
            [one.recommender for one, _ in members if one.recommender is not None],
            [weight for _, weight in members],
        )
        policy = tries.policy("blend", words)
        listing = tries.listing(
            policy,
            tries.made(policy, blend),
            words,
            {"weights": dict(parts)},
            blend,
            parts=parts,
        )
        tries.note(listing)
        best = listing if best is None else max(best, listing, key=lambda x: x.rank)
    return best


def _members(
    models: Sequence[Listing], again: Listing | None
) -> Iterator[list[tuple[Listing, float]]]:
    """Yield members with weights above 0, each choice of members and weights once."""
    seen = set()
    for weights in _WEIGHTS:
        three = zip(
            (models[0], models[1] if len(models) > 1 else None, again), weights, strict=True
        )
        members = [(one, w) for one, w in three if one is not None and w > 0]
        key = tuple((one.policy.name, w) for one, w in members)
        if len(members) > 1 and key not in seen:
            seen.add(key)
            yield members


def _mixed(members: Sequence[tuple[str, float]]) -> str:
    """Say what a blend counts, and how much.

    Examples
    --------
    >>> _mixed([("Implicit ALS", 1.0), ("Bought before", 1.0)])
    '“Implicit ALS” and “Bought before” in equal parts'
    >>> _mixed([("A", 1.0), ("B", 0.5), ("C", 2.0)])
    '“A” counted 1, “B” counted 0.5 and “C” counted 2'
    """
    equal = len({weight for _, weight in members}) == 1
    said = [f"“{label}”" if equal else f"“{label}” counted {weight:g}" for label, weight in members]
    text = f"{', '.join(said[:-1])} and {said[-1]}"
    return f"{text} in equal parts" if equal else text
