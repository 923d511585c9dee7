"""Choosing the settings of the next-item model: by each user's last item, and nothing later."""

import numpy as np
import pytest

from payoff.errors import TrainingError
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.sequential import NextItem

FADINGS, RIDGES = ([0.2], [0.5, 0.9], [0.8]), (1.0, 5.0, 25.0)


def walks(seed, users=150, items=20, repeats=False):
    """Walk from item to item, each with two that mostly follow it."""
    rng = np.random.default_rng(seed)
    follow = rng.integers(0, items, (items, 2))
    found = []
    for _ in range(users):
        walk = [int(rng.integers(items))]
        for _ in range(int(rng.integers(0, 9))):
            near = int(follow[walk[-1], rng.integers(2)])
            step = near if rng.random() < 0.7 else int(rng.integers(items))
            if repeats or step not in walk:
                walk.append(step)
        found.append(walk)
    return Histories.sessions(found, items)


def gain(past, fading, ridge, core, exclude):
    """Score by the model itself what `choose` adds up its own way."""
    before, last = past.only(past.back > 0), past.item[past.start[1:] - 1]
    model = NextItem.fit(before, fading=fading, ridge=ridge, core=core)
    lists = model.top(before, past.n_items, exclude=exclude).items
    had = [set(before.item[a:b]) for a, b in zip(before.start, before.start[1:], strict=False)]
    known = set(model.core.tolist())
    gains = []
    for mine, true, shown in zip(had, last, lists, strict=True):
        if not mine & known or true not in known or (exclude == "seen" and true in mine):
            continue
        gains.append(1 / np.log2(2 + shown.tolist().index(true)))
    return np.mean(gains)


@pytest.mark.parametrize("core", [12, 20])
@pytest.mark.parametrize("exclude", ["seen", "nothing"])
@pytest.mark.parametrize("seed", range(4))
def test_choose_takes_what_lists_the_last_item_highest(seed, exclude, core):
    past = walks(seed, repeats=exclude == "nothing")
    chosen = NextItem.choose(past, fadings=FADINGS, ridges=RIDGES, core=core, exclude=exclude)
    middle = [gain(past, f, 5.0, core, exclude) for f in FADINGS]
    best = FADINGS[int(np.argmax(middle))]
    assert chosen["fading"] == tuple(best)
    strengths = [gain(past, best, r, core, exclude) for r in RIDGES]
    assert gain(past, best, chosen["ridge"], core, exclude) == pytest.approx(max(strengths))


def test_choose_finds_a_quick_memory_where_only_the_last_step_counts():
    chosen = NextItem.choose(
        walks(9, users=600, repeats=True), fadings=[[0.95], [0.1]], ridges=[5.0], exclude="nothing"
    )
    assert chosen == {"fading": (0.1,), "ridge": 5.0}


def test_nothing_to_learn_from_gives_the_first_settings():
    alone = Histories.sessions([[0], [], [1]], 2)
    chosen = NextItem.choose(alone, fadings=FADINGS, ridges=RIDGES)
    assert chosen == {"fading": (0.2,), "ridge": 1.0}
    assert NextItem.fit(alone, **chosen).n_items == 2


@pytest.mark.parametrize(
    "settings", [{"fadings": []}, {"ridges": []}, {"fadings": [[1.0]]}, {"ridges": [0.0, 1.0]}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(TrainingError, match="PAY-T008"):
        NextItem.choose(walks(1), **settings)


def test_a_large_catalogue_is_learnt_of_in_part():
    past = Histories.sessions([[0, 1, 2], [1, 2, 39_999]], 40_000)
    with pytest.raises(TrainingError, match="next_item of 5,000 items"):
        NextItem.fit(past, limit=700_000_000)
    assert np.isin([0, 1, 2, 39_999], NextItem.fit(past, core=4).core).all()
