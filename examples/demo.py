"""Run the demo: fetch real data, then let the installed ``payoff`` decide, judge and answer.

Three decisions: which bank customers to call, from a table; which tweets to an airline an agent
should answer, from their text; and what to show in a household's leaflet, from what it bought.
Usage: ``python examples/demo.py [bank] [airline] [grocery]``
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetch import SOURCES, FetchError, fetch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "demo-out"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A decision of the demo.

    Parameters
    ----------
    folder
        Where its decision file is.
    about
        What is decided, said before anything runs.
    asked
        Made-up units, decided from the bundle as the server would; for lists, baskets of visitors.
    """

    folder: Path
    about: str
    asked: Sequence[Mapping[str, Any]]


EXAMPLES = {
    "bank": Example(
        folder=HERE / "tabular" / "bank",
        about=(
            "The decision: which bank customers to call about a term deposit. 45,211 real calls; "
            "the latest judge;\n'duration' is excluded, because it is known only after the call."
        ),
        asked=[{
            "age": 41, "job": "management", "marital": "married", "education": "tertiary",
            "default": "no", "balance": 5200, "housing": "no", "loan": "no", "pdays": 180,
            "previous": 2, "poutcome": "success",
        }],
    ),
    "airline": Example(
        folder=HERE / "text" / "airline",
        about=(
            "The decision: which tweets to an airline an agent should answer. 14,638 real tweets; "
            "without a person\nreading first, at most one in ten may be sorted wrongly."
        ),
        asked=[
            {"airline": "United", "text": "@united three hours on hold and my bag is still lost"},
            {"airline": "JetBlue", "text": "@JetBlue thank you, best crew ever!"},
            {
                "airline": "Southwest",
                "text": "@SouthwestAir well done. I love sleeping on the floor of the airport.",
            },
        ],
    ),
    "grocery": Example(
        folder=HERE / "recommend" / "grocery",
        about=(
            "The decision: which ten types of product to show in a household's monthly leaflet. "
            "801 households,\n352,098 purchases of half a year; December judges."
        ),
        asked=[{"basket": ["BABY DIAPERS", "BABY FOOD - BEGINNER"]}, {"basket": []}],
    ),
}  # fmt: skip


def command(name: str, data: Path) -> list[str]:
    """Return what a person would type, with the ``payoff`` of this very environment."""
    payoff = Path(sys.executable).with_name("payoff")
    decision = EXAMPLES[name].folder / "decision.toml"
    words = [str(payoff), "run", str(decision), "--data", str(data), "--out", str(OUT / name)]
    return [*words, "--force"]


def run(words: list[str]) -> int:
    """Show a command as the README writes it, and run it."""
    shown = [Path(word).name if word.endswith("/payoff") else word for word in words]
    print("\n$", " ".join(word.replace(f"{ROOT}/", "") for word in shown), flush=True)
    return subprocess.run(words, check=False).returncode


def answer(name: str) -> None:
    """Decide the made-up units from the bundle."""
    if name == "grocery":
        show_lists(name)
        return
    from payoff import Bundle

    bundle = Bundle.open(OUT / name)
    print("\nAnswered from the bundle:")
    for unit, answered in zip(
        EXAMPLES[name].asked, bundle.decide(EXAMPLES[name].asked), strict=True
    ):
        chances = ", ".join(f"{o} {p:.0%}" for o, p in answered["probabilities"].items())
        money = ", ".join(f"{a} {m:.2f}" for a, m in answered["expected_money"].items())
        print(f"  {json.dumps(unit, ensure_ascii=False)}")
        print(f"  -> {answered['action']}  (chances: {chances}; expected money: {money})")


def show_lists(name: str) -> None:
    """List what a visitor with a basket, and one without, would be shown."""
    from payoff.bundle import RecommendBundle
    from payoff.model.recommend.histories import Histories

    bundle = RecommendBundle.open(OUT / name)
    print("\nAnswered from the bundle:")
    for unit in EXAMPLES[name].asked:
        basket = [bundle.items.code[item] for item in unit["basket"]]
        asked = Histories.sessions([basket], len(bundle.items.labels), now=bundle.histories.latest)
        ranker = bundle.ranker if basket else bundle.cold
        lists = ranker.policy.lists(ranker.recommender, asked, bundle.offer, k=5)
        print(f"  {json.dumps(unit)}")
        print(f"  -> {', '.join(bundle.items.names[i] for i in lists.items[0] if i >= 0)}")


def main(arguments: list[str] | None = None) -> int:
    """Fetch, decide, answer; the last lines name the reports."""
    parser = argparse.ArgumentParser(description="Fetch real data, decide, and write reports.")
    parser.add_argument("examples", nargs="*", metavar="bank|airline|grocery", help="default: all")
    names = parser.parse_args(arguments).examples or list(EXAMPLES)
    for name in names:
        if name not in EXAMPLES:
            parser.error(f"no example is called {name!r}; there are {', '.join(EXAMPLES)}")
    started = time.perf_counter()
    try:
        data = {name: fetch(SOURCES[name]) for name in names}
    except FetchError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    fetched = time.perf_counter()
    for name in names:
        print(f"\n{EXAMPLES[name].about}")
        code = run(command(name, data[name]))
        if code:
            print(f"demo: payoff stopped with exit code {code} (see above).", file=sys.stderr)
            return code
        answer(name)
    done = time.perf_counter()
    print(f"\n{fetched - started:.0f} s to fetch the data, {done - fetched:.0f} s for the rest.")
    for name in names:
        print(OUT / name / "report.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
