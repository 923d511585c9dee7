"""Short documents scored in batch, end to end, per CPU-second.

    PAYOFF_SHARED_DATA=... python benchmarks/text_score.py BUNDLE [documents]

Makes a light bundle of Banking77 where there is none yet (77 desks and a person, automation at 5 %
of errors, themes, strangers told by familiarity), then measures `payoff score` without starting
Python (read, clean, redact, probabilities, familiarity, theme, money, decision, Parquet) and
`Bundle.decide`. Best of three, because others share the machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import payoff
from payoff.bundle import Bundle
from payoff.workflow.scored_batches import score_file

_HEAD = """
schema_version = 1
[decision]
name = "routing"
kind = "text"
unit = "question"
currency = "EUR"
do_nothing = "read"
[data]
outcome = "label"
text = ["text"]
[training]
candidates = ["tfidf"]
folds = 3
[automation]
max_error = 0.05
[actions.read]
label = "Let a clerk read it"
review = { cost = 2, errors = 0.03 }
"""


def main(bundle: Path, n: int) -> None:
    """Print documents per CPU-second."""
    source = Path(os.environ["PAYOFF_SHARED_DATA"]) / "text" / "banking77.parquet"
    whole = pq.read_table(source)
    if not bundle.exists():
        learnt = whole.filter(pc.equal(whole["split"], "train")).drop_columns(["split"])
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "decision.toml"
            file.write_text(declared(sorted(set(whole["label"].to_pylist()))))
            payoff.run(file, data=learnt, out=bundle)
    asked = whole.select(["text", "split"])
    asked = pa.concat_tables([asked] * (n // len(asked) + 1)).slice(0, n)
    opened = Bundle.open(bundle)
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "rows.parquet", Path(folder) / "out.parquet"
        pq.write_table(asked, rows)
        told("payoff score", n, lambda: score_file(opened, rows, out, force=True))
    few = asked.slice(0, 5_000).to_pylist()
    told("Bundle.decide, 1,000 at a time", len(few), lambda: decide(opened, few))


def declared(labels: list[str]) -> str:
    """Return the decision file: the right desk earns 1, another loses 5."""
    names = [label.lower().replace("?", "") for label in labels]
    lines = [_HEAD, *(f'[actions.to_{n}]\nlabel = "{n}"' for n in names), "[outcomes]"]
    lines += [f'{n} = "{label}"' for n, label in zip(names, labels, strict=True)]
    for desk in names:
        lines.append(f"[payoffs.to_{desk}]")
        lines += [f"{n} = {1 if n == desk else -5}" for n in names]
    return "\n".join(lines)


def decide(bundle: Bundle, rows: list[dict[str, object]]) -> None:
    for first in range(0, len(rows), 1_000):
        bundle.decide(rows[first : first + 1_000])


def told(what: str, n: int, work: Callable[[], object]) -> None:
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    print(f"{what}: {n:,} documents, {n / min(seconds):,.0f} per CPU-second", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50_000)
