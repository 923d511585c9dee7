"""Small corpora with a known answer, and an embedding that needs no file."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from payoff.errors import TrainingError
from tests.model.making import contract_of, dataset_of, decision_of

WORDS = {
    "card": ["card", "lost", "stolen", "plastic", "replacement"],
    "rate": ["exchange", "rate", "currency", "euro", "dollar"],
    "login": ["password", "login", "locked", "account", "reset"],
}
FILLER = ["please", "help", "me", "with", "my", "the", "now", "thanks", "what", "is"]


def corpus(n, seed=0, noise=0.1):
    """Documents of three topics: a few words of the topic among filler; a share of wrong labels."""
    rng = np.random.default_rng(seed)
    topics = list(WORDS)
    y = rng.integers(0, 3, size=n)
    texts = []
    for code in y:
        words = [*rng.choice(WORDS[topics[code]], size=2), *rng.choice(FILLER, size=4)]
        texts.append(" ".join(rng.permutation(words)))
    wrong = rng.random(n) < noise
    y = np.where(wrong, rng.integers(0, 3, size=n), y)
    return texts, y


def data_of(n, seed=0, *, extra=False, names=("card", "rate", "login"), noise=0.1, **more):
    texts, y = corpus(n, seed, noise)
    columns = {"message": texts}
    types = {"message": "text"}
    if extra:
        rng = np.random.default_rng(seed + 1)
        columns["amount"] = rng.normal(size=n) + 3 * (y == 1)
        types["amount"] = "number"
    data = dataset_of(pa.table(columns), y, decision=decision_of(names), **more)
    return data, contract_of(**types)


class Hashed:
    """Words thrown into 64 directions: an embedding as a plug-in would bring it."""

    name = "hashed words"
    width = 64

    def __init__(self):
        self.asked = []

    def embed(self, texts):
        self.asked += texts
        out = np.zeros((len(texts), self.width), dtype=np.float32)
        for i, text in enumerate(texts):
            for word in text.split():
                digest = hashlib.sha256(word.encode()).digest()
                out[i, digest[0] % 64] += 1 if digest[1] % 2 else -1
            out[i] /= max(1.0, np.linalg.norm(out[i]))
        return out

    def files(self):
        raise TrainingError.not_portable(self.name, "it is made by a test")
