"""Text classifiers beside scikit-learn's plain pipeline, on the same documents in the same run.

PAYOFF_SHARED_DATA=folder python benchmarks/text_models.py [banking77 trec sms_spam]

CPU seconds, not wall time: the machine may be shared. Banking77 and TREC use their official split;
of SMS six times a random 30 % are held out, and the figures are means. Accuracy once as it is, and
once without documents that have a twin among the rows learnt from. Each model runs in a process of
its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

RANDOM, SPLITS = ("sms_spam",), 6
MODELS = ("plain", "tfidf", "tfidf+embeddings")


def calibration_error(prob, outcome, bins=15):
    """Return the mean gap between confidence and accuracy over equal-width bins."""
    top, right = prob.max(axis=1), prob.argmax(axis=1) == outcome
    place = np.minimum((top * bins).astype(int), bins - 1)
    gaps = [abs(top[place == b].sum() - right[place == b].sum()) for b in range(bins)]
    return sum(gaps) / len(top)


def parts(name, split=0):
    """Return texts, outcomes and whether each row tests; ``split`` seeds a random split."""
    table = pq.read_table(Path(os.environ["PAYOFF_SHARED_DATA"]) / "text" / f"{name}.parquet")
    texts = [t or "" for t in table["text"].to_pylist()]
    _, outcome = np.unique(table["label"].to_pylist(), return_inverse=True)
    if "split" in table.column_names:
        return texts, outcome, np.array(table["split"].to_pylist()) == "test"
    return texts, outcome, np.random.default_rng(split).random(len(texts)) < 0.3


def plain(texts, outcome, test):
    """The usual pipeline: words, logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1_000))
    model.fit([t for t, f in zip(texts, test, strict=True) if not f], outcome[~test])
    return model.predict_proba


def payoff_model(name, texts, outcome, test):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from payoff.model.text.training import fit
    from payoff.progress import silent
    from tests.model.making import contract_of, dataset_of, decision_of

    rows = np.flatnonzero(~test)
    table = pa.table({"t": [texts[i] for i in rows]})
    decision = decision_of([f"o{i}" for i in range(outcome.max() + 1)])
    data = dataset_of(table, outcome[rows], decision=decision)
    model = fit(data, contract_of(t="text"), name, seed=0, progress=silent)
    return lambda some: model.predict_table(pa.table({"t": some}))


def one(data, name, split):
    texts, outcome, test = parts(data, split)
    begun = time.process_time()
    predict = (
        plain(texts, outcome, test) if name == "plain" else payoff_model(name, texts, outcome, test)
    )
    fitted = time.process_time()
    asked = [t for t, f in zip(texts, test, strict=True) if f]
    prob = predict(asked)
    done = time.process_time()
    y = outcome[test]
    right = prob.argmax(axis=1) == y
    line = {
        "accuracy": right.mean(),
        "log-loss": -np.log(np.maximum(prob[np.arange(len(y)), y], 1e-12)).mean(),
        "ECE": calibration_error(prob, y),
        "fit CPU s": fitted - begun,
        "served per CPU s": len(y) / (done - fitted),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    from payoff.load.text.twins import twin_groups

    groups = twin_groups(texts)
    alone = ~np.isin(groups[test], groups[~test])
    line |= {
        "n": len(y),
        "without twins n": int(alone.sum()),
        "accuracy there": right[alone].mean(),
    }
    print(json.dumps({k: round(float(v), 4) for k, v in line.items()}))


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "--one":
        one(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    for data in sys.argv[1:] or ("banking77", "trec", "sms_spam"):
        for name in MODELS:
            lines = []
            for split in range(SPLITS if data in RANDOM else 1):
                words = [sys.executable, "-W", "ignore", __file__, "--one", data, name, str(split)]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                lines.append(json.loads(done.stdout))
            means = {k: round(float(np.mean([found[k] for found in lines])), 4) for k in lines[0]}
            print(data, name, json.dumps(means), flush=True)


if __name__ == "__main__":
    main()
