"""How well documents of topics that nobody declared are told from those that belong.

PAYOFF_SHARED_DATA=folder python benchmarks/strangers.py [rounds]

Banking77: in each round ten of its 77 intents, drawn by seed, are left out of learning. The model
and the references are learnt on the official training rows of the others, less a fifth that sets
the threshold (2 % of documents that belong); asked are the official test rows of all 77, and
questions of TREC, which have nothing to do with banks. Reported are the area under the curve, the
share of strangers below the threshold, and the share of those that belong below it; each by
familiarity and by the largest probability alone. Times are without what an embedding takes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

from payoff.model.text.familiar import threshold_for
from payoff.model.text.training import fit
from payoff.progress import silent
from tests.model.making import contract_of, dataset_of, decision_of

LEFT_OUT = 10
SHARE = 0.02


def other_world() -> list[str]:
    """Questions about the world at large (TREC's official test part)."""
    table = pq.read_table(Path(os.environ["PAYOFF_SHARED_DATA"]) / "text" / "trec.parquet")
    pairs = zip(table["text"].to_pylist(), table["split"].to_pylist(), strict=True)
    return [text for text, split in pairs if split == "test"]


def one(name: str, seed: int) -> dict[str, float]:
    """Leave ten intents out and look for them."""
    table = pq.read_table(Path(os.environ["PAYOFF_SHARED_DATA"]) / "text" / "banking77.parquet")
    texts = np.array(table["text"].to_pylist(), dtype=object)
    labels, code = np.unique(table["label"].to_pylist(), return_inverse=True)
    test = np.array(table["split"].to_pylist()) == "test"
    rng = np.random.default_rng(seed)
    strange = np.isin(code, rng.choice(len(labels), LEFT_OUT, replace=False))
    setting = ~test & ~strange & (rng.random(len(code)) < 0.2)
    learning = ~test & ~strange & ~setting
    kept, outcome = np.unique(code[learning], return_inverse=True)
    decision = decision_of([f"o{i}" for i in range(len(kept))])
    data = dataset_of(pa.table({"t": texts[learning].tolist()}), outcome, decision=decision)
    model = fit(data, contract_of(t="text"), name, seed=0, progress=silent)

    def asked(rows):
        return model.read_table(pa.table({"t": texts[rows].tolist()}), familiar=True)

    own = asked(setting)
    even = np.ones(len(own.prob))
    threshold = threshold_for(own.familiar, even, SHARE)
    surest = threshold_for(own.prob.max(axis=1), even, SHARE)
    far = model.read_table(pa.table({"t": other_world()}), familiar=True)
    asked(test)  # so that embeddings are made before the clock runs
    begun = time.process_time()
    found = asked(test)
    took = time.process_time() - begun
    begun = time.process_time()
    model.predict_table(pa.table({"t": texts[test].tolist()}))
    plain = time.process_time() - begun
    hidden = strange[test]
    top = found.prob.max(axis=1)
    return {
        "AUROC": roc_auc_score(hidden, -found.familiar),
        "AUROC of the largest probability": roc_auc_score(hidden, -found.prob.max(axis=1)),
        "caught": float(np.mean(found.familiar[hidden] < threshold)),
        "caught by the largest probability": float(np.mean(top[hidden] < surest)),
        "caught of another world": float(np.mean(far.familiar < threshold)),
        "by the largest probability": float(np.mean(far.prob.max(axis=1) < surest)),
        "of those that belong": float(np.mean(found.familiar[~hidden] < threshold)),
        "CPU ms per document": 1000 * took / test.sum(),
        "without familiarity": 1000 * plain / test.sum(),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name in sys.argv[2:] or ("tfidf", "tfidf+embeddings"):
        found = [one(name, seed) for seed in range(rounds)]
        for key in found[0]:
            values = [f[key] for f in found]
            print(f"{name}: {key} {np.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})")


if __name__ == "__main__":
    main()
