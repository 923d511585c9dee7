"""Reading documents: each step in documents per CPU-second, beside its peers on the same rows.

    PAYOFF_SHARED_DATA=... python benchmarks/text.py

Limit: 10,000 short documents (Banking77: 58 characters) per CPU-second for each step. Peers are
optional: PEER_PYTHON names an interpreter that has datasketch, langdetect, ftfy and
presidio-analyzer (pip install datasketch langdetect ftfy presidio-analyzer); each is run once, on
the first rows only, as many as it can do in some seconds. Medians of five.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

RUNS = 5
LIMIT = 10_000
SETS = {
    "banking77": "text",
    "trec": "text",
    "sms_spam": "text",
    "davidson_tweets": "text",
    "womens_clothing_reviews": "review_text",
    "cfpb_small": "text",
}
PEERS = r"""
import json, sys, time
texts = json.load(sys.stdin)
found = {}
def timed(name, n, work):
    some = texts[:n]
    work(some[:20])
    started = time.process_time()
    hits = work(some)
    found[name] = {"per_cpu_second": len(some) / (time.process_time() - started), "hits": hits}
try:
    import ftfy
    timed("ftfy.fix_text", 3000, lambda t: sum(ftfy.fix_text(x) != x for x in t))
except ImportError: pass
try:
    from datasketch import MinHash, MinHashLSH
    def near(t):
        index = MinHashLSH(threshold=.8, num_perm=128)
        pairs = 0
        for k, x in enumerate(t):
            x = f" {x.lower()} "
            m = MinHash(num_perm=128)
            m.update_batch([x[i:i + 4].encode() for i in range(max(len(x) - 3, 1))])
            pairs += len(index.query(m))
            index.insert(k, m)
        return pairs
    timed("datasketch MinHashLSH", 3000, near)
except ImportError: pass
try:
    import langdetect
    def detect(t):
        n = 0
        for x in t:
            try: n += langdetect.detect(x) == "en"
            except langdetect.LangDetectException: pass
        return n
    timed("langdetect", 300, detect)
except ImportError: pass
try:
    from presidio_analyzer import predefined_recognizers as pr
    every = [r() for r in (pr.CreditCardRecognizer, pr.EmailRecognizer, pr.IbanRecognizer,
        pr.IpRecognizer, pr.PhoneRecognizer, pr.UrlRecognizer, pr.UsSsnRecognizer,
        pr.UsBankRecognizer, pr.UsPassportRecognizer, pr.UsLicenseRecognizer,
        pr.UsItinRecognizer, pr.NhsRecognizer)]
    def scan(t):
        return sum(len(r.analyze(x, r.supported_entities, None)) for x in t for r in every)
    timed("presidio, patterns only", 1000, scan)
except (ImportError, AttributeError) as e: found["presidio"] = str(e)
print(json.dumps(found))
"""


def rate(work: Callable[[], object], n: int) -> float:
    """Return documents per CPU-second, median of the runs after one that warms up."""
    work()
    seconds = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return n / statistics.median(seconds)


def main() -> None:
    from payoff.load.text.clean import clean
    from payoff.load.text.language import languages
    from payoff.load.text.personal import find, redact
    from payoff.load.text.twins import twin_groups

    folder = Path(os.environ["PAYOFF_SHARED_DATA"]) / "text"
    figures: dict[str, dict[str, float]] = {}
    met = True
    for name, column in SETS.items():
        raw = [t or "" for t in pq.read_table(folder / f"{name}.parquet")[column].to_pylist()]
        texts = clean(raw)
        few = texts[:4000]
        figures[name] = {
            "documents": len(raw),
            "characters": statistics.mean(map(len, texts)),
            "clean": rate(lambda raw=raw: clean(raw), len(raw)),
            "redact": rate(lambda texts=texts: [redact(t) for t in texts], len(texts)),
            "twins": rate(lambda texts=texts: twin_groups(texts), len(texts)),
            "languages": rate(lambda few=few: languages(few), len(few)),
            **{
                f"found: {kind}": n
                for kind, n in Counter(f.kind for t in texts for f in find(t)).items()
            },
        }
        if name == "banking77":
            met = min(figures[name][k] for k in ("clean", "redact", "twins", "languages")) >= LIMIT
            figures["peers on banking77"] = peers(texts)
    print(json.dumps(figures, indent=1, default=float))
    print(
        f"limit ({LIMIT:,} short documents per CPU-second, each step):", "met" if met else "NOT met"
    )


def peers(texts: list[str]) -> dict[str, dict[str, float]]:
    done = subprocess.run(
        [os.environ.get("PEER_PYTHON", sys.executable), "-c", PEERS],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else {"failed": {"why": 0.0}}


if __name__ == "__main__":
    main()
