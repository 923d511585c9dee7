"""How documents are read: the ``[text]`` table of a decision of kind ``"text"``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from payoff.declare.past import Past
from payoff.declare.payoffs import check_number
from payoff.errors import DeclarationError, listed

__all__ = ["SLICES", "TWINS", "TextSettings", "check_documents"]

TWINS: Final = ("keep together", "ignore")
#: Groups of documents that are made without a column.
SLICES: Final = ("theme", "length", "language")
_MOST_THEMES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSettings:
    """What is done with documents before anything learns from them.

    Parameters
    ----------
    redact
        Whether personal data (addresses, numbers of phones, cards, accounts and people) is replaced
        by placeholders before anything reads the documents, so that no vocabulary, log, report or
        explanation can hold it.
    names
        Finder of names of persons, as it was registered; empty: names are not looked for.
    keep
        Handles that are no person's, such as ``"@acme"``; they stay as they are.
    twins
        ``"keep together"``: near copies never stand on both sides of a split. ``"ignore"``: they
        may.
    similarity
        Share of common shingles (Jaccard), above 0 up to 1, from which two documents are twins.
    languages
        Languages that are expected, as ISO 639 codes; empty when any may come.
    longest
        Characters of one document; a longer one is refused.
    unfamiliar
        Share of the documents that belong, 0 to 0.5, that may be taken for strangers: unlike
        whatever the model learnt from. 0 turns the look at familiarity off.
    themes
        ``"auto"``: as many themes as tell the documents apart best; a number: at most so many; 0:
        none.
    slices
        Groups that are judged beside the declared subgroups: ``"theme"``, ``"length"``,
        ``"language"``.
    excerpts
        Whether reports and explanations may show stretches of documents that are not the asker's
        own (cleaned, and redacted as ``redact`` says).
    behaviour
        Whether judging also changes documents and decides again (behaviour tests).

    Examples
    --------
    >>> TextSettings(similarity=0.9).redact
    True
    """

    redact: bool = True
    names: str = ""
    keep: tuple[str, ...] = ()
    twins: str = "keep together"
    similarity: float = 0.8
    languages: tuple[str, ...] = ()
    longest: int = 200_000
    unfamiliar: float = 0.02
    themes: str | int = "auto"
    slices: tuple[str, ...] = SLICES
    excerpts: bool = True
    behaviour: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("redact", "excerpts", "behaviour"):
            if not isinstance(getattr(self, name), bool):
                raise DeclarationError.wrong_type(
                    f"text.{name}", getattr(self, name), "true or false"
                )
        self._check_personal()
        if self.twins not in TWINS:
            raise DeclarationError.bad_value("text.twins", self.twins, f"one of {listed(TWINS)}")
        check_number(
            self.similarity,
            "text.similarity",
            "a share from 0.5 to 1",
            low=0.5,
            high=1.0,
        )
        check_number(self.unfamiliar, "text.unfamiliar", "a share from 0 to 0.5", low=0, high=0.5)
        for code in self.languages:
            if not re.fullmatch(r"[a-z]{2,3}", code):
                raise DeclarationError.bad_value(
                    "text.languages", code, "two or three small letters, such as 'en'"
                )
        if isinstance(self.longest, bool) or not isinstance(self.longest, int):
            raise DeclarationError.wrong_type("text.longest", self.longest, "a whole number")
        check_number(
            self.longest,
            "text.longest",
            "a whole number from 100 to 5,000,000",
            low=100,
            high=5_000_000,
        )
        need = f"'auto', 0, or a whole number from 2 to {_MOST_THEMES}"
        if self.themes != "auto":
            if isinstance(self.themes, bool) or not isinstance(self.themes, int):
                raise DeclarationError.bad_value("text.themes", self.themes, need)
            if self.themes != 0 and not 2 <= self.themes <= _MOST_THEMES:
                raise DeclarationError.bad_value("text.themes", self.themes, need)
        for name in self.slices:
            if name not in SLICES:
                raise DeclarationError.bad_value("text.slices", name, f"one of {listed(SLICES)}")

    def _check_personal(self) -> None:
        if self.names and not self.redact:
            raise DeclarationError.bad_value(
                "text.names", self.names, "redact = true, without which no name is replaced"
            )
        for handle in self.keep:
            if not re.fullmatch(r"@\w[\w.]{0,119}", handle):
                raise DeclarationError.bad_value(
                    "text.keep", handle, "handles such as '@acme'", "Write each with its @"
                )

    @property
    def kept(self) -> frozenset[str]:
        """The handles that stay, in small letters without the ``@``."""
        return frozenset(handle[1:].casefold() for handle in self.keep)


def check_documents(
    kind: str,
    columns: tuple[str, ...],
    settings: TextSettings,
    subgroups: Iterable[str | None],
    past: Past | None = None,
) -> None:
    """Check what documents need of the rest of a declaration (``PAY-D006``)."""
    if kind == "text" and not columns:
        raise DeclarationError.bad_value(
            "decision.kind",
            kind,
            "'text' in [data] to name the columns that hold documents",
            'Add, for example, text = ["narrative"] to [data]',
        )
    wanted = "kind = 'text' in [decision]"
    mend = f"This decision is of kind '{kind}', which reads no documents"
    if kind == "tabular" and columns:
        raise DeclarationError.bad_value("data.text", columns, wanted, mend)
    if kind == "tabular" and settings != TextSettings():
        raise DeclarationError.bad_value("text", "settings for documents", wanted, mend)
    if kind == "text" and past is not None and not past.selected:
        raise DeclarationError.bad_value(
            "past",
            f"action = {past.action!r}, beside kind = 'text'",
            "a decision whose models read no documents: one model per action would read each "
            "document as a category",
            "Take [past] out if what was done cannot change the outcome (a complaint is about "
            "cards wherever it is sent); else judge predictions made elsewhere with kind = "
            "'predictions' and 'payoff judge', or let models learn from ordinary columns alone "
            "with kind = 'tabular'",
        )
    for number, column in enumerate(subgroups):
        if column in columns:
            raise DeclarationError.bad_value(
                f"subgroups[{number}].column",
                column,
                "a column with few values",
                "Documents are no groups; name an ordinary column",
            )
