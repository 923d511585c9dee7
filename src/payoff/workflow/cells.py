"""From the answers of the queries to cells: sums as arrays, outcomes and groups as for rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from payoff.declare import Decision
from payoff.declare.expression import columns_of, to_sql
from payoff.engine.scan import Scan
from payoff.errors import DataError, EvidenceError, counted
from payoff.evidence import sql
from payoff.evidence.cells import CellSet, Higher
from payoff.evidence.cells_groups import Grouped
from payoff.evidence.cells_judged import Cells
from payoff.evidence.cells_sql import ABSENT, BINS, FOLDS, OUTSIDE, Pass
from payoff.evidence.subgroups.disclosure import withheld
from payoff.evidence.terms import Terms
from payoff.load.frame import numbers
from payoff.load.roles import crossed_groups, outcome_codes, simple_groups
from payoff.load.source import read

__all__ = ["Found", "Predicted", "Reading"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """Rows to judge, where they are, and what in them are the predictions.

    Parameters
    ----------
    decision
        The declaration, without what only training needs.
    scan
        The rows.
    name, fingerprint
        What the evidence records of them.
    kind
        ``"probability"``, ``"score"`` or ``"action"``.
    columns
        Outcome or role -> column.
    """

    decision: Decision
    scan: Scan
    name: str
    fingerprint: str
    kind: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The cells, and rows in all, without outcome, and of each outcome (by weight).

    ``by_rule`` counts the rows under each action of today's rule, and those without an outcome.
    """

    cells: Cells
    n_rows: int
    n_unlabelled: int
    shares: NDArray[np.float64]
    by_rule: tuple[NDArray[np.int64], NDArray[np.int64]] | None


class Reading:
    """From the query's answer to arrays; refuses rows that rows would be refused for."""

    def __init__(self, asked: Predicted, terms: Terms, made: Pass, table: pa.Table) -> None:
        self.asked, self.terms, self.made = asked, terms, made
        self.decision = asked.decision
        self.gid = numbers(table.column("gid")).astype(np.int64)
        self.table = table

    def by_score(self) -> CellSet:
        """Return the cells by bin of the score, of a query by score.

        Raises
        ------
        PayoffError
            What would stop the judging of rows too.
        """
        part = self._part("score")
        outcome, live = self._live(part, numbers(part.column("n")).astype(np.int64))
        return self._set(part, outcome, live)

    def cells(self, score: CellSet | None, threshold: tuple[int, int] | None) -> Found:
        """Return the cells of every other grouping.

        Parameters
        ----------
        score, threshold
            What the query by score gave.

        Raises
        ------
        PayoffError
            What would stop the judging of rows too.
        """
        decision = self.decision
        groups: dict[str, Grouped] = {}
        base = by_rule = None
        n_rows = n_unlabelled = 0
        for subgroup in decision.subgroups:
            part = self._part(f"group {subgroup.name}")
            rows = numbers(part.column("n")).astype(np.int64)
            outcome, live = self._live(part, rows)
            labels, found = self._groups(subgroup.name, part, rows)
            cells = self._set(part, outcome, live)
            kept = np.zeros(len(labels) + 1, dtype=bool)
            groups[subgroup.name] = Grouped(
                labels=labels, codes=found[live], kept=kept, cells=cells
            )
            n_rows, n_unlabelled = int(rows.sum()), int(rows[outcome < 0].sum())
            base = base or cells
            by_rule = by_rule or self._by_rule(part, rows, outcome)
        groups = self._withheld(groups)
        if base is None:
            part = self._part("all")
            rows = numbers(part.column("n")).astype(np.int64)
            outcome, live = self._live(part, rows)
            base = self._set(part, outcome, live)
            n_rows, n_unlabelled = int(rows.sum()), int(rows[outcome < 0].sum())
            by_rule = self._by_rule(part, rows, outcome)
        shares = np.bincount(base.outcome, weights=base.w1, minlength=len(decision.outcomes))
        return Found(
            cells=Cells(base=base, score=score, groups=groups, threshold=threshold),
            n_rows=n_rows,
            n_unlabelled=n_unlabelled,
            shares=shares / max(float(shares.sum()), 1e-300),
            by_rule=by_rule,
        )

    def _by_rule(
        self, part: pa.Table, rows: NDArray[np.int64], outcome: NDArray[np.int16]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        """Count rows by the action of today's rule, all and without an outcome."""
        if self.decision.current_rule is None:
            return None
        size = len(self.decision.actions)
        taken = numbers(part.column("rule")).astype(np.int64)
        known = taken >= 0

        def count(some: NDArray[np.bool_]) -> NDArray[np.int64]:
            found = np.bincount(taken[some], weights=rows[some], minlength=size)
            return found.astype(np.int64)

        return count(known), count(known & (outcome < 0))

    def _withheld(self, groups: dict[str, Grouped]) -> dict[str, Grouped]:
        """Mark the groups that would give a small one away, which needs their joint counts."""
        smallest = self.decision.evidence.smallest_group
        counts = {
            name: np.bincount(g.codes, weights=g.cells.n, minlength=len(g.labels) + 1)
            for name, g in groups.items()
        }
        if not any(((c > 0) & (c < smallest)).any() for c in counts.values()):
            return groups
        part = self.asked.scan.query(self.made.joint)
        rows = numbers(part.column("n")).astype(np.int64)
        _, live = self._live(part, rows, checked=True)
        codes = {name: self._groups(name, part, rows)[1][live] for name in groups}
        found = withheld(codes, smallest, rows[live])
        told = {}
        for name, group in groups.items():
            kept = np.zeros(len(group.labels) + 1, dtype=bool)
            kept[: len(found[name])] = found[name]
            told[name] = replace(group, kept=kept)
        return told

    def _part(self, name: str) -> pa.Table:
        return self.table.take(pa.array(np.flatnonzero(self.gid == self.made.identity(name))))

    def _live(
        self, part: pa.Table, rows: NDArray[np.int64], *, checked: bool = False
    ) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """Return the outcome of each cell, and which cells take part."""
        name = self.decision.data.outcome
        tidy = read(pa.table({name: part.column("y")})).table
        outcome = outcome_codes(tidy, self.decision, rows)
        live = outcome >= 0
        if self.decision.data.weight:
            if not checked:
                self._refuse_weights(part)
            live &= numbers(part.column("live")) > 0
        return outcome, live

    def _refuse_weights(self, part: pa.Table) -> None:
        bad = int(numbers(part.column("bad_weight")).sum())
        if bad:
            raise DataError.bad_column(
                str(self.decision.data.weight),
                "the weight",
                f"{counted(bad, 'weight')} missing, negative or too large",
                "a number from 0 to 1e15 in every row",
                "Correct the weights; 0 leaves a row out",
            )

    def _groups(
        self, name: str, part: pa.Table, rows: NDArray[np.int64]
    ) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return labels and codes; what is not known gets the code after the last label."""
        subgroup = next(s for s in self.decision.subgroups if s.name == name)
        if subgroup.intersect:
            labels, codes = crossed_groups(
                [self._simple(n, part, rows) for n in subgroup.intersect], rows
            )
        else:
            labels, codes = self._simple(name, part, rows)
        return labels, np.where(codes < 0, len(labels), codes).astype(np.int64)

    def _simple(
        self, name: str, part: pa.Table, rows: NDArray[np.int64]
    ) -> tuple[tuple[str, ...], NDArray[np.int32]]:
        subgroup = next(s for s in self.decision.subgroups if s.name == name)
        simple = [s.name for s in self.decision.subgroups if s.column is not None]
        column = part.column(f"g{simple.index(name)}")
        if subgroup.bands:
            # Any value of a band stands for it.
            inside = [subgroup.bands[0] - 1.0, *subgroup.bands]
            band = numbers(column).astype(np.int64)
            values = np.array([*inside, np.nan])[band]
            table = pa.table({str(subgroup.column): values})
        else:
            table = read(pa.table({str(subgroup.column): column})).table
        return simple_groups(table, subgroup, rows)

    def _set(self, part: pa.Table, outcome: NDArray[np.int16], live: NDArray[np.bool_]) -> CellSet:
        """Return the sums of the cells that take part."""
        names = set(part.column_names)
        terms, k = self.terms, len(self.terms)

        def sums(name: str) -> NDArray[np.float64]:
            return numbers(part.column(name))[live]

        def key(name: str, kind: type) -> Any:
            if name not in names or part.column(name).null_count == part.num_rows:
                return None
            return numbers(part.column(name))[live].astype(kind)

        def products(letter: str, degree: int) -> NDArray[np.float64]:
            out = np.zeros((int(live.sum()), *(k,) * degree))
            for product in terms.products(degree):
                values = sums(f"{letter}_{'_'.join(map(str, product))}")
                for place in set(_orders(product)):
                    np.moveaxis(out, 0, -1)[place] = values
            return out

        own, score, fold = key("own", np.int16), None, None
        n = sums("n")
        if "packed" in names:
            own, score, fold = self._unpacked(sums("packed"))
        self._refuse(own, key("wrong", np.int32), key("rule", np.int16), n)
        weighted = self.decision.data.weight is not None
        higher = None
        if "packed" not in names:
            higher = Higher(
                z1=products("z" if weighted else "q", 1),
                z2=products("z" if weighted else "q", 2),
                z3=products("z" if weighted else "q", 3),
                q1=products("q", 1),
                q2=products("q", 2),
                q3=products("q", 3),
                q4=products("q", 4),
            )
        cells = CellSet(
            n=n,
            outcome=outcome[live],
            own=own,
            rule=key("rule", np.int16),
            likely=key("likely", np.int16),
            tuned=key("tuned", np.bool_),
            half=key("half", np.bool_),
            score=score,
            fold=fold,
            w1=sums("w1") if weighted else n,
            w2=sums("w2") if weighted else n,
            w3=sums("w3") if weighted else n,
            w4=sums("w4") if weighted else n,
            x1=products("x" if weighted else "q", 1),
            y1=products("y" if weighted else "q", 1),
            y2=products("y" if weighted else "q", 2),
            higher=higher,
            prob=sums("prob") if "prob" in names else None,
            best=np.full(len(n), np.nan),
        )
        self._refuse_money(cells)
        return self._cleaned(cells, sums)

    def _unpacked(
        self, packed: NDArray[np.float64]
    ) -> tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.int8]]:
        """Return action, bin and half of each cell; refuse probabilities outside 0 to 1.

        What no bin shows (a probability of 1, and one a rounding error beyond) is asked for.
        """
        unknown = np.isnan(packed)
        rest, fold = np.divmod(np.nan_to_num(packed), FOLDS)
        score, own = np.divmod(rest, self.made.actions)
        if unknown.any() or (score >= BINS).any() or (score < 0).any():
            for text, code in self.made.strange:
                found = int(self.asked.scan.query(text).column("n")[0].as_py())
                if found:
                    self._refuse_probabilities(np.array([code]), np.array([float(found)]))
        score = np.clip(score, 0, BINS - 1)
        return own.astype(np.int16), score.astype(np.int32), fold.astype(np.int8)

    def _cleaned(self, cells: CellSet, sums: Any) -> CellSet:
        """Add the money of the action that turned out best; leave out sums that nothing reads."""
        best = cells.best
        if cells.higher is not None:
            for o in range(len(self.decision.outcomes)):
                inside = cells.outcome == o
                factor = self.terms.factor[:, o]
                if (factor == factor[0]).all():
                    constant = float(self.terms.constant[:, o].max())
                    best[inside] = (constant * cells.w1 + cells.x1 @ factor[0])[inside]
                elif len(factor) == 2:
                    both = self.terms.constant[:, o].sum() * cells.w1 + cells.x1 @ factor.sum(
                        axis=0
                    )
                    best[inside] = (both + sums(f"best{o}"))[inside] / 2
                else:
                    best[inside] = sums(f"best{o}")[inside]
        higher = None
        if cells.higher is not None:
            higher = Higher(
                **{f.name: _finite(getattr(cells.higher, f.name)) for f in fields(Higher)}
            )
        return replace(
            cells,
            best=best,
            higher=higher,
            x1=_finite(cells.x1),
            y1=_finite(cells.y1),
            y2=_finite(cells.y2),
        )

    # ---------------------------------------------------------------------------------- refusals

    def _refuse(
        self,
        own: NDArray[np.int16],
        wrong: NDArray[np.int32] | None,
        rule: NDArray[np.int16] | None,
        n: NDArray[np.float64],
    ) -> None:
        decision, asked = self.decision, self.asked
        if wrong is not None and (wrong < 0).any():
            self._refuse_probabilities(wrong, n)
        declared = decision.current_rule
        for codes, column in (
            (own if asked.kind == "action" else None, asked.columns.get("action")),
            (rule, declared.column if declared else None),
        ):
            if codes is not None and column is not None and (codes < 0).any():
                names = ", ".join(sql.literal(a) for a in decision.action_names)
                quoted = sql.quoted(column)
                text = (
                    f"select distinct {quoted} as v from {asked.scan.relation} "  # noqa: S608
                    f"where {quoted} is null or {quoted} not in ({names}) limit 20"
                )
                strange = [r["v"] for r in asked.scan.query(text).to_pylist()]
                raise EvidenceError.unknown_action(
                    column,
                    [v if v is not None else "(missing)" for v in strange],
                    int(n[codes < 0].sum()),
                    decision.action_names,
                )

    def _refuse_probabilities(self, score: NDArray[np.int32], n: NDArray[np.float64]) -> None:
        given = ", ".join(self.asked.columns.values())
        for code, got, need, mend in (
            (
                ABSENT,
                f"missing values in {given}",
                "a number in every row",
                "Predict every row, or leave those rows out",
            ),
            (
                OUTSIDE,
                f"values missing, below 0 or above 1 ({given})",
                "probabilities from 0 to 1",
                "Divide percentages by 100; give a score that is no probability with --score",
            ),
        ):
            if (score == code).any():
                raise EvidenceError.bad_probabilities(got, int(n[score == code].sum()), need, mend)
        raise EvidenceError.bad_probabilities(
            f"sums other than 1 ({given})",
            int(n[score < 0].sum()),
            "probabilities of all outcomes that sum to 1",
            "Normalise them",
        )

    def _refuse_money(self, cells: CellSet) -> None:
        """Refuse money that is missing, or too large for its powers, where it is needed."""
        k = np.arange(len(self.terms))
        finite = np.isfinite(cells.x1) & np.isfinite(cells.y2[:, k, k])
        if cells.higher is not None:
            finite &= np.isfinite(cells.higher.q4[:, k, k, k, k])
        chosen = self.asked.kind == "probability"
        for o, outcome in enumerate(self.decision.outcome_names):
            rows = np.ones(len(cells), bool) if chosen else cells.outcome == o
            used = list(self.terms.used(o))
            if not used or finite[rows][:, used].all():
                continue
            for action in self.decision.action_names:
                cell = self.decision.payoffs.cell(action, outcome)
                if columns_of(cell.node):
                    self._refuse_cell(action, outcome, cell)
            raise EvidenceError.needs_rows("money so large that its fourth power is no number")

    def _refuse_cell(self, action: str, outcome: str, cell: Any) -> None:
        decision, scan = self.decision, self.asked.scan
        value = to_sql(cell.node)
        where = "true"
        if self.asked.kind != "probability":
            where = f"{sql.outcome_of(decision)} = {sql.literal(outcome)}"
        text = (
            f"select count(*) as n, min({value}) as low from {scan.relation} "  # noqa: S608
            f"where {sql.quoted(decision.data.outcome)} is not null and {where} "
            f"and not coalesce(abs({value}) < 1e200, false)"
        )
        row = scan.query(text).to_pylist()[0]
        if row["n"]:
            raise DataError.bad_money(
                f"payoffs.{action}.{outcome}",
                cell.money,
                int(row["n"]),
                "a missing value" if row["low"] is None else str(row["low"]),
            )


def _finite(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)


def _orders(product: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(itertools.permutations(product))
