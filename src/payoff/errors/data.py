"""Faults of the rows: ``PAY-L0xx``."""

from __future__ import annotations

from collections.abc import Iterable

from payoff.errors.base import PayoffError
from payoff.errors.wording import counted, listed, nearest, plain, show

__all__ = ["DataError"]


class DataError(PayoffError):
    """Rows are missing, malformed, or contradict the declaration."""

    @classmethod
    def no_such_source(cls, source: str, near: str | None = None) -> DataError:
        """The file or table is not there."""
        return cls(
            "the data cannot be found",
            code="PAY-L001",
            where=plain(source),
            got="no such file, table or pattern",
            need="a .csv, .tsv, .parquet, .arrow or .feather file, a pattern of files, "
            "or a query with its database",
            mend=f"Did you mean {show(near)}?"
            if near
            else "Check the path: in a decision file it starts from that file, on the command line "
            "from where you stand",
        )

    @classmethod
    def unreadable(
        cls,
        source: str,
        reason: str,
        *,
        need: str = "a table with one header row and the same columns in every row",
        mend: str = "Open the file at that line, or export it again as Parquet",
    ) -> DataError:
        """The reader gave up on the file."""
        return cls(
            "the data cannot be read",
            code="PAY-L002",
            where=plain(source),
            got=plain(reason).rstrip(". ")[:400],
            need=need,
            mend=mend,
        )

    @classmethod
    def empty(cls, where: str, why: str = "no rows") -> DataError:
        """Nothing is left to work on."""
        return cls(
            "the data has no usable rows",
            code="PAY-L003",
            where=plain(where),
            got=why,
            need="at least one row",
            mend="Check the export, the filter and the query",
        )

    @classmethod
    def no_such_row(cls, got: str, need: str, mend: str = "Count rows from 1") -> DataError:
        """One row is asked for that is not there."""
        return cls(
            "there is no such row",
            code="PAY-L019",
            where="the rows to explain",
            got=plain(got)[:200],
            need=plain(need),
            mend=mend,
        )

    @classmethod
    def missing_column(
        cls, column: str, role: str, known: Iterable[str], where: str | None = None
    ) -> DataError:
        """A declared column is not in the rows."""
        known = list(known)
        near = nearest(column, known)
        return cls(
            f"the data lacks the column declared as {role}",
            code="PAY-L004",
            where=where or f"column {plain(column)}",
            got=f"columns {listed(known)}",
            need=f"a column named {show(column)}",
            mend=f"Did you mean {show(near)}?" if near else "Correct the decision file or the data",
        )

    @classmethod
    def duplicate_columns(cls, names: Iterable[str], where: str) -> DataError:
        """Two columns share a name, so neither can be meant."""
        return cls(
            "the data has columns of the same name",
            code="PAY-L005",
            where=plain(where),
            got=listed(names),
            need="each column name once (upper and lower case count as the same)",
            mend="Rename one of them in the export",
        )

    @classmethod
    def bad_column(
        cls, column: str, role: str, got: str, need: str, mend: str = "Correct the data"
    ) -> DataError:
        """A column's values cannot play their role."""
        return cls(
            f"the column for {role} cannot be used",
            code="PAY-L006",
            where=f"column {plain(column)}",
            got=got,
            need=need,
            mend=mend,
        )

    @classmethod
    def unknown_outcome(
        cls, column: str, values: Iterable[object], rows: int, known: Iterable[object]
    ) -> DataError:
        """The outcome column holds a value that no outcome claims."""
        values, known = list(values), list(known)
        folded = {str(k).casefold(): k for k in known}
        near = next((v for v in values if str(v).strip().casefold() in folded), None)
        hint = ""
        if near is not None:
            meant = folded[str(near).strip().casefold()]
            hint = f"{show(near)} is not {show(meant)}, because upper and lower case differ. "
        elif {str(v) for v in values} <= {"true", "false"}:
            hint = "A query over a CSV file reads yes and no as true and false. "
        return cls(
            "the outcome column holds values that no declared outcome has",
            code="PAY-L007",
            where=f"column {plain(column)}, {counted(rows, 'row')}",
            got=listed(values),
            need=f"one of {listed(known)}",
            mend=f"{hint}Declare that outcome, add the value to an outcome's 'values', or leave "
            "the cell empty where the outcome is not known yet",
        )

    @classmethod
    def unknown_labels(
        cls, column: str, values: Iterable[object], rows: int, known: str, hint: str = ""
    ) -> DataError:
        """The column of labels holds some that are not declared."""
        return cls(
            "the column of labels holds labels that are not declared",
            code="PAY-L007",
            where=f"column {plain(column)}, {counted(rows, 'row')}",
            got=listed(values),
            need=f"among {known}",
            mend=f"{hint}Add them to 'names' of [multilabel], or write others = 'ignore' there",
        )

    @classmethod
    def one_class(cls, outcome: str, n: int, part: str) -> DataError:
        """All rows have the same outcome."""
        return cls(
            "only one outcome occurs, so nothing can be learnt or judged",
            code="PAY-L008",
            where=f"the {part} rows",
            got=f"{show(outcome)} in all {counted(n, 'row')}",
            need="rows of at least two outcomes",
            mend="Use a longer window, or check how the outcome column is filled",
        )

    @classmethod
    def one_action(cls, action: str, n: int) -> DataError:
        """All rows that can be learnt from had the same action."""
        return cls(
            "only one action was taken where the outcome is known, so nothing can be learnt of the "
            "others",
            code="PAY-L008",
            where="the fit rows, key past.action",
            got=f"{show(action)} in all {counted(n, 'row')}",
            need="rows of at least two actions",
            mend="If outcomes are recorded under some actions only, name these in "
            "past.outcomes_known; else use a longer window",
        )

    @classmethod
    def too_few(
        cls, what: str, got: int, need: int, mend: str, where: str = "the data"
    ) -> DataError:
        """Fewer rows than the step can honestly use."""
        return cls(
            f"there are too few {what}",
            code="PAY-L009",
            where=where,
            got=f"{got:,}",
            need=f"at least {need:,}",
            mend=mend,
        )

    @classmethod
    def bad_money(cls, cell: str, expression: str, rows: int, example: str) -> DataError:
        """A payoff is not a finite number on some rows."""
        return cls(
            "a payoff is missing or too large to be money",
            code="PAY-L010",
            where=f"{plain(cell)} = {show(expression)}, {counted(rows, 'row')}",
            got=example,
            need="money below 1e200 in every row it is needed for",
            mend="Correct the column, or say what a missing value is worth with "
            "coalesce(column, 0)",
        )

    @classmethod
    def bad_rows(cls, what: str, where: str, got: str, need: str, mend: str) -> DataError:
        """Rows that contradict each other or the declaration."""
        return cls(what, code="PAY-L011", where=plain(where), got=got, need=need, mend=mend)

    @classmethod
    def long_document(cls, column: str, row: int, length: int, longest: int) -> DataError:
        """A document is longer than the declaration admits; its words are not repeated here."""
        return cls(
            "a document is longer than the decision admits",
            code="PAY-L013",
            where=f"column {plain(column)}, row {row + 1:,}",
            got=f"{length:,} characters",
            need=f"at most {longest:,}",
            mend="Check that it is a document and not a whole file; else raise 'longest' in [text]",
        )

    @classmethod
    def not_a_frame(cls, got: str) -> DataError:
        """The object handed to the Python API is not a table."""
        return cls(
            "this object is not a table that payoff can read",
            code="PAY-L012",
            where="the data handed over",
            got=got,
            need="a path, or a pandas, Polars, PyArrow or DuckDB table",
            mend="Convert it first, for example with pyarrow.table(...)",
        )
