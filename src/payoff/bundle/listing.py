"""From a question to a list: whose history, which rules, what is shown, how likely and why."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.bundle.asking import Ask
from payoff.bundle.reasons import reasons
from payoff.declare.expression import constant_of, parse
from payoff.errors import ExpressionError, RequestError, nearest, show
from payoff.load.evaluate import TableColumns, condition
from payoff.model.recommend.histories import Histories
from payoff.policy.listing.explore import Shown, eligible, explore
from payoff.policy.listing.fill import filled
from payoff.policy.listing.policy import ListPolicy, Offer
from payoff.policy.listing.value import chance_at
from payoff.rng import generator

if TYPE_CHECKING:
    from payoff.bundle.lists import Ranker, RecommendBundle

__all__ = ["Made", "Rules", "batch_id", "made_for", "made_of", "miss_of", "recommend"]

_MOST_RULES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """One list before it is put into words.

    Parameters
    ----------
    ranker
        What made it.
    history
        One row: what it was made from.
    shown
        The items, in their places, with their propensities.
    score
        float32 (k,): -inf for what chance put there, or what fills the list up.
    n_own
        Places that the policy filled itself; those behind come from the policy for strangers.
    expected
        float64 (k,): chance of a hit times its money, and otherwise the price of the place; NaN
        where the policy knows no chance.
    """

    ranker: Ranker
    history: Histories
    shown: Shown
    score: NDArray[np.float32]
    n_own: int
    expected: NDArray[np.float64]


class Rules:
    """Masks of filters and codes of attributes, worked out once each; for several threads."""

    def __init__(self, bundle: RecommendBundle) -> None:
        self._columns = TableColumns(bundle.items.attributes)
        self._held: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def mask(self, text: str) -> NDArray[np.bool_]:
        """Return bool (m,): the items that a condition lets through.

        Raises
        ------
        ExpressionError
            ``PAY-D051`` .. when it is no condition over these attributes.
        """
        found: NDArray[np.bool_] = self._kept(f"filter {text}", lambda: self._evaluated(text))
        return found

    def codes(self, column: str) -> NDArray[np.int32]:
        """Return a code for each value of an attribute, int32 (m,): -1 where an item has none.

        Raises
        ------
        RequestError
            ``PAY-S001`` when items have no such attribute.
        """
        found: NDArray[np.int32] = self._kept(f"codes {column}", lambda: self._coded(column))
        return found

    def _kept(self, key: str, work: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            found = work()
            self._held[key] = found
            if len(self._held) > _MOST_RULES:
                self._held.popitem(last=False)
            return found

    def _evaluated(self, text: str) -> NDArray[np.bool_]:
        try:
            return condition(parse(text), self._columns)
        except ExpressionError as error:
            raise error.within("the filter") from None

    def _coded(self, column: str) -> NDArray[np.int32]:
        known = self._columns.names
        if column not in known:
            near = nearest(column, known)
            raise RequestError.bad_question(
                [
                    {
                        "row": 0,
                        "field": "at_most",
                        "got": show(column, 40),
                        "need": f"an attribute of items: {', '.join(known)}"[:300],
                        "mend": f"Did you mean {show(near)}?" if near else "Correct the name",
                    }
                ]
            )
        values = self._columns.read(column).data
        there = np.array([v is not None and not _is_nan(v) for v in values], dtype=bool)
        codes = np.full(len(values), -1, dtype=np.int32)
        codes[there] = np.unique(values[there], return_inverse=True)[1]
        return codes


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def recommend(
    bundle: RecommendBundle, ask: Ask, *, list_id: str | None = None, explain: bool = True
) -> dict[str, Any]:
    """Answer one question.

    Parameters
    ----------
    bundle
        What answers.
    ask
        The question.
    list_id
        Id of the answer. What is left to chance depends on it alone, so the same id gives the same
        list again; left out, a new one.
    explain
        Whether to say why each item is listed.

    Returns
    -------
    dict
        JSON-ready; see ``RecommendBundle.recommend``.
    """
    own_id = uuid.uuid4().hex if list_id is None else list_id
    session, ignored = _codes(bundle, ask.session)
    if ask.item is not None:
        session = [_item_code(bundle, ask.item)]
    history, known = _history(bundle, ask, session)
    allowed, unknown = _allowed(bundle, ask, session)
    offer = _offer(bundle, ask)
    made = made_of(bundle, history, own_id, k=ask.k, offer=offer, allowed=allowed)
    why = reasons(bundle, made, frozenset(session)) if explain else None
    return {
        "list_id": own_id,
        "user": ask.user,
        "known": known,
        "made_by": made.ranker.policy.name,
        "made_by_label": made.ranker.policy.label,
        "histories_until": bundle.histories_until,
        "currency": bundle.decision.currency,
        "items": [_item(bundle, made, place, why) for place in range(len(made.shown.items))],
        "explored": made.shown.place is not None,
        "others": {"n": made.shown.n_others, "propensity": made.shown.others},
        "ignored": sorted({*ignored, *unknown}),
    }


def made_of(
    bundle: RecommendBundle,
    history: Histories,
    list_id: str,
    *,
    k: int | None = None,
    offer: Offer | None = None,
    allowed: NDArray[np.bool_] | None = None,
) -> Made:
    """Make the list of one history (one row): the part of an answer that is counted in time.

    Where nothing is known, or the recommended policy has nothing to list, the policy for strangers
    answers; where that policy's list ends early, it fills the places left, as it did in judging.
    The policy that shows nothing shows nothing.
    """
    held = bundle.offer if offer is None else offer
    ranker = bundle.ranker
    if ranker.recommender is not None and not len(history.item):
        ranker = bundle.cold
    lists = ranker.policy.lists(ranker.recommender, history, held, k=k, allowed=allowed)
    n_own = int(np.sum(lists.items >= 0))
    if ranker is not bundle.cold and ranker.recommender is not None:
        policy, recommender = bundle.cold.policy, bundle.cold.recommender
        if not n_own:
            ranker = bundle.cold
            lists = policy.lists(recommender, history, held, k=k, allowed=allowed)
            n_own = int(np.sum(lists.items >= 0))
        elif recommender is not None and ranker.policy.recommender != policy.recommender:
            lists = filled(lists, (policy, recommender), history, held, allowed)
    there = lists.items[0] >= 0
    items, score = lists.items[0, there], lists.scores[0, there]
    expected = _expected(bundle, ranker.policy, items, score)
    expected[n_own:] = np.nan
    shown = _explored(bundle, ranker, history, held, items, allowed, list_id)
    if shown.place is not None:
        score, expected = score.copy(), expected.copy()
        score[shown.place], expected[shown.place] = -np.inf, np.nan
    return Made(
        ranker=ranker, history=history, shown=shown, score=score, n_own=n_own, expected=expected
    )


def _expected(
    bundle: RecommendBundle,
    policy: ListPolicy,
    items: NDArray[np.int32],
    score: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return what each place is expected to earn, float64 (k,).

    Candidates that were put into order have ``chance * money ** power`` for a score, so the chance
    at an item's rank among them follows from it.
    """
    money = bundle.offer.money[items]
    if policy.chance is None:
        return np.full(len(items), np.nan)
    chance = chance_at(policy.chance, len(items))
    if policy.depth:
        scale = np.maximum(money, 0.0) ** policy.power
        with np.errstate(divide="ignore", invalid="ignore"):
            chance = np.where(scale > 0, score / scale, np.nan)
    return np.asarray(chance * money + (1 - chance) * bundle.miss)


def _explored(
    bundle: RecommendBundle,
    ranker: Ranker,
    history: Histories,
    offer: Offer,
    items: NDArray[np.int32],
    allowed: NDArray[np.bool_] | None,
    list_id: str,
) -> Shown:
    share = bundle.explore
    if share <= 0:
        return explore(items, np.zeros(0, dtype=np.bool_), 0.0, None)
    offered = offer.allowed if allowed is None else offer.allowed & allowed
    if not ranker.policy.repeats:
        offered = offered.copy()
        offered[history.item] = False
    rng = generator(bundle.decision.training.seed, f"list {list_id}")
    return explore(items, eligible(items, offered, offer.at_most), share, rng)


def _codes(bundle: RecommendBundle, labels: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the numbers of known items, in order, and the ids of others."""
    found = [bundle.items.code.get(label, -1) for label in labels]
    unknown = [label for label, code in zip(labels, found, strict=True) if code < 0]
    return [code for code in found if code >= 0], unknown


def _item_code(bundle: RecommendBundle, item: str) -> int:
    code = bundle.items.code.get(item)
    if code is None:
        near = nearest(item, list(bundle.items.code)[:20_000])
        raise RequestError.bad_question(
            [
                {
                    "row": 0,
                    "field": "item",
                    "got": show(item, 40),
                    "need": f"one of {len(bundle.items.labels):,} known items",
                    "mend": f"Did you mean {show(near)}?" if near else "Correct the id",
                }
            ]
        )
    return code


def _history(
    bundle: RecommendBundle, ask: Ask, session: Sequence[int]
) -> tuple[Histories, bool | None]:
    """Return what is known of whom the list is for, and whether the user is known."""
    past, known = bundle.histories, None
    code = None
    if ask.user is not None:
        code = bundle.user_code.get(ask.user)
        known = code is not None
    own = None if code is None else past.take([code])
    if own is not None and not session:
        return own, known
    recent = Histories.sessions([list(session)], past.n_items, now=bundle.latest)
    return (recent if own is None else _joined(own, recent)), known


def _joined(own: Histories, recent: Histories) -> Histories:
    """Return one row: what a user did, and then the session."""
    return Histories(
        n_items=own.n_items,
        start=own.start + recent.start,
        item=np.concatenate([own.item, recent.item]),
        time=np.concatenate([own.time, recent.time]),
        weight=np.concatenate([own.weight, recent.weight]),
        segment=own.segment,
    )


def _allowed(
    bundle: RecommendBundle, ask: Ask, session: Sequence[int]
) -> tuple[NDArray[np.bool_] | None, list[str]]:
    """Return what the question lets through, None for everything, and ids nobody knows."""
    hidden, unknown = _codes(bundle, ask.exclude)
    hidden += session
    if not hidden and ask.only is None and ask.filter is None:
        return None, unknown
    mask = np.ones(len(bundle.items.labels), dtype=np.bool_)
    if ask.only is not None:
        kept, strange = _codes(bundle, ask.only)
        unknown += strange
        mask[:] = False
        mask[kept] = True
    if ask.filter is not None:
        mask &= bundle.rules.mask(ask.filter)
    mask[hidden] = False
    return mask, unknown


def _item(
    bundle: RecommendBundle, made: Made, place: int, why: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    code = int(made.shown.items[place])
    score, expected = float(made.score[place]), float(made.expected[place])
    return {
        "item": str(bundle.items.labels[code]),
        "label": bundle.items.names[code],
        "attributes": {name: values[code] for name, values in bundle.items.shown.items()},
        "score": score if np.isfinite(score) else None,
        "money_if_hit": float(bundle.offer.money[code]),
        "expected_money": expected if np.isfinite(expected) else None,
        "propensity": float(made.shown.propensity[place]),
        "explored": place == made.shown.place,
        "filled": place >= made.n_own and place != made.shown.place,
        **({} if why is None else {"why": why[place]}),
    }


def miss_of(bundle: RecommendBundle) -> float:
    """Return the money of a place that was no hit."""
    node = bundle.decision.payoffs.cell("show", "miss").node
    return float(constant_of(node) or 0.0)


def batch_id(batch: str, user: str) -> str:
    """Return the id of a user's list in a batch: the same batch and user, the same list.

    Examples
    --------
    >>> batch_id("a", "u1") == batch_id("a", "u1"), batch_id("a", "u1") == batch_id("b", "u1")
    (True, False)
    """
    return hashlib.sha256(f"{batch}/{user}".encode()).hexdigest()[:32]


def made_for(bundle: RecommendBundle, ask: Ask, user: int, list_id: str) -> Made:
    """Return a known user's list under the rules of a question that names nobody."""
    allowed, _ = _allowed(bundle, ask, [])
    offer = _offer(bundle, ask)
    history = bundle.histories.take([user])
    return made_of(bundle, history, list_id, k=ask.k, offer=offer, allowed=allowed)


def _offer(bundle: RecommendBundle, ask: Ask) -> Offer:
    """Return what is offered, with the limits of a question."""
    extra = tuple((bundle.rules.codes(c), most) for c, most in ask.at_most.items())
    held = bundle.offer
    return replace(held, at_most=held.at_most + extra) if extra else held
