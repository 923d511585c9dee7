"""Run the demo: fetch real data, then let the installed ``payoff`` decide and write a report."""

from __future__ import annotations

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


def command(data: Path) -> list[str]:
    """Return what a person would type, with the ``payoff`` of this very environment."""
    payoff = Path(sys.executable).with_name("payoff")
    return [str(payoff), "run", str(DECISION), "--data", str(data), "--out", str(OUT)]


def main() -> int:
    """Fetch, run, print how long it took and, on the last line, where the report is."""
    started = time.perf_counter()
    try:
        data = fetch()
    except FetchError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    fetched = time.perf_counter()
    # What is typed in the README, relative to the working folder where that is shorter.
    words = [Path(word).name if word.endswith("/payoff") else word for word in command(data)]
    print("$", " ".join(word.replace(f"{ROOT}/", "") for word in words), flush=True)
    code = subprocess.run(command(data), check=False).returncode
    if code:
        print(f"demo: payoff stopped with exit code {code} (see above).", file=sys.stderr)
        return code
    done = time.perf_counter()
    print(
        f"{done - fetched:.1f} s to decide and report, {fetched - started:.1f} s to fetch the data"
    )
    print(REPORT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
