"""Faults of the decision file and of its expressions: ``PAY-D0xx``."""

from __future__ import annotations

from collections.abc import Iterable

from payoff.errors.base import PayoffError
from payoff.errors.wording import as_written, listed, nearest, plain, show, type_name

__all__ = ["DeclarationError", "ExpressionError", "said"]


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
    def unknown_key(cls, key: str, known: Iterable[str], meant: str = "") -> DeclarationError:
        """A key nobody reads: more often a slip than a wish, so it is refused.

        ``meant`` is the key it probably stands for; without it the nearest in spelling is named.
        """
        known = list(known)
        name = key.rsplit(".", 1)[-1]
        near = meant or nearest(name, known)
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
            got=f"{type_name(got)} {as_written(got)}",
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
            got=got if isinstance(got, _Said) else as_written(got),
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
    def lists_not_rows(cls) -> DeclarationError:
        """The decision recommends, and this command judges predictions row by row."""
        return cls(
            "this decision shows lists of items to users, and this command judges rows",
            code="PAY-D013",
            where="key decision.kind",
            got="'recommend'",
            need="the command 'payoff run', or a decision of another kind",
            mend="Run 'payoff run' on this file: it fits recommenders, judges their lists and "
            "writes the report; one of another library joins with payoff.register_recommender",
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
