"""Personal data in documents: found by form, check digit and context, replaced by placeholders.

Standard library only, so that a served document is redacted by the very code that redacted the rows
learnt from. Names of persons have no form: give a finder of names of your own where they matter.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from payoff.load.text.national import luhn, national_ids

__all__ = ["KINDS", "Found", "Names", "find", "redact"]

#: What is found, in order of precedence where two kinds would take the same characters.
KINDS: Final = (
    *("e-mail", "URL", "handle", "IBAN", "card", "national id", "IP address", "phone", "name"),
)
#: A finder of names: yields start and end of each name in a text.
Names = Callable[[str], Iterable[tuple[int, int]]]
Spans = Iterator[tuple[int, int]]

_ANY: Final = re.compile(r"\d|@|://|www\.|\.[a-z]{2}", re.IGNORECASE)
_DIGITS: Final = re.compile(r"(?:\d[^\d\n]{0,3}){6}")
_EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE
)
_URL: Final = re.compile(
    r"(?<![\w@.-])(?:(?:https?|ftp)://|www\.)[^\s<>\"'“”‘’\[\]]{2,2000}"
    r"|(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,4}(?:com|net|org|info|biz|edu|gov|co\.uk|org\.uk)"
    r"(?![\w-]|\.[a-z])(?:/[^\s<>\"'“”‘’\[\]]{0,2000})?",
    re.IGNORECASE,
)
#: A name behind "@"; "@5pm" and "@2.50 each" say when and how much.
_HANDLE: Final = re.compile(
    r"(?:(?<!\w)|(?<=\bRT))@+(?!\d{1,5}(?:[.,:]\d+)*(?:[ap]m|st|[nr]d|th|hrs?|[a-z])?\b)"
    r"\w{1,30}(?:\.\w{1,30}){0,3}(?!\w)",
    re.IGNORECASE,
)
_FEDERATED: Final = re.compile(
    r"(?<![\w.])@[\w.-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE
)
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d\d(?= ?[A-Z0-9])")
_CARD: Final = re.compile(r"(?<![\w.-])[2-6](?:[ -]?\d){11,18}(?![\w-]|\.\d)")
_IP4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IP6: Final = re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE)
_VERSION: Final = re.compile(r"(?:version|release|build|firmware|\bv)[ .]?$", re.IGNORECASE)
_PHONE: Final = re.compile(
    r"(?<![\w+.])(?<!\d[ -])(?:"
    r"(?:\+|00)[1-9](?:[ ().-]{0,2}\d){7,14}"  # with the country
    r"|(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}"  # North America
    r"|(?:\(0[1-9]\d{0,4}\)|0[1-9]\d{0,4})(?: ?/ ?|[ -])?\d(?:[ -]?\d){4,8}"  # with a leading 0
    r")(?![\w-]|[.,]\d)"
)
_BARE_PHONE: Final = re.compile(r"(?<![\w.,#$£€-])[1-9]\d{6,11}(?![\w-]|[.,]\d)")
_CALL: Final = re.compile(
    r"(?:call|phone|tel|telephone|mobile|cell|fax|whatsapp|text me|ring|dial|anrufen|handy)"
    r"\W{0,3}(?:\w{1,10}\W{1,3}){0,3}$",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20)?\d\d(?!\d)|(?:19|20)\d\d[ -]\d\d[ -]\d\d"
)
_IBAN_MARKS: Final = frozenset(" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TAIL: Final = ".,;:!?)]}…"
#: Length of an account number by country (SWIFT, IBAN registry).
_IBAN_LENGTH: Final = {
    entry[:2]: int(entry[2:])
    for entry in (  # noqa: SIM905  (a table reads better in rows)
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 "
        "DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 "
        "IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 "
        "MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 "
        "SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of personal data: its kind and where it stands, ``text[start:end]``."""

    kind: str
    start: int
    end: int


def find(text: str, names: Names | None = None, keep: Collection[str] = ()) -> list[Found]:
    """Find personal data in one document.

    Numbers count only where their form and, if they have one, their check digit is right (cards:
    Luhn; accounts: ISO 7064 mod 97-10; national ids: each its own); a number that could be anything
    counts only after a word that says what it is.

    Parameters
    ----------
    text
        One document.
    names
        Finder of names, for example of a language model; None finds none.
    keep
        Handles that are nobody's, in small letters without the ``@``.

    Returns
    -------
    list of Found
        In order of appearance, none overlapping another.

    Examples
    --------
    >>> text = "Mail jo@acme.example, card 4111 1111 1111 1111"
    >>> [(f.kind, text[f.start : f.end]) for f in find(text)]
    [('e-mail', 'jo@acme.example'), ('card', '4111 1111 1111 1111')]
    """
    if names is None and _ANY.search(text) is None:
        return []
    taken: list[Found] = []
    for kind, finder in _finders(text, names, keep):
        for start, end in finder(text):
            if all(end <= f.start or start >= f.end for f in taken):
                taken.append(Found(kind, start, end))
    return sorted(taken, key=lambda f: f.start)


def redact(text: str, names: Names | None = None, keep: Collection[str] = ()) -> str:
    """Replace personal data by its kind in square brackets; redacting twice changes nothing.

    Examples
    --------
    >>> redact("Call me on +44 20 7946 0958 or write to jo@acme.example.")
    'Call me on [phone] or write to [e-mail].'
    """
    while found := find(text, names, keep):  # what stood in the shadow of another comes to light
        kept: list[str] = []
        place = 0
        for one in found:
            kept += [text[place : one.start], f"[{one.kind}]"]
            place = one.end
        text = "".join(kept) + text[place:]
        names = None  # a finder of names might take a placeholder for one
    return text


def _finders(
    text: str, names: Names | None, keep: Collection[str]
) -> Iterator[tuple[str, Callable[[str], Spans]]]:
    """Yield the finders that could find something, in order of precedence."""
    if "@" in text:
        yield "handle", lambda t: (m.span() for m in _FEDERATED.finditer(t))
        yield "e-mail", lambda t: (m.span() for m in _EMAIL.finditer(t))
    if "." in text or "://" in text:
        yield "URL", _urls
    if "@" in text:
        yield (
            "handle",
            lambda t: (
                m.span()
                for m in _HANDLE.finditer(t)
                if not keep or m[0].lstrip("@").casefold() not in keep
            ),
        )
    if _DIGITS.search(text):
        yield "IBAN", _ibans
        yield "card", _cards
        yield "national id", national_ids
        yield "IP address", _addresses
        yield "phone", _phones
    elif ":" in text or "." in text:
        yield "IP address", _addresses
    if names is not None:
        yield "name", lambda t: iter(names(t))


def _urls(text: str) -> Spans:
    for found in _URL.finditer(text):
        start, end = found.span()
        while end > start and text[end - 1] in _TAIL:
            end -= 1
        yield start, end


def _ibans(text: str) -> Spans:
    for found in _IBAN.finditer(text):
        length = _IBAN_LENGTH.get(found[0][:2])
        end = found.start()
        marks = ""
        while length and len(marks) < length and text[end : end + 1] in _IBAN_MARKS:
            marks += text[end].strip()
            end += 1
        if length == len(marks) and not text[end : end + 1].isalnum():
            turned = marks[4:] + marks[:4]
            if int("".join(str(int(c, 36)) for c in turned)) % 97 == 1:
                yield found.start(), end


def _cards(text: str) -> Spans:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        by_network = (
            (digits[0] == "4" and len(digits) in (13, 16, 19))
            or (digits[:2] in ("34", "37") and len(digits) == 15)
            or (digits[:2] in ("30", "36", "38", "39") and len(digits) == 14)
            or ("51" <= digits[:2] <= "55" and len(digits) == 16)
            or ("2221" <= digits[:4] <= "2720" and len(digits) == 16)
            or (digits[0] == "6" and 12 <= len(digits) <= 19)
            or (digits[:2] == "35" and len(digits) == 16)
        )
        if by_network and len(set(digits)) > 1 and luhn(digits):
            yield found.span()


def _addresses(text: str) -> Spans:
    for form in (_IP4, _IP6):
        for found in form.finditer(text):
            seen = found[0]
            if form is _IP6 and sum(c.isalnum() for c in seen) < 3:
                continue
            if _VERSION.search(text, max(0, found.start() - 12), found.start()):
                continue
            try:
                ipaddress.ip_address(seen)
            except ValueError:
                continue
            yield found.span()


def _phones(text: str) -> Spans:
    for found in _PHONE.finditer(text):
        digits = sum(c.isdigit() for c in found[0])
        least = 9 if found[0].lstrip("(").startswith("0") else 8
        if least <= digits <= 15 and not _DATE.match(found[0].lstrip("(")):
            yield found.span()
    for found in _BARE_PHONE.finditer(text):
        if _CALL.search(text, max(0, found.start() - 40), found.start()):
            yield found.span()
