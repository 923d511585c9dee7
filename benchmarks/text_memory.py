"""Peak memory of a whole run of a text decision on many documents.

``python benchmarks/text_memory.py [documents] [candidate ...]`` draws documents of 40 words from a
Zipf vocabulary of 50,000 words; a few words of each tell its outcome, one of three. With
PAYOFF_SHARED_DATA=folder the documents are made of the sentences of 23,486 reviews of clothes, as
many as a review has, each from another review of the same outcome, one of two. It prints the peak
of resident memory after each step (Linux: ``ru_maxrss`` in kB). FOLDS=2 is quicker; the last fit,
of all fitting rows, is the same with any number of folds.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import payoff

_WORDS = 50_000
_LENGTH = 40
_TELLING = 60
_OUTCOMES = ("card", "loan", "account")
_SHARED = os.environ.get("PAYOFF_SHARED_DATA")

_DECISION = """
schema_version = 1
[decision]
name = "letters"
kind = "text"
unit = "letter"
currency = "EUR"
do_nothing = "to_card"
[data]
source = "letters.parquet"
text = ["letter"]
outcome = "topic"
[training]
candidates = CANDIDATES
folds = FOLDS
[outcomes]
card = "card"
loan = "loan"
account = "account"
[actions]
to_card = "To the card desk"
to_loan = "To the loan desk"
to_account = "To the account desk"
[payoffs]
to_card = { card = 1, loan = -10, account = -2 }
to_loan = { card = -2, loan = 1, account = -2 }
to_account = { card = -2, loan = -10, account = 1 }
"""


def main(n: int, candidates: list[str]) -> None:
    """Train on ``n`` documents and print the peak after each step."""
    begun, cpu, last = time.perf_counter(), time.process_time(), [""]

    def tell(stage: str, done: int, total: int, note: str = "") -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        now = Path("/proc/self/statm")
        held = int(now.read_text().split()[1]) * 4096 / 2**20 if now.exists() else float("nan")
        line = f"{stage} {done}/{total} {note}"
        if line != last[0]:
            seconds = time.perf_counter() - begun
            print(f"{seconds:7.1f} s  now {held:6.0f}  peak {peak:6.0f} MB  {line}", flush=True)
            last[0] = line

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # By another process, so that what drawing the documents takes is not counted.
        subprocess.run([sys.executable, __file__, "--write", str(n), folder], check=True)
        declared = home / "decision.toml"
        text = _DECISION.replace("CANDIDATES", json.dumps(candidates))
        text = text.replace("FOLDS", os.environ.get("FOLDS", "5"))
        declared.write_text(_of_reviews(text) if _SHARED else text)
        tell("documents written", 0, 1)
        outcome = payoff.run(declared, out=home / "bundle", progress=tell)
    tell("done", 1, 1, f"{time.process_time() - cpu:.1f} CPU-s")
    print(outcome.evidence.verdict["sentence"])


def _of_reviews(text: str) -> str:
    """Return the decision with two outcomes."""
    kept = [line for line in text.splitlines() if not line.startswith(("account", "to_account"))]
    return "\n".join(kept).replace(", account = -2", "")


def _write(path: Path, n: int) -> None:
    rng = np.random.default_rng(7)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(
        ["".join(rng.choice(letters, int(k))) for k in rng.integers(3, 9, _WORDS)], dtype=object
    )
    share = 1.0 / np.arange(1, _WORDS + 1)
    share /= share.sum()
    topic = rng.integers(0, len(_OUTCOMES), n)
    telling = rng.permutation(np.arange(200, 5_000))[: _TELLING * len(_OUTCOMES)].reshape(
        len(_OUTCOMES), _TELLING
    )
    chunks = []
    for first in range(0, n, 10_000):
        some = topic[first : first + 10_000]
        drawn = rng.choice(_WORDS, size=(len(some), _LENGTH), p=share)
        told = rng.random(drawn.shape) < 0.03
        drawn[told] = telling[some][np.nonzero(told)[0], rng.integers(0, _TELLING, told.sum())]
        chunks.append(pa.array([" ".join(row) for row in words[drawn]]))
    table = pa.table(
        {
            "letter": pa.chunked_array(chunks),
            "topic": pa.array(np.array(_OUTCOMES)[topic]),
        }
    )
    pq.write_table(table, path)


def _write_reviews(path: Path, n: int) -> None:
    rng = np.random.default_rng(7)
    table = pq.read_table(Path(str(_SHARED)) / "text" / "womens_clothing_reviews.parquet")
    happy = np.array(table["recommended"].to_pylist())
    reviews = [
        [s for s in re.split(r"(?<=[.!?])\s+", text or "") if s]
        for text in table["review_text"].to_pylist()
    ]
    said = [[s for r, h in zip(reviews, happy, strict=True) if h == k for s in r] for k in (0, 1)]
    texts, topic = [], []
    for i in rng.integers(0, len(reviews), n).tolist():
        own = said[happy[i]]
        texts.append(" ".join(own[j] for j in rng.integers(0, len(own), len(reviews[i]))))
        topic.append(("loan", "card")[happy[i]])
    pq.write_table(pa.table({"letter": texts, "topic": topic}), path)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write = _write_reviews if _SHARED else _write
        write(Path(sys.argv[3]) / "letters.parquet", int(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, sys.argv[2:] or ["tfidf"])
