"""Run the demo: fetch real data, then let the installed ``payoff`` decide, judge and answer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from fetch import FetchError, fetch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DECISION = HERE / "decision.toml"
OUT = ROOT / "demo-out" / "bank"
REPORT = OUT / "report.html"
CUSTOMER = {
    "age": 41, "job": "management", "marital": "married", "education": "tertiary",
    "default": "no", "balance": 5200, "housing": "no", "loan": "no", "pdays": 180, "previous": 2,
    "poutcome": "success",
}  # fmt: skip


def command(data: Path) -> list[str]:
    """Return what a person would type, with the ``payoff`` of this very environment."""
    payoff = Path(sys.executable).with_name("payoff")
    words = [str(payoff), "run", str(DECISION), "--data", str(data), "--out", str(OUT)]
    return [*words, "--force"]


def run(words: list[str]) -> int:
    """Show a command as the README writes it, and run it."""
    shown = [Path(word).name if word.endswith("/payoff") else word for word in words]
    print("\n$", " ".join(word.replace(f"{ROOT}/", "") for word in shown), flush=True)
    return subprocess.run(words, check=False).returncode


def main() -> int:
    """Fetch, decide, answer one customer; the last line names the report."""
    started = time.perf_counter()
    try:
        data = fetch()
    except FetchError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    fetched = time.perf_counter()
    print(
        "The decision: which bank customers to call about a term deposit. 45,211 real calls; the "
        "latest judge;\n'duration' is excluded, because it is known only after the call."
    )
    code = run(command(data))
    if code:
        print(f"demo: payoff stopped with exit code {code} (see above).", file=sys.stderr)
        return code
    answer()
    done = time.perf_counter()
    print(f"\n{fetched - started:.0f} s to fetch the data, {done - fetched:.0f} s for the rest.")
    print(REPORT)
    return 0


def answer() -> None:
    """Decide one made-up customer from the bundle, as the server would."""
    from payoff import Bundle

    answered = Bundle.open(OUT).decide([CUSTOMER])[0]
    print("\nOne customer, answered from the bundle:", json.dumps(CUSTOMER))
    money = ", ".join(f"{a} EUR {m:.2f}" for a, m in answered["expected_money"].items())
    chance = answered["probabilities"]["yes"]
    print(f"  -> {answered['action']}  (chance of yes {chance:.0%}; expected money: {money})")


if __name__ == "__main__":
    sys.exit(main())
