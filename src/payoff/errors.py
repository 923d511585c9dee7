"""Every error payoff raises, in one tree.

::

    PayoffError                 exit code 2, HTTP 400
    |-- DeclarationError        PAY-D0xx  the decision file or a declared value is wrong
    |   `-- ExpressionError     PAY-D05x  an expression cannot be read or evaluated
    |-- DataError               PAY-L0xx  rows are missing, malformed or contradict the declaration
    |-- TrainingError           PAY-T0xx  no model can be fitted from these rows
    |-- EvidenceError           PAY-E0xx  these rows cannot judge this policy
    |-- BundleError             PAY-B0xx  a bundle is missing, changed or from another version
    |-- RequestError            PAY-S0xx  HTTP 422: a request does not fit the contract
    `-- EnvironmentError_       PAY-X0xx  a package, library, address or file system is missing

A message has four parts, always in this order: what is wrong, where, got / need, how to mend it.
The server only translates ``status``; the command line only translates ``exit_code``.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

__all__ = [
    "BundleError",
    "DataError",
    "DeclarationError",
    "EnvironmentError_",
    "EvidenceError",
    "ExpressionError",
    "PayoffError",
    "RequestError",
    "TrainingError",
    "counted",
    "listed",
    "nearest",
    "show",
]

_LONGEST_SHOWN = 80


def show(value: object, longest: int = _LONGEST_SHOWN) -> str:
    r"""Quote a value for a message: one line, bounded, with nothing that acts on a terminal.

    Control characters, bidirectional overrides and line ends are written as escapes, because a
    column name or a cell is somebody else's text.

    Examples
    --------
    >>> show("a\x1b[31mb")
    "'a\\x1b[31mb'"
    >>> show("x" * 200, longest=10)
    "'xxxxxxxxx... (200 characters)"
    >>> show("job = 'clerk'")
    '"job = \'clerk\'"'
    """
    if isinstance(value, str):
        text = plain(value)
        quote = '"' if "'" in text and '"' not in text else "'"
        text = quote + text.replace(quote, "\\" + quote) + quote
        if len(text) > longest:
            return f"{text[:longest]}... ({len(value)} characters)"
        return text
    try:
        text = plain(repr(value))
    except (ValueError, RecursionError):  # an int of more than 4,300 digits has no repr
        return f"a {type(value).__name__} too large to print"
    return text if len(text) <= longest else text[:longest] + "..."


def plain(text: str) -> str:
    r"""Replace every character that could move the cursor, reorder text or end the line.

    Examples
    --------
    >>> plain("one\ntwo")
    'one\\ntwo'
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _fit(text: str | None, longest: int) -> str | None:
    """Hold any part of a message to what a terminal can take, whoever wrote it."""
    if text is None:
        return None
    text = plain(text)
    return text if len(text) <= longest else text[:longest] + "..."


def counted(n: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(names: Iterable[object], most: int = 12) -> str:
    """Join names for a message, cut after ``most``.

    Examples
    --------
    >>> listed(["a", "b"])
    "'a', 'b'"
    """
    every = list(names)
    text = ", ".join(show(n) for n in every[:most])
    return text + (f" and {len(every) - most} more" if len(every) > most else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest in spelling to ``name``, or None.

    Examples
    --------
    >>> nearest("capcity", ["capacity", "label"])
    'capacity'
    """
    by_fold = {str(k).casefold(): str(k) for k in known}
    found = difflib.get_close_matches(name[:200].casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


class PayoffError(Exception):
    """Base of every error a user can cause or meet.

    Parameters
    ----------
    what
        One clause that says what is wrong.
    code
        ``PAY-<letter><three digits>``; each code has an entry in ``docs/reference/errors.md``.
    where
        File, line, key, column, rows: whatever locates the fault.
    got, need
        What was found and what would have been accepted.
    mend
        What the reader should do next.
    """

    exit_code: ClassVar[int] = 2
    status: ClassVar[int] = 400

    def __init__(
        self,
        what: str,
        *,
        code: str,
        where: str | None = None,
        got: str | None = None,
        need: str | None = None,
        mend: str | None = None,
    ) -> None:
        self.what = plain(what)
        self.code = code
        self.where = _fit(where, 400)
        self.got = _fit(got, 700)
        self.need = _fit(need, 700)
        self.mend = _fit(mend, 700)
        super().__init__(self.what)

    def __str__(self) -> str:
        """Return the whole message as one paragraph."""
        parts = [self.what.rstrip(".")]
        if self.where:
            parts[0] += f" ({self.where})"
        if self.got is not None:
            parts.append(f"got {self.got}")
        if self.need is not None:
            parts.append(f"need {self.need}")
        text = "; ".join(parts) + "."
        if self.mend:
            text += f" {self.mend}" + ("" if self.mend[-1] in ".?!" else ".")
        return f"{self.code}: {text}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from keywords, so that the error survives a process boundary."""
        return (_rebuild, (type(self), self.to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form used by ``--json`` and by the server."""
        return {
            "code": self.code,
            "what": self.what,
            "where": self.where,
            "got": self.got,
            "need": self.need,
            "mend": self.mend,
        }

    def within(self, place: str) -> PayoffError:
        """Return the same error with ``place`` (a file, a table) put before its location."""
        facts = self.to_dict()
        facts["where"] = f"{place}, {self.where}" if self.where else place
        return _rebuild(type(self), facts)


def _rebuild(kind: type[PayoffError], facts: Mapping[str, Any]) -> PayoffError:
    facts = dict(facts)
    return kind(facts.pop("what"), **facts)


class DeclarationError(PayoffError):
    """The decision file, or a value of the declaration, is wrong."""

    @classmethod
    def not_toml(cls, reason: str) -> DeclarationError:
        """The text is not TOML at all; the parser's ``(at line 3, column 4)`` becomes the place."""
        words, _, place = reason.partition(" (at ")
        hints = {
            "Illegal character '\\n'": "Close the quotes on that line",
            "Invalid value": "Put text in quotes; write numbers without a currency or a separator",
            "Cannot overwrite": "Remove one of the two lines that give this key",
            "Cannot declare": "Put the keys of a table that stands there twice under one header",
        }
        hint = next((h for start, h in hints.items() if words.startswith(start)), "")
        return cls(
            "the decision file is not valid TOML",
            code="PAY-D001",
            where=plain(place.removesuffix(")")) or "the whole file",
            got=plain(words)[:200],
            need="TOML 1.0 (text in quotes, one key per line, no key twice)",
            mend=hint or "Correct that line; 'payoff init' writes a file to compare with",
        )

    @classmethod
    def unreadable(
        cls,
        where: str,
        reason: str,
        mend: str = "Check the path, or write a new one with 'payoff init DATA'",
    ) -> DeclarationError:
        """The file cannot be opened or is not UTF-8 text."""
        return cls(
            "the decision file cannot be read",
            code="PAY-D002",
            where=plain(where),
            got=plain(reason),
            need="a readable UTF-8 text file of at most 1 MB",
            mend=mend,
        )

    @classmethod
    def unknown_key(cls, key: str, known: Iterable[str]) -> DeclarationError:
        """A key nobody reads: more often a slip than a wish, so it is refused."""
        known = list(known)
        name = key.rsplit(".", 1)[-1]
        near = nearest(name, known)
        mend = f"Did you mean {show(near)}?" if near else "Remove it, or move it to its table"
        return cls(
            "the decision file has a key that payoff does not know",
            code="PAY-D003",
            where=f"key {plain(key)}",
            got=show(name),
            need=f"one of {listed(sorted(known), 20)}" if known else "no keys here",
            mend=mend,
        )

    @classmethod
    def missing_key(cls, key: str, meaning: str, example: str) -> DeclarationError:
        """A required key is absent."""
        return cls(
            "the decision file lacks a required key",
            code="PAY-D004",
            where=f"key {plain(key)}",
            got="nothing",
            need=meaning,
            mend=f"Add, for example, {example}",
        )

    @classmethod
    def wrong_type(cls, key: str, got: object, need: str) -> DeclarationError:
        """A value has the wrong type."""
        return cls(
            "a value in the decision file has the wrong type",
            code="PAY-D005",
            where=f"key {plain(key)}",
            got=f"{type_name(got)} {_as_written(got)}",
            need=need,
            mend="Write the value in the form needed",
        )

    @classmethod
    def bad_value(
        cls, key: str, got: object, need: str, mend: str = "Change the value"
    ) -> DeclarationError:
        """A value has the right type but cannot be used."""
        return cls(
            "a value in the decision file cannot be used",
            code="PAY-D006",
            where=f"key {plain(key)}",
            got=got if isinstance(got, _Said) else _as_written(got),
            need=need,
            mend=mend,
        )

    @classmethod
    def unknown_name(cls, key: str, name: str, kind: str, known: Iterable[str]) -> DeclarationError:
        """A reference to an action, outcome or subgroup that was not declared."""
        known = list(known)
        near = nearest(name, known)
        return cls(
            f"the decision file names an undeclared {kind}",
            code="PAY-D007",
            where=f"key {plain(key)}",
            got=show(name),
            need=f"one of {listed(known, 20)}" if known else f"a declared {kind}",
            mend=f"Did you mean {show(near)}?" if near else f"Declare it, or use a declared {kind}",
        )

    @classmethod
    def missing_cell(cls, action: str, outcome: str) -> DeclarationError:
        """The payoff table has a hole; payoff never guesses money."""
        return cls(
            "the payoff table has an empty cell",
            code="PAY-D008",
            where=f"key payoffs.{plain(action)}.{plain(outcome)}",
            got="nothing",
            need="money for every action under every outcome (0 is a value too)",
            mend=f"Say what {show(action)} is worth when the outcome is {show(outcome)}",
        )

    @classmethod
    def duplicate(cls, key: str, got: object, what: str, other: object = None) -> DeclarationError:
        """Two things share a name or a value that must be unique."""
        alike = other is None or got == other
        return cls(
            f"two {what} are the same",
            code="PAY-D009",
            where=f"key {plain(key)}",
            got=f"{show(got)} twice" if alike else f"{show(got)} and {show(other)}",
            need="each one once" + ("" if alike else " (upper and lower case count as the same)"),
            mend="Rename or remove one of them",
        )

    @classmethod
    def not_trained_here(cls) -> DeclarationError:
        """The decision says that its predictions are made elsewhere."""
        return cls(
            "this decision declares that its predictions are made elsewhere",
            code="PAY-D012",
            where="key decision.kind",
            got="'predictions'",
            need="'tabular', to fit a model here",
            mend="Judge the predictions with 'payoff judge FILE --decision', or change 'kind'",
        )

    @classmethod
    def unguessed_outcome(cls, candidates: Iterable[str]) -> DeclarationError:
        """No column, or more than one, looks like the outcome."""
        candidates = list(candidates)
        return cls(
            "which column says what happened cannot be guessed",
            code="PAY-D011",
            got=f"columns with 2 to 20 values: {listed(candidates)}"
            if candidates
            else "no column with 2 to 20 different values",
            need="the name of the outcome column",
            mend="Name it with --outcome COLUMN",
        )

    @classmethod
    def exists(cls, where: str) -> DeclarationError:
        """Writing would replace a file the user may have edited."""
        return cls(
            "the file is there already",
            code="PAY-D010",
            where=plain(where),
            got="an existing file",
            need="a new path",
            mend="Choose another name with --out, or replace it with --force",
        )


class _Said(str):
    """A ``got`` text already fit to print."""

    __slots__ = ()


def said(text: str) -> _Said:
    """Mark ``text`` as already fit to print in the ``got`` part of a message."""
    return _Said(text)


def _as_written(value: object) -> str:
    """Show a value as TOML writes it, not as Python does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return f"with the keys {listed(value)}" if value else "without keys"
    return show(list(value) if isinstance(value, tuple) else value)


def type_name(value: object) -> str:
    """Name a TOML or JSON type as a person would."""
    names = {str: "text", bool: "the truth value", int: "a number", float: "a number"}
    names |= {dict: "a table", list: "a list", type(None): "nothing"}
    names |= {datetime.date: "a date", datetime.datetime: "a date", datetime.time: "a time"}
    return names.get(type(value), f"a {type(value).__name__}")


class ExpressionError(DeclarationError):
    """An expression cannot be read, or cannot be evaluated on these rows."""

    @classmethod
    def syntax(cls, text: str, position: int, need: str, mend: str = "") -> ExpressionError:
        """The text stops being an expression at ``position`` (0-based)."""
        rest = text[position : position + 20]
        return cls(
            f"the expression {show(text)} cannot be read",
            code="PAY-D051",
            where=f"character {position + 1}",
            got=show(rest) if rest else "the end",
            need=need,
            mend=mend or "See docs/reference/expressions.md for what may stand in an expression",
        )

    @classmethod
    def unknown_function(cls, text: str, name: str, known: Iterable[str]) -> ExpressionError:
        """A function that is not one of the few allowed."""
        known = sorted(known)
        near = nearest(name, known)
        return cls(
            f"the expression {show(text)} calls a function that payoff does not have",
            code="PAY-D052",
            got=show(name),
            need=f"one of {listed(known, 20)}",
            mend=f"Did you mean {show(near)}?" if near else "Compute it in the data instead",
        )

    @classmethod
    def unknown_column(cls, text: str, name: str, known: Iterable[str]) -> ExpressionError:
        """The expression reads a column that the rows do not have."""
        known = list(known)
        near = nearest(name, known)
        return cls(
            f"the expression {show(text)} reads a column that the data does not have",
            code="PAY-D053",
            where=f"column {plain(name)}",
            got=f"columns {listed(known)}",
            need=f"a column named {show(name)}",
            mend=f"Did you mean {show(near)}?"
            if near
            else "Add the column, or correct its name (names with spaces go in double quotes)",
        )

    @classmethod
    def wrong_kind(
        cls, text: str, got: str, need: str, where: str | None = None
    ) -> ExpressionError:
        """The expression yields text where a number is needed, or the like."""
        return cls(
            f"the expression {show(text)} has the wrong kind of value",
            code="PAY-D054",
            where=where,
            got=got,
            need=need,
            mend="Compare text with quoted text, and do arithmetic on numeric columns only",
        )


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
            else "Check the path; it is relative to the "
            "decision file, or to where you stand when given by --data",
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


class TrainingError(PayoffError):
    """No model can be fitted."""

    @classmethod
    def no_features(cls, why: str) -> TrainingError:
        """Nothing is left to learn from."""
        return cls(
            "no column is left to learn from",
            code="PAY-T001",
            got=plain(why),
            need="at least one feature with two different values",
            mend="Check 'features' and 'data.exclude' in the decision file",
        )

    @classmethod
    def bad_candidate(cls, name: str, why: str, known: Iterable[str]) -> TrainingError:
        """A candidate's name is not known or cannot be used."""
        near = nearest(name, known)
        return cls(
            "a candidate model cannot be used",
            code="PAY-T002",
            where="key training.candidates",
            got=f"{show(name)}: {plain(why)}",
            need=f"one of {listed(known)}, or a scikit-learn classifier such as "
            "'sklearn.ensemble.RandomForestClassifier'",
            mend=f"Did you mean {show(near)}?" if near else "Name another candidate",
        )

    @classmethod
    def not_portable(cls, name: str, why: str) -> TrainingError:
        """The model cannot be written as data, so it cannot be bundled."""
        return cls(
            "this model cannot be saved as data",
            code="PAY-T003",
            got=f"{show(name)}: {plain(why)[:300]}",
            need="a model that converts to ONNX (payoff never loads pickles)",
            mend="Use another candidate, or judge its predictions with 'payoff judge'",
        )

    @classmethod
    def nothing_fitted(cls, reasons: Iterable[str]) -> TrainingError:
        """Every candidate failed."""
        return cls(
            "no candidate model could be fitted",
            code="PAY-T004",
            got="; ".join(plain(r) for r in reasons)[:600],
            need="at least one candidate that fits",
            mend="Read the reasons; 'payoff check' may name the column at fault",
        )


class EvidenceError(PayoffError):
    """These rows cannot judge this policy."""

    @classmethod
    def part_reused(cls, part: str, tuned_on: str) -> EvidenceError:
        """The rows that chose would also judge."""
        return cls(
            "the rows that chose this policy may not judge it",
            code="PAY-E001",
            got=f"rows of part {show(part)} for a policy tuned on {show(tuned_on)}",
            need="rows of part 'judge'",
            mend="Judge on rows that took no part in fitting or choosing",
        )

    @classmethod
    def bad_probabilities(cls, got: str, rows: int, need: str, mend: str) -> EvidenceError:
        """Predictions are not probabilities."""
        return cls(
            "the predicted probabilities cannot be used",
            code="PAY-E002",
            where=counted(rows, "row"),
            got=got,
            need=need,
            mend=mend,
        )

    @classmethod
    def unknown_action(
        cls, column: str, values: Iterable[object], rows: int, known: Iterable[str]
    ) -> EvidenceError:
        """The recorded action is not a declared one."""
        return cls(
            "the action column holds values that are not declared actions",
            code="PAY-E003",
            where=f"column {plain(column)}, {counted(rows, 'row')}",
            got=listed(values),
            need=f"one of {listed(known)}",
            mend="Declare the action, or correct the column",
        )

    @classmethod
    def no_predictions(cls, known: Iterable[str], wanted: str) -> EvidenceError:
        """No column holds scores, probabilities or actions."""
        return cls(
            "the file has no predictions that payoff recognises",
            code="PAY-E004",
            got=f"columns {listed(known)}",
            need=wanted,
            mend="Name the column with --probability, --score or --action, or under [predictions]",
        )


class BundleError(PayoffError):
    """A bundle is missing, changed, or from another version."""

    status: ClassVar[int] = 500

    @classmethod
    def not_a_bundle(cls, path: str, why: str) -> BundleError:
        """The folder holds no manifest."""
        return cls(
            "this is not a payoff bundle",
            code="PAY-B001",
            where=plain(path),
            got=plain(why),
            need="a folder written by 'payoff train' or 'payoff run'",
            mend="Check the path",
        )

    @classmethod
    def changed(cls, path: str, changes: Iterable[str]) -> BundleError:
        """A byte differs from the manifest."""
        return cls(
            "the bundle has been changed since it was written",
            code="PAY-B002",
            where=plain(path),
            got=listed(changes),
            need="every file exactly as its manifest says",
            mend="Restore the bundle from its origin, or build it again",
        )

    @classmethod
    def earlier(cls, path: str) -> BundleError:
        """The output folder holds an earlier bundle."""
        return cls(
            "the output folder holds an earlier bundle",
            code="PAY-B006",
            where=plain(path),
            got="a bundle that somebody may still use",
            need="a new folder, or leave to replace it",
            mend="Choose another --out, or replace it with --force",
        )

    @classmethod
    def exists(cls, path: str) -> BundleError:
        """The output folder holds something else."""
        return cls(
            "the output folder is not empty",
            code="PAY-B003",
            where=plain(path),
            got="files that payoff did not write",
            need="a new or empty folder, or an earlier bundle",
            mend="Choose another --out",
        )

    @classmethod
    def incompatible(cls, path: str, got: object, need: str) -> BundleError:
        """The bundle's format is of another version."""
        return cls(
            "the bundle is of a format that this version cannot read",
            code="PAY-B004",
            where=plain(path),
            got=show(got),
            need=need,
            mend="Use the payoff version named in its manifest, or build it again",
        )

    @classmethod
    def lacks(cls, path: str, what: str, need: str) -> BundleError:
        """The bundle has no such part."""
        return cls(
            f"the bundle holds no {what}",
            code="PAY-B005",
            where=plain(path),
            got=f"a bundle without {what}",
            need=need,
            mend="Build the bundle with 'payoff run' or 'payoff train'",
        )


class RequestError(PayoffError):
    """A request does not fit the contract."""

    status: ClassVar[int] = 422

    def __init__(
        self, what: str, *, problems: Iterable[Mapping[str, Any]] = (), **facts: Any
    ) -> None:
        super().__init__(what, **facts)
        self.problems = [dict(p) for p in problems]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, with every problem."""
        return super().to_dict() | {"problems": self.problems}

    @classmethod
    def invalid(cls, problems: Iterable[Mapping[str, Any]]) -> RequestError:
        """One or more fields break the contract; every problem is listed."""
        problems = list(problems)
        return cls(
            "the request does not fit the contract of this decision",
            code="PAY-S001",
            got=f"{len(problems)} problem{'s' if len(problems) != 1 else ''}",
            need="fields as described at /openapi.json",
            mend="Correct the fields listed under 'problems'",
            problems=problems,
        )

    @classmethod
    def malformed(cls, why: str) -> RequestError:
        """The body is not JSON of the right outer shape."""
        return cls(
            "the request body cannot be read",
            code="PAY-S002",
            got=plain(why)[:200],
            need='JSON: {"rows": [{...}, ...]} or one row as {...}',
            mend="Send valid JSON with content-type application/json",
        )


class EnvironmentError_(PayoffError):
    """An optional package, a library or the file system is missing."""

    status: ClassVar[int] = 500

    @classmethod
    def missing_extra(cls, package: str, extra: str, why: str) -> EnvironmentError_:
        """A feature needs a package that is not installed."""
        return cls(
            f"the package {show(package)} is needed {why}",
            code="PAY-X001",
            got="it is not installed",
            need=f"the extra {show(extra)}",
            mend=f"Install it with: pip install 'payoff[{extra}]'",
        )

    @classmethod
    def broken_package(cls, package: str, why: str, reason: str) -> EnvironmentError_:
        """A package is installed but does not load."""
        return cls(
            f"the package {show(package)}, needed {why}, does not load",
            code="PAY-X002",
            got=plain(reason)[:300],
            need="a working installation",
            mend="On Debian or Ubuntu 'apt-get install libgomp1' mends a missing libgomp; "
            "otherwise reinstall the package",
        )

    @classmethod
    def cannot_write(cls, path: str, reason: str) -> EnvironmentError_:
        """The disk, folder or permission refuses."""
        return cls(
            "the output cannot be written",
            code="PAY-X003",
            where=plain(path),
            got=plain(reason),
            need="a folder that can be written, with room on the disk",
            mend="Choose another --out, or free space",
        )
