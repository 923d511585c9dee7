# ruff: noqa: F811  (a fixture's name is also an argument)
"""A bundle that recommends: what was written comes back, to the last bit, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from payoff.bundle import Bundle, Ranker, RecommendBundle, differences, manifest_of, opened
from payoff.errors import BundleError
from tests import shops
from tests.bad_input.making import assert_well_told
from tests.trained import trained  # noqa: F401  (a fixture)


@pytest.fixture(params=sorted(shops.FITS))
def name(request):
    return request.param


def test_lists_come_back_to_the_last_bit(name, tmp_path):
    past = shops.histories()
    model, made = shops.FITS[name](past), shops.policy(name)
    before = made.lists(model, past, shops.offer())
    found = RecommendBundle.open(shops.bundle_of(tmp_path / "b", name))
    again = found.ranker.policy.lists(found.ranker.recommender, found.histories, found.offer)
    assert (before.items >= 0).any()
    np.testing.assert_array_equal(before.items, again.items)
    np.testing.assert_array_equal(before.scores, again.scores)


def test_everything_comes_back(tmp_path):
    limits = ((np.arange(shops.N_ITEMS, dtype=np.int32) % 4, 2),)
    folder = shops.bundle_of(
        tmp_path / "b", offer=shops.offer(at_most=limits), updates=[{"events": 3}]
    )
    found = RecommendBundle.open(folder)
    past = shops.histories()
    for array in ("start", "item", "time", "weight", "segment"):
        np.testing.assert_array_equal(getattr(past, array), getattr(found.histories, array))
    assert found.users.tolist() == shops.users().tolist()
    assert found.items.labels.tolist() == shops.items().labels.tolist()
    assert found.items.attributes.column_names == ["sku", "name", "brand", "price"]
    assert set(found.left_out) == {"story", "tags"}
    assert found.items.names[:2] == ["i0", "Thing 1"]
    assert found.items.shown["price"][5] == 5.0
    assert found.offer.at_most[0][1] == 2
    np.testing.assert_array_equal(found.offer.at_most[0][0], limits[0][0])
    np.testing.assert_array_equal(found.offer.money, shops.offer().money)
    assert (found.dates, found.segments) == (True, ("north", "south"))
    assert [dict(u) for u in found.updates] == [{"events": 3}]
    assert found.ranker.policy == shops.policy("ease")
    assert found.cold.policy.baseline
    assert found.decision == shops.decision()
    assert differences(folder, manifest_of(folder)) == []


def test_equal_contents_have_equal_ids(tmp_path):
    one, two = (RecommendBundle.open(shops.bundle_of(tmp_path / n)).id for n in "ab")
    assert one == two
    assert RecommendBundle.open(shops.bundle_of(tmp_path / "c", dates=False)).id != one


def test_a_policy_that_shows_nothing_needs_no_recommender(tmp_path):
    nothing = Ranker(policy=shops.policy("do_nothing"), recommender=None)
    found = RecommendBundle.open(shops.bundle_of(tmp_path / "b", ranker=nothing))
    assert found.ranker.recommender is None


def test_a_changed_byte_is_told(tmp_path):
    folder = shops.bundle_of(tmp_path / "b")
    file = folder / "histories" / "item.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(BundleError) as caught:
        RecommendBundle.open(folder)
    assert_well_told(caught.value, "PAY-B002")


def test_nothing_in_it_is_code(tmp_path):
    folder = shops.bundle_of(tmp_path / "b", "blend")
    names = {f.suffix for f in folder.rglob("*") if f.is_file()}
    assert names == {".toml", ".json", ".npy", ".arrow"}
    for file in folder.rglob("*.npy"):
        assert np.load(file, allow_pickle=False).dtype.kind in "biuf"


def test_each_kind_is_opened_as_what_it_is(tmp_path, trained):
    folder = shops.bundle_of(tmp_path / "b")
    assert isinstance(opened(folder), RecommendBundle)
    assert isinstance(opened(trained), Bundle)
    for kind, path in ((Bundle, folder), (RecommendBundle, trained)):
        with pytest.raises(BundleError) as caught:
            kind.open(path)
        assert_well_told(caught.value, "PAY-B008")
