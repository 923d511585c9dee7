"""Later interactions join a bundle: its lists are those of one that knew them from the start."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import payoff
from payoff.bundle import Past, Ranker, RecommendBundle, differences, manifest_of, write_lists
from payoff.declare.file import from_toml
from payoff.errors import PayoffError
from payoff.load.interactions.events import Events, Ledger
from payoff.load.interactions.more import join
from payoff.load.interactions.read import read_interactions
from payoff.policy.listing.world import histories_of, offer_of
from payoff.workflow import run
from tests.bad_input.making import assert_well_told
from tests.cli.running import run as command
from tests.load.interactions.making import HEAD, day

REGION = '[[subgroups]]\ncolumn = "region"\n'
MORE = """
[list]
length = 4
repeats = {repeats}
[items]
id = "sku"
source = "items.csv"
from = "since"
until = "until"
[split]
choose_from = "2026-02-15"
judge_from = "2026-03-15"
[training]
candidates = ["ease", "item_neighbours"]
"""
#: The first file ends here; the later one begins a week before.
CUT, BACK = 90, 83


def rows(seed=0, users=70, days=120):
    """Two tastes of ten items; some are bought again, some come back; new users come with time."""
    rng = np.random.default_rng(seed)
    found = []
    for u in range(users):
        first = 0 if u < 60 else 100
        for d in np.sort(rng.choice(np.arange(first, days), 9, replace=False)):
            item = 10 * (u % 2) + int(10 * rng.random() ** 2)
            n = int(rng.integers(1, 4))
            price = 2.0 + item
            found.append((f"u{u}", f"i{item:02d}", int(d), n, price, "ns"[u % 2]))
            if rng.random() < 0.25:
                back = n if rng.random() < 0.5 else 1
                later = int(d) + int(rng.integers(1, 25))
                found.append((f"u{u}", f"i{item:02d}", later, -back, price, "ns"[u % 2]))
    return sorted(found, key=lambda r: r[2])


def table(some):
    who, what, when, n, each, region = zip(*some, strict=True)
    return pa.table(
        {
            "who": who,
            "what": what,
            "day": [day(w) for w in when],
            "n": n,
            "each": each,
            "region": region,
        }
    )


def declared(repeats="true"):
    return from_toml(HEAD + MORE.format(repeats=repeats) + REGION)


@pytest.fixture(scope="module", autouse=True)
def shop(tmp_path_factory):
    """A folder with the catalogue: one item ends, one begins, between the two files."""
    folder = tmp_path_factory.mktemp("shop")
    windows = {"i00": ("", "2026-04-15"), "i11": ("2026-04-10", "")}
    lines = ["sku,brand,since,until"]
    for i in range(20):
        since, until = windows.get(f"i{i:02d}", ("", ""))
        lines.append(f"i{i:02d},b{i % 3},{since or '2025-01-01'},{until or '2030-01-01'}")
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module", params=["true", "false"])
def first(request, shop):
    """The bundle of the rows until the cut, its declaration, and all rows."""
    decision, every = declared(request.param), rows()
    folder = shop / f"first-{request.param}"
    run(decision, table([r for r in every if r[2] < CUT]), out=folder)
    return folder, decision, every


def lists(folder):
    """Return what each user is shown, with what a hit is expected to earn."""
    bundle = RecommendBundle.open(folder)
    return {
        str(user): [
            (one["item"], one["score"], one["money_if_hit"])
            for one in bundle.recommend(user=str(user), explain=False)["items"]
        ]
        for user in bundle.users
    }


def from_the_start(folder, decision, every, out):
    """Return the bundle of the same models whose histories held all rows from the start."""
    data = read_interactions(decision, data=table(every))
    known = data.known(np.ones(len(data.events), dtype=bool))
    old = RecommendBundle.open(folder)
    return write_lists(
        out,
        decision=decision,
        ranker=old.ranker,
        cold=old.cold,
        histories=histories_of(data, known),
        users=data.users.labels,
        items=old.items,
        offer=offer_of(data, known, float(known.time.max())),
        dates=True,
        segments=old.segments,
        evidence=b"{}",
        made_with={},
    )


@pytest.mark.parametrize("begin", [BACK, CUT])
def test_lists_are_those_of_a_bundle_that_knew_from_the_start(first, begin, tmp_path):
    folder, decision, every = first
    later = [r for r in every if r[2] >= begin]
    found = payoff.update(folder, table(later), tmp_path / "b")
    want = lists(from_the_start(folder, decision, every, tmp_path / "whole"))
    assert lists(found.folder) == want
    assert want != lists(folder)
    assert {f"u{n}" for n in range(60, 70)} <= set(want)
    bundle = RecommendBundle.open(found.folder)
    whole = RecommendBundle.open(tmp_path / "whole")
    np.testing.assert_array_equal(bundle.offer.allowed, whole.offer.allowed)
    assert not bundle.offer.allowed[0]
    assert bundle.offer.allowed[11]
    new = {str(u): int(bundle.histories.segment[j]) for j, u in enumerate(bundle.users)}
    assert {bundle.segments[new["u68"]], bundle.segments[new["u69"]]} == {"n", "s"}
    overlap = len({r[:3] for r in every if begin <= r[2] < CUT and r[3] > 0})
    assert found.added["purchases"]["known"] + found.added["purchases"]["changed"] == overlap
    assert found.added["new_users"] == 10


def test_the_same_update_gives_the_same_id_and_another_one(first, tmp_path):
    folder, _, every = first
    later = table([r for r in every if r[2] >= BACK])
    one, two = (payoff.update(folder, later, tmp_path / n).bundle_id for n in "ab")
    assert one == two
    assert one != RecommendBundle.open(folder).id
    again = payoff.update(tmp_path / "a", later, tmp_path / "c")
    assert not again.changed
    assert again.bundle_id == one
    assert again.added["purchases"]["new"] == again.added["cancellations"]["new"] == 0


def test_day_by_day_is_as_at_once(first, tmp_path):
    folder, decision, every = first
    at = folder
    for j, (low, high) in enumerate([(CUT, 100), (97, 110), (110, 200)]):
        some = table([r for r in every if low <= r[2] < high])
        at = payoff.update(at, some, tmp_path / f"{j}").folder
    assert lists(at) == lists(from_the_start(folder, decision, every, tmp_path / "whole"))
    found = RecommendBundle.open(at)
    assert len(found.updates) == 3
    assert found.evidence_until == RecommendBundle.open(folder).histories_until
    assert found.evidence_until < found.histories_until
    assert differences(at, manifest_of(at)) == []


def test_models_evidence_and_pages_stay(first, tmp_path):
    folder, _, every = first
    found = payoff.update(folder, table([r for r in every if r[2] >= BACK]), tmp_path / "b")
    for name in ("evidence.json", "decision.toml", "model/recommender.json"):
        assert (found.folder / name).read_bytes() == (folder / name).read_bytes()
    assert found.bundle_id in (found.folder / "decision-record.md").read_text()


def test_a_single_row_of_a_new_user_and_what_no_list_can_hold(first, tmp_path):
    folder, _, _ = first
    found = payoff.update(folder, table([("new", "i05", 95, 1, 7.0, "n")]), tmp_path / "a")
    assert found.added["new_users"] == 1
    assert RecommendBundle.open(found.folder).recommend(user="new")["known"] is True
    strange = [("u1", "zz", 95, 1, 1.0, "n"), ("u2", "zz", 96, 1, 1.0, "n")]
    strange += [("other", "yy", 96, 1, 1.0, "n"), ("u1", "i01", 97, 0, 1.0, "n")]
    found = payoff.update(folder, table(strange), tmp_path / "b")
    assert found.added["new_items"] == {"n": 2, "rows": 3, "items": ["zz", "yy"]}
    assert found.added["new_users"] == 0
    assert found.added["left_out"] == {"no_quantity": 1}
    assert not found.changed
    assert found.bundle_id == RecommendBundle.open(folder).id


def test_what_is_taken_back_leaves_the_history(first, tmp_path):
    folder, _, _ = first
    bought = [("new", "i05", 91, 3, 7.0, "n"), ("new", "i07", 92, 1, 9.0, "n")]
    one = payoff.update(folder, table(bought), tmp_path / "a").folder
    two = payoff.update(one, table([("new", "i05", 93, -1, 7.0, "n")]), tmp_path / "b").folder
    gone = [("new", "i05", 93, -1, 7.0, "n"), ("new", "i05", 94, -2, 7.0, "n")]
    last = payoff.update(two, table(gone), tmp_path / "c")
    had = {}
    for name, at in (("a", one), ("b", two), ("c", last.folder)):
        bundle = RecommendBundle.open(at)
        had[name] = bundle.histories.take([bundle.user_code["new"]]).item.tolist()
    assert had == {"a": [5, 7], "b": [5, 7], "c": [7]}
    assert last.added["cancellations"] == {"new": 1, "known": 1}


def test_files_that_do_not_fit_are_refused(first, tmp_path):
    folder, _, _ = first
    good = table([("u1", "i05", 95, 1, 7.0, "n")])
    numbers = good.set_column(2, "day", pa.array([7]))
    for data, code in (
        (good.drop_columns(["who"]), "PAY-L004"),
        (numbers, "PAY-L006"),
        (good.slice(0, 0), "PAY-L003"),
        (tmp_path / "none.parquet", "PAY-L001"),
    ):
        with pytest.raises(PayoffError) as caught:
            payoff.update(folder, data, tmp_path / "b")
        assert_well_told(caught.value, code)
        assert not (tmp_path / "b").exists()
    with pytest.raises(PayoffError) as caught:
        payoff.update(folder, good, folder)
    assert_well_told(caught.value, "PAY-B006")


def test_a_bundle_without_a_ledger_is_refused(first, tmp_path):
    folder, decision, every = first
    whole = from_the_start(folder, decision, every, tmp_path / "whole")
    with pytest.raises(PayoffError) as caught:
        payoff.update(whole, table(every), tmp_path / "b")
    assert_well_told(caught.value, "PAY-B005")


def test_in_a_terminal(first, tmp_path, capsys):
    folder, _, every = first
    file = tmp_path / "later.parquet"
    strange = [("u1", "zz", 95, 1, 1.0, "n")]
    pq.write_table(table([r for r in every if r[2] >= BACK] + strange), file)
    words = ["update", folder, "--interactions", file, "-o"]
    ran = command(capsys, *words, tmp_path / "b", "-q")
    said = " ".join(ran.out.split())
    assert "10 new users." in said
    assert "1 item in 1 row not known to the bundle and left out: 'zz'." in said
    assert "The evidence stays as it was judged." in said
    made = command(capsys, *words, tmp_path / "c", "--json").json
    assert made["bundle_id"] == RecommendBundle.open(tmp_path / "b").id
    assert made["new_items"]["n"] == 1
    ran = command(capsys, "verify", tmp_path / "b")
    assert "1 update" in ran.out
    assert "Judged on interactions until" in ran.out
    ran = command(capsys, "update", tmp_path / "b", "--interactions", file, "-o", tmp_path / "d")
    assert "Nothing new" in ran.out


def events(*some):
    columns = zip(*some, strict=True) if some else [[]] * 4
    user, item, time, quantity = (np.array(c, dtype=np.float64) for c in columns)
    return Events(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        time=time,
        quantity=quantity,
        value=2 * quantity,
        margin=0 * quantity,
    )


def test_joining_by_hand():
    old = Ledger(purchases=events((0, 0, 1, 1), (0, 1, 5, 2)), cancellations=events((0, 1, 6, 1)))
    new = Ledger(
        purchases=events((1, 0, 0, 1), (0, 0, 1, 1), (0, 1, 5, 3)),
        cancellations=events((0, 1, 6, 1), (0, 1, 6, 2)),
    )
    found = join(old, new, 2)
    assert found.purchases == {"new": 1, "known": 1, "changed": 1}
    assert found.cancellations == {"new": 1, "known": 1}
    got = found.ledger.purchases
    assert [*zip(got.user, got.item, got.time, got.quantity, strict=True)] == [
        (1, 0, 0, 1),
        (0, 0, 1, 1),
        (0, 1, 5, 3),
    ]
    empty = Ledger(purchases=events(), cancellations=events())
    assert join(empty, new, 2).purchases == {"new": 3, "known": 0, "changed": 0}
    assert len(join(old, empty, 2).ledger.purchases) == 2


def test_a_ledger_comes_back(first, tmp_path):
    past = RecommendBundle.open(first[0]).past()
    for name, content in past.files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    again = Past.read(tmp_path)
    assert len(again.windows) == 1
    for one, two in zip(
        (past.ledger.purchases, past.ledger.cancellations, *past.windows),
        (again.ledger.purchases, again.ledger.cancellations, *again.windows),
        strict=True,
    ):
        for spec in dataclasses.fields(one):
            np.testing.assert_array_equal(getattr(one, spec.name), getattr(two, spec.name))
    assert isinstance(RecommendBundle.open(first[0]).ranker, Ranker)
