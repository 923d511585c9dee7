"""Figures as SQL: written from a bundle, and run on a table beside what the evidence says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from payoff.columns import SCORED_ACTION, SCORED_PART
from payoff.declare import Decision
from payoff.declare.file import load
from payoff.engine.duckdb_engine import DuckDB
from payoff.errors import BundleError, EvidenceError
from payoff.evidence import sql
from payoff.evidence.evidence import Estimate, Evidence
from payoff.evidence.figures_sql import FIGURES, Statements
from payoff.load.source import files_of, fingerprint_of

__all__ = ["Match", "figures_of", "other_rows", "run", "statements"]

_FILES: Final = (".parquet", ".pq", ".csv", ".tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One number twice: from SQL, and in the evidence.

    Parameters
    ----------
    figure, row, name
        Such as ``"policies"``, ``"expected"``, ``"value"``.
    found, evidence
        The two numbers.
    scale
        The largest such number of the figure: what a sum may lose its last digits against.
    """

    figure: str
    row: str
    name: str
    found: float | None
    evidence: float | None
    scale: float = 1.0

    @property
    def apart(self) -> float:
        """Difference relative to the scale; infinite where only one of them is a number."""
        if self.found is None or self.evidence is None:
            return 0.0 if self.found is self.evidence else math.inf
        return abs(self.found - self.evidence) / max(self.scale, abs(self.evidence), 1e-300)


def statements(
    folder: str | Path,
    *,
    table: str | None = None,
    engine: str = "duckdb",
    decision: str | Path | None = None,
) -> tuple[Statements, Evidence]:
    """Prepare the SQL of a bundle, or of a folder that ``payoff judge --out`` wrote.

    Parameters
    ----------
    folder
        Holds ``evidence.json`` and ``decision.toml``.
    table
        Name of a table (``schema.table``), or a Parquet or CSV file; default ``scored``.
    engine
        ``"duckdb"`` or ``"postgres"``.
    decision
        The decision file, where the folder holds none.

    Raises
    ------
    BundleError
        ``PAY-B001`` when the folder lacks a file.
    EvidenceError
        ``PAY-E012`` when the figures do not follow from rows by SQL.
    """
    import json

    folder = Path(folder)
    path = folder / "evidence.json"
    declared = Path(decision) if decision else folder / "decision.toml"
    for needed in (path, declared):
        if not needed.is_file():
            raise BundleError.not_a_bundle(str(folder), f"no {needed.name}")
    try:
        evidence = Evidence.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError.not_a_bundle(str(path), f"unreadable: {str(error)[:200]}") from None
    made = Statements(load(declared), evidence, table=_relation(table or "scored"), engine=engine)
    return made, evidence


def _relation(table: str) -> str:
    """Quote the name of a table part by part; a file is a text, which DuckDB reads."""
    if table.lower().endswith(_FILES):
        return sql.literal(table)
    return ".".join(sql.quoted(part) for part in table.split("."))


def figures_of(evidence: Evidence) -> list[str]:
    """Return the figures this evidence has."""
    return [
        name
        for name in FIGURES
        if not (name == "curve" and "not_measured" in evidence.curve)
        and not (name == "groups" and not evidence.declared_subgroups)
    ]


def run(
    made: Statements, evidence: Evidence, names: Sequence[str], data: str | Path
) -> list[Match]:
    """Run statements on a file by DuckDB, and set each number beside the evidence's.

    Rows scored by a bundle that was made from others have no part: then all of them are taken.

    Raises
    ------
    EvidenceError
        ``PAY-E013`` when the file lacks the scores of the bundle.
    DataError
        ``PAY-L002`` with the engine's words.
    """
    relation = _relation(str(data))
    engine = DuckDB()
    known = engine.query(f"select * from {relation} limit 0").column_names  # noqa: S608
    if made.kind == "model" and SCORED_ACTION not in known:
        raise EvidenceError.not_scored(SCORED_ACTION, known)
    made.table = relation
    made.parted = made.kind == "model" and SCORED_PART in known
    matches = []
    for name in names:
        answers = engine.query(made.figure(name).rstrip(";\n")).to_pylist()
        matches += _matches(made.decision, evidence, name, answers)
    return matches


def other_rows(made: Statements, evidence: Evidence, data: str | Path) -> str:
    """Say why a file's rows are not those that were judged; "" where they seem to be.

    Parameters
    ----------
    made
        Statements that :func:`run` has run on the file.
    """
    judged = evidence.policies[0].value.n
    found = int(DuckDB().query(made.count().rstrip(";\n")).to_pylist()[0]["n"])
    if made.kind == "model" and not made.parted:
        return f"the bundle was made from other rows than these (no column {SCORED_PART})"
    if found != judged:
        return f"{found:,} of these rows judge, and the evidence rests on {judged:,}"
    if made.kind != "model" and fingerprint_of(files_of(data)) != evidence.data.get("fingerprint"):
        return "the file is not the one that was judged (another SHA-256)"
    return ""


def _matches(
    decision: Decision, evidence: Evidence, name: str, answers: Sequence[Mapping[str, Any]]
) -> list[Match]:
    keys, known = _KNOWN[name](decision, evidence)
    found = {tuple(row[k] for k in keys): row for row in answers}
    matches = []
    scale: dict[str, float] = {}
    for figures in known.values():
        for column, value in figures.items():
            scale[column] = max(scale.get(column, 0.0), abs(value or 0.0))
    for key, figures in known.items():
        row = found.get(key, {})
        label = ", ".join(f"{k:.6g}" if isinstance(k, float) else str(k) for k in key)
        for column, value in figures.items():
            number = row.get(column)
            matches.append(
                Match(
                    figure=name,
                    row=label,
                    name=column,
                    found=None if number is None else float(number),
                    evidence=None if value is None else float(value),
                    scale=scale["money_per_period"]
                    if column.startswith("regret")
                    else scale[column],
                )
            )
    return matches


Known = tuple[tuple[str, ...], dict[tuple[Any, ...], dict[str, float | None]]]


def _of(value: Estimate, total: Estimate | None = None) -> dict[str, float | None]:
    found: dict[str, float | None] = {"n": value.n, "value": value.value}
    if value.method == "t":
        found |= {"low": value.low, "high": value.high}
    if total is not None:
        found["total"] = total.value
        if total.method == "t":
            found |= {"total_low": total.low, "total_high": total.high}
    return found


def _known_policies(_: Decision, evidence: Evidence) -> Known:
    return ("policy",), {(p.name,): _of(p.value, p.total) for p in evidence.policies}


def _known_comparisons(_: Decision, evidence: Evidence) -> Known:
    return ("policy", "against"), {
        (c.policy, c.against): _of(c.value, c.total) for c in evidence.comparisons
    }


def _known_groups(_: Decision, evidence: Evidence) -> Known:
    found = {}
    for subgroup in evidence.declared_subgroups:
        for group in subgroup.groups:
            label = None if group.state == "unknown" else group.label
            for figure, estimate in (("value", group.value), ("gain", group.gain)):
                if estimate is not None:
                    found[subgroup.name, label, figure] = _of(estimate)
    return ("subgroup", "member", "figure"), found


def _known_confusion(_: Decision, evidence: Evidence) -> Known:
    columns = (
        *("n", "share", "per_period", "money_per_unit"),
        *("money_per_period", "regret_per_period"),
    )
    return ("policy", "action", "outcome"), {
        (p.name, c.action, c.outcome): {k: getattr(c, k) for k in columns}
        for p in evidence.policies
        for c in p.cells
        if c.n
    }


def _known_curve(_: Decision, evidence: Evidence) -> Known:
    curve = evidence.curve
    columns = {"total": curve["value"], "total_low": curve["low"], "total_high": curve["high"]}
    return ("threshold",), {
        (t,): {name: values[k] for name, values in columns.items()}
        for k, t in enumerate(curve["threshold"])
    }


_KNOWN: Final = {
    "policies": _known_policies,
    "comparisons": _known_comparisons,
    "groups": _known_groups,
    "confusion": _known_confusion,
    "curve": _known_curve,
}
