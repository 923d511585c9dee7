"""Ten documents per class: payoff beside scikit-learn's plain pipeline and spaCy's text classifier.

PAYOFF_SHARED_DATA=folder python benchmarks/text_few.py [PYTHON_WITH_SPACY]

Banking77: ten training documents of each of the 77 intents, drawn three times, judged on the
official test split. spaCy (a blank English pipeline with ``textcat``, which needs no model file)
runs in an environment of its own, named by its Python; without one it is left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.text_models import calibration_error, parts, plain
from payoff.model.text.embedding import Remembering, minilm
from payoff.model.text.training import fit
from payoff.progress import silent
from tests.model.making import contract_of, dataset_of, decision_of

PER_CLASS, DRAWS, EPOCHS = 10, 3, 40
MODELS = ("plain", "tfidf", "embeddings", "tfidf+embeddings", "spaCy")

SPACY = """
import json, random, sys, time
import spacy
from spacy.training import Example
given = json.load(open(sys.argv[1]))
random.seed(0); spacy.util.fix_random_seed(0)
nlp = spacy.blank("en")
pipe = nlp.add_pipe("textcat")
labels = sorted(set(given["y"]))
for label in labels:
    pipe.add_label(str(label))
begun = time.process_time()
examples = [
    Example.from_dict(nlp.make_doc(t), {"cats": {str(k): float(k == y) for k in labels}})
    for t, y in zip(given["texts"], given["y"])
]
sgd = nlp.begin_training(lambda: examples)
for _ in range(given["epochs"]):
    random.shuffle(examples)
    for batch in spacy.util.minibatch(examples, 32):
        nlp.update(batch, sgd=sgd, drop=0.2)
fitted = time.process_time()
prob = [[d.cats[str(k)] for k in labels] for d in nlp.pipe(given["asked"])]
json.dump({"prob": prob, "fit": fitted - begun}, open(sys.argv[2], "w"))
"""


def draw(outcome, test, seed):
    """Return the places of ten training documents of each class."""
    rng = np.random.default_rng(seed)
    own = [np.flatnonzero(~test & (outcome == k)) for k in range(outcome.max() + 1)]
    return np.sort(np.concatenate([rng.choice(k, PER_CLASS, replace=False) for k in own]))


def by_spacy(python, texts, y, asked):
    """Return probabilities, and CPU seconds of fitting."""
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.json", Path(folder) / "made.json"
        given.write_text(
            json.dumps({"texts": texts, "y": y.tolist(), "asked": asked, "epochs": EPOCHS})
        )
        subprocess.run([python, "-c", SPACY, str(given), str(made)], check=True)
        found = json.loads(made.read_text())
    prob = np.array(found["prob"])
    return prob / prob.sum(axis=1, keepdims=True), found["fit"]


def by_payoff(name, texts, y, asked, embedder):
    """Return probabilities, and CPU seconds of fitting."""
    decision = decision_of([f"o{i}" for i in range(y.max() + 1)])
    data = dataset_of(pa.table({"t": texts}), y, decision=decision)
    begun = time.process_time()
    model = fit(
        data, contract_of(t="text"), name, seed=0, progress=silent,
        embedder=None if name == "tfidf" else embedder,
    )  # fmt: skip
    fitted = time.process_time() - begun
    return model.predict_table(pa.table({"t": asked})), fitted


def main():
    python = sys.argv[1] if len(sys.argv) > 1 else ""
    texts, outcome, test = parts("banking77")
    asked, truth = [t for t, f in zip(texts, test, strict=True) if f], outcome[test]
    embedder = Remembering(inner=minilm())
    for name in MODELS if python else MODELS[:-1]:
        lines = []
        for seed in range(DRAWS):
            rows = draw(outcome, test, seed)
            own, y = [texts[i] for i in rows], outcome[rows]
            if name == "spaCy":
                prob, fitted = by_spacy(python, own, y, asked)
            elif name == "plain":
                begun = time.process_time()
                prob = plain(own, y, np.zeros(len(y), dtype=bool))(asked)
                fitted = time.process_time() - begun
            else:
                prob, fitted = by_payoff(name, own, y, asked, embedder)
            p = np.maximum(prob[np.arange(len(truth)), truth], 1e-12)
            lines.append(
                {
                    "accuracy": (prob.argmax(axis=1) == truth).mean(),
                    "log-loss": -np.log(p).mean(),
                    "ECE": calibration_error(prob, truth),
                    "fit CPU s": fitted,
                }
            )
        mean = {k: round(float(np.mean([line[k] for line in lines])), 4) for k in lines[0]}
        spread = float(np.std([line["accuracy"] for line in lines], ddof=1))
        print(name, json.dumps(mean | {"accuracy sd": round(spread, 4)}), flush=True)


if __name__ == "__main__":
    main()
