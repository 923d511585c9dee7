"""The ridge that EASE takes unless told: grows with the pairs, and is the one it says."""

import numpy as np
import pytest

from payoff.model.recommend.ease import Ease, LowRankEase, fit_ease, usual_ridge
from payoff.model.recommend.histories import Histories

PAST = Histories.sessions([[0, 1, 2], [0, 1, 1], [2, 3], [3]] * 25, 4)  # 200 pairs, not 225


def test_the_usual_ridge_grows_with_the_root_of_the_pairs_up_to_500():
    assert usual_ridge(200) == pytest.approx(8.485281374)
    assert usual_ridge(0) == 1.0
    assert usual_ridge(694_444) == pytest.approx(500, abs=1e-3)
    assert usual_ridge(10**9) == 500.0


@pytest.mark.parametrize(("method", "kind"), [("dense", Ease), ("low_rank", LowRankEase)])
def test_left_out_it_is_the_usual_one(method, kind):
    def scores(ridge):
        model = fit_ease(PAST, rng=0, rank=4, ridge=ridge, method=method)
        assert isinstance(model, kind)
        return model.score(PAST)

    np.testing.assert_allclose(scores(None), scores(8.485281374), rtol=1e-5, atol=1e-6)
    assert not np.allclose(scores(None), scores(20.0))
