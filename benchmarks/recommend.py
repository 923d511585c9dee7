"""Recommenders and their measures beside RecTools, implicit and ranx, in one run.

PAYOFF_SHARED_DATA=folder python benchmarks/recommend.py [next ease speed measures answers large]

CPU seconds on one thread, not wall time: the machine may be shared. Peers run in the interpreter
named by PEER_PYTHON (with `pip install rectools implicit ranx`); without it their columns are left
out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from payoff.bundle import ItemTable, Ranker, RecommendBundle, write_lists
from payoff.clusters import cluster_sums
from payoff.declare.file import from_toml
from payoff.errors import TrainingError
from payoff.evidence.interval import mean_money
from payoff.evidence.ranking.accuracy import accuracy
from payoff.model.recommend.als import ImplicitAls
from payoff.model.recommend.blend import Blend
from payoff.model.recommend.content import ContentBased
from payoff.model.recommend.ease import Ease, LowRankEase, fit_ease
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.neighbours import ItemNeighbours
from payoff.model.recommend.popular import BuyAgain, Popular
from payoff.model.recommend.sequential import NextItem
from payoff.policy.listing.policy import ListPolicy, Offer

ALL = ("next", "ease", "speed", "measures", "answers", "large")


def movielens():
    table = pq.read_table(
        Path(os.environ["PAYOFF_SHARED_DATA"]) / "recsys" / "ml1m_interactions.parquet"
    )
    return {name: table[name].to_numpy() for name in table.column_names}


def numbered(*columns):
    return [np.unique(c, return_inverse=True)[1] for c in columns]


def cpu(work):
    start = time.process_time()
    found = work()
    return found, time.process_time() - start


def peer(code, *arrays):
    """Run code in the peers' interpreter with arrays a0, a1, ...; it prints one JSON value."""
    python = os.environ.get("PEER_PYTHON")
    if not python:
        return None
    folder = Path(tempfile.mkdtemp(prefix="payoff-peer-"))
    for j, a in enumerate(arrays):
        np.save(folder / f"a{j}.npy", a)
    head = "import json, time, warnings\nwarnings.simplefilter('ignore')\nimport numpy as np\n"
    head += "".join(f"a{j} = np.load({str(folder / f'a{j}.npy')!r})\n" for j in range(len(arrays)))
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    env |= {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, "-c", head + code], capture_output=True, text=True, check=False, env=env
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:120]
    return json.loads(done.stdout.strip().splitlines()[-1])


def last_out(history, back):
    """Return what came before each user's event number ``back`` from the end, and that item."""
    return history.only(history.back > back), history.item[history.start[1:] - 1 - back]


def quality(model, before, true):
    lists = model.top(before, 10).items
    found = accuracy(lists, np.arange(len(true)), true, n_items=before.n_items, at=[10])
    return {"HR@10": found.mean("hit_rate", 10), "nDCG@10": found.mean("ndcg", 10)}


def run_next():
    """ML-1M, leave last out, all items not seen ranked; settings by the item before the last."""
    data = movielens()
    user, item = numbered(data["user_id"], data["item_id"])
    history = Histories.of(
        user, item, time=data["position"], n_users=user.max() + 1, n_items=item.max() + 1
    )
    before, true = last_out(history, 0)
    chosen, choosing = cpu(lambda: NextItem.choose(before))
    model, fitting = cpu(lambda: NextItem.fit(before, **chosen))
    found, asking = cpu(lambda: quality(model, before, true))
    print(f"next_item, settings {chosen}: {found}")
    print(
        f"CPU-s: choosing {choosing:.1f}, fit {fitting:.1f}, lists and measures {asking:.1f}, "
        f"together {choosing + fitting + asking:.1f}"
    )
    for name, fit in {
        "popular": lambda: Popular.fit(before),
        "item_neighbours": lambda: ItemNeighbours.fit(before),
        "ease": lambda: Ease.fit(before),
        "als": lambda: ImplicitAls.fit(before, rng=0),
    }.items():
        found, seconds = cpu(lambda fit=fit: quality(fit(), before, true))
        print(f"{name}, defaults: {found}, {seconds:.1f} CPU-s")


def run_ease():
    """Anelli's five folds of ML-1M; the ridge by a tenth of the first fold's training pairs."""
    data = movielens()
    core = data["rating_ge4_core10"]
    user, item = numbered(data["user_id"][core], data["item_id"][core])
    n, m = user.max() + 1, item.max() + 1

    def fold(test, train, fit):
        past = Histories.of(user[train], item[train], n_users=n, n_items=m)
        lists = fit(past).top(past, 10).items
        return accuracy(lists, user[test], item[test], n_items=m, at=[10]).mean("ndcg", 10)

    tests = [data[f"anelli_test{j}"][core] for j in range(5)]
    held = np.random.default_rng(0).random(len(user)) < 0.1
    ridge = max(
        (100.0, 200.0, 300.0, 500.0, 800.0),
        key=lambda r: fold(held & ~tests[0], ~held & ~tests[0], lambda p: Ease.fit(p, ridge=r)),
    )
    for name, fit in {
        f"ease, ridge {ridge:g}": lambda p: Ease.fit(p, ridge=ridge),
        f"low_rank_ease, ridge {ridge:g}, rank 256": lambda p: LowRankEase.fit(
            p, rng=0, ridge=ridge, rank=256
        ),
        "als, defaults": lambda p: ImplicitAls.fit(p, rng=0),
        "item_neighbours, defaults": ItemNeighbours.fit,
        "popular": Popular.fit,
    }.items():
        scores = [fold(test, ~test, fit) for test in tests]
        print(f"{name}: nDCG@10 {np.mean(scores):.4f} over folds {np.round(scores, 4).tolist()}")


PEER_FIT = """
import pandas as pd
from scipy.sparse import csr_matrix
from rectools.dataset import Dataset
from rectools.models import EASEModel
import implicit.als
frame = pd.DataFrame({"user_id": a0, "item_id": a1, "weight": 1.0, "datetime": "2020-01-01"})
data = Dataset.construct(frame)
x = csr_matrix((np.ones(len(a0), np.float32), (a0, a1)))
took = {"ease": [], "als": []}
for _ in range(5):
    t = time.process_time(); EASEModel(500.0).fit(data)
    took["ease"].append(time.process_time() - t)
    model = implicit.als.AlternatingLeastSquares(64, iterations=12, num_threads=1, random_state=0)
    t = time.process_time(); model.fit(x, show_progress=False)
    took["als"].append(time.process_time() - t)
print(json.dumps(took))
"""


def compared(what, ours, theirs, peer_name):
    """Print medians of CPU seconds beside those of a peer, and their ratio."""
    line = f"{what}: {np.median(ours):.3f} CPU-s ({min(ours):.3f} to {max(ours):.3f})"
    if isinstance(theirs, list):
        ratio = np.median(theirs) / np.median(ours)
        line += f"; {peer_name} {np.median(theirs):.3f} ({min(theirs):.3f} to {max(theirs):.3f})"
        line += f", {ratio:.2f} times ours"
    print(line, "" if isinstance(theirs, list | None) else theirs)


def run_speed():
    """Fit times on the 3,000 most popular items of ML-1M, medians of five."""
    data = movielens()
    user, item = numbered(data["user_id"], data["item_id"])
    top = np.argsort(-np.bincount(item), kind="stable")[:3_000]
    keep = np.isin(item, top)
    user, item = numbered(user[keep], item[keep])
    past = Histories.of(user, item, n_users=user.max() + 1, n_items=item.max() + 1)
    print(f"{past.n_items:,} items, {len(past):,} users, {len(item):,} pairs")
    ease = [cpu(lambda: Ease.fit(past))[1] for _ in range(5)]
    als = [cpu(lambda: ImplicitAls.fit(past, rng=0))[1] for _ in range(5)]
    theirs = peer(PEER_FIT, user, item)
    of = theirs if isinstance(theirs, dict) else {"ease": theirs, "als": theirs}
    compared("ease", ease, of["ease"], "RecTools")
    compared("als, 64 dimensions, 12 rounds", als, of["als"], "implicit")


PEER_MEASURE = """
import pandas as pd
from ranx import Qrels, Run, evaluate
from rectools.metrics import (
    F1Beta, HitRate, MAP, MRR, NDCG, Precision, Recall, calc_metrics
)
names = ["ndcg", "recall", "precision", "map", "mrr", "hit_rate", "hits", "f1"]
names = [name + "@100" for name in names]
q, r = {}, {}
for u, i in zip(a1.tolist(), a2.tolist()):
    q.setdefault(str(u), {})[str(i)] = 1
for u, l in enumerate(a0.tolist()):
    r[str(u)] = {str(i): 100.0 - j for j, i in enumerate(l)}
q, r = Qrels(q), Run(r)
evaluate(q, r, names)
took = {"ranx": [], "RecTools": []}
for _ in range(5):
    t = time.process_time(); found = evaluate(q, r, names)
    took["ranx"].append(time.process_time() - t)
n, k = a0.shape
reco = pd.DataFrame({"user_id": np.repeat(np.arange(n), k), "item_id": a0.ravel(),
                     "rank": np.tile(np.arange(1, k + 1), n)})
true = pd.DataFrame({"user_id": a1, "item_id": a2})
metrics = {"ndcg": NDCG(k), "recall": Recall(k), "precision": Precision(k), "map": MAP(k),
           "mrr": MRR(k), "hit_rate": HitRate(k), "f1": F1Beta(k)}
for _ in range(5):
    t = time.process_time(); also = calc_metrics(metrics, reco, true)
    took["RecTools"].append(time.process_time() - t)
figures = {"ranx": {n: float(v) for n, v in found.items()},
           "RecTools": {n: float(v) for n, v in also.items()}}
print(json.dumps({"took": took, "figures": figures}))
"""


def run_measures():
    """20,000 users, lists of 100 of 40,000 items, ten pairs each, eight measures; medians of five.

    The peers start from frames and dictionaries made before; payoff from arrays.
    """
    rng, n, m = np.random.default_rng(0), 20_000, 40_000
    lists = np.array([rng.choice(m, 100, replace=False) for _ in range(n)], dtype=np.int32)
    user = np.repeat(np.arange(n), 10)
    item = np.where(rng.random(10 * n) < 0.3, lists[user, rng.integers(0, 100, 10 * n)], 0)
    item = np.where(item == 0, rng.integers(0, m, 10 * n), item)
    user, item = np.divmod(np.unique(user * m + item), m)
    money = rng.gamma(1.0, 10.0, len(user))

    def once():
        return accuracy(lists, user, item, n_items=m, at=[100], value=money)

    def intervals(found):
        return [
            mean_money(cluster_sums(values[:, 0], np.ones(n), None), level=0.95, unit="score")
            for values in found.by_user.values()
        ]

    took = [cpu(once)[1] for _ in range(5)]
    found = once()
    print({name: round(found.mean(name, 100), 6) for name in found.by_user})
    theirs = peer(PEER_MEASURE, lists, user, item)
    of = theirs["took"] if isinstance(theirs, dict) else {"ranx": theirs, "RecTools": theirs}
    for name in ("ranx", "RecTools"):
        compared(f"{len(found.by_user)} measures", took, of[name], name)
        if isinstance(theirs, dict):
            print(name, {k: round(v, 6) for k, v in theirs["figures"][name].items()})
    took = [cpu(lambda: intervals(found))[1] for _ in range(5)]
    compared(f"intervals of {len(found.by_user)} measures over users", took, None, "")


def catalogue(n_users=50_000, n_items=40_000, events=1_000_000):
    """Events of users with a taste for one stretch of a long-tailed catalogue."""
    rng = np.random.default_rng(1)
    user = rng.integers(0, n_users, events)
    rank = np.minimum(n_items * rng.power(0.35, events) ** 1.0, n_items - 1).astype(np.int64)
    item = (rank + (user % 50) * 800) % n_items
    item = np.where(rng.random(events) < 0.5, rank, item)
    return Histories.of(user, item, n_users=n_users, n_items=n_items)


LARGE = {
    "popular": Popular.fit,
    "buy_again": BuyAgain.fit,
    "item_neighbours": ItemNeighbours.fit,
    "low_rank_ease": lambda h: LowRankEase.fit(h, rng=0),
    "low_rank_ease, rank 256": lambda h: LowRankEase.fit(h, rng=0, rank=256),
    "als, 64 dimensions": lambda h: ImplicitAls.fit(h, rng=0),
    "next_item, 5,000 items": lambda h: NextItem.fit(h, core=5_000),
    "blend of two": lambda h: Blend.of([ItemNeighbours.fit(h), Popular.fit(h)], [1.0, 0.2]),
    "content, 60 attributes": lambda h: ContentBased.fit(
        h, np.random.default_rng(2).random((h.n_items, 60)) < 0.05
    ),
}
GIGABYTES_4 = 4_000_000_000


def shop_of(past, folder, name, model):
    """Write and open a bundle as `payoff serve` opens it: 20 places, one list in ten explored."""
    decision = from_toml(
        """
        schema_version = 1
        [decision]
        name = "answers"
        kind = "recommend"
        currency = "EUR"
        volume = 1000
        [interactions]
        user = "user"
        item = "item"
        time = "time"
        value = "value"
        [list]
        length = 20
        explore = 0.1
        [payoffs.show]
        miss = 0
        """
    )
    items = np.array([f"i{j}" for j in range(past.n_items)], dtype=object)
    policies = [
        ListPolicy(name=n, label=n, how="", recommender=n, length=20) for n in (name, "popular")
    ]
    write_lists(
        folder,
        decision=decision,
        ranker=Ranker(policy=policies[0], recommender=model),
        cold=Ranker(policy=policies[1], recommender=Popular.fit(past)),
        histories=past,
        users=np.array([f"u{j}" for j in range(len(past))], dtype=object),
        items=ItemTable(labels=items, attributes=pa.table({"item": pa.array(items, pa.string())})),
        offer=Offer(
            allowed=np.ones(past.n_items, dtype=bool), money=np.linspace(1, 9, past.n_items)
        ),
        dates=False,
        evidence=b"{}",
        made_with={},
    )
    return RecommendBundle.open(folder)


def milliseconds(work, asked):
    took = []
    for one in asked:
        start = time.perf_counter()
        work(one)
        took.append(1e3 * (time.perf_counter() - start))
    return np.percentile(took[20:], [5, 50, 95])


def run_answers():
    """20 of 40,000 items for one user: the whole answer of the server, and the ranking alone.

    The answer is `RecommendBundle.recommend`: policy, a place left to chance in one list of ten,
    propensities, reasons and words. HTTP comes on top.
    """
    past = catalogue()
    users = range(220)
    for name, fit in LARGE.items():
        model = fit(past)
        with tempfile.TemporaryDirectory() as folder:
            bundle = shop_of(past, Path(folder) / "bundle", model.name, model)
            whole = milliseconds(lambda u, b=bundle: b.recommend(user=f"u{u}"), users)
        one = [past.take([u]) for u in users]
        alone = milliseconds(lambda h, m=model: m.top(h, 20), one)
        text = ["median {1:.2f} ms (5 % {0:.2f}, 95 % {2:.2f})".format(*t) for t in (whole, alone)]
        print(f"{name}: answer {text[0]}, ranking alone {text[1]}", flush=True)


def run_large():
    """1,000,000 interactions, 40,000 items: CPU and peak memory, each in a process of its own.

    Fitted, then the 20 best for all 50,000 users. Dense EASE, which needs
    6.7 GB and a quarter of an hour, has to refuse where there are 4 GB.
    """
    for name in [*LARGE, "ease"]:
        done = subprocess.run(
            [sys.executable, __file__, "one", name], capture_output=True, text=True, check=False
        )
        print(done.stdout.strip() or done.stderr.strip().splitlines()[-1], flush=True)


def peak():
    """Return the peak of this process's memory in MB; getrusage would count what it forked from."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def run_one(name):
    past = catalogue()
    if name == "ease":
        try:
            Ease.fit(past, limit=GIGABYTES_4)
        except TrainingError as error:
            print(f"ease, with 4 GB: {error}")
            print("in its place:", fit_ease(past, rng=0, rank=128, limit=GIGABYTES_4).name)
        return
    model, seconds = cpu(lambda: LARGE[name](past))
    fitted = peak()
    rows = np.arange(len(past))
    _, asking = cpu(
        lambda: [model.top(past.take(rows[a : a + 5_000]), 20) for a in range(0, len(rows), 5_000)]
    )
    print(
        f"{name}: fit {seconds:.1f} CPU-s, {len(rows):,} lists of 20 {asking:.1f} CPU-s, "
        f"peak {fitted:,.0f} and {peak():,.0f} MB"
    )


def main():
    if sys.argv[1:2] == ["one"]:
        run_one(sys.argv[2])
        return
    for name in sys.argv[1:] or ALL:
        print(f"\n## {name}: {globals()['run_' + name].__doc__}", flush=True)
        globals()["run_" + name]()


if __name__ == "__main__":
    main()
