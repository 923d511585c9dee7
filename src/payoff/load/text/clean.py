r"""Documents as people wrote them: encodings mended, markup, boilerplate and controls removed.

Standard library only, so that a served document is cleaned by the very code that cleaned the rows
learnt from. Every step is linear in the length of the document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html import unescape
from typing import Final

from payoff.load.text.boilerplate import without_boilerplate
from payoff.load.text.mojibake import mended

__all__ = ["clean", "clean_one", "decoded"]

_MOST_ROUNDS: Final = 20
#: What a short plain document does not have; without it there is nothing to do.
_UNUSUAL: Final = re.compile(r"[^\x20-\x7e]|[&<]| {2}|^ | $|^>")
_AMPERSANDS: Final = re.compile(r"&(?:amp;|#0{0,5}38;|#[xX]0{0,4}26;)+")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_HIDDEN: Final = ("script", "style", "template", "noscript", "head")
_OPEN: Final = re.compile(rf"<(?:!--|(?P<name>{'|'.join(_HIDDEN)})\b)", re.IGNORECASE)
_BLOCKS: Final = (
    "address|article|aside|blockquote|body|br|caption|dd|div|dl|dt|fieldset|figure|footer|"
    "form|h1|h2|h3|h4|h5|h6|header|hr|html|iframe|li|main|nav|ol|p|pre|section|table|tbody|td|"
    "tfoot|th|thead|title|tr|ul"
)
_INLINE: Final = (
    "a|abbr|acronym|applet|area|audio|b|base|basefont|bdi|bdo|big|button|canvas|center|cite|"
    "code|col|colgroup|data|del|dfn|em|embed|font|form|frame|frameset|i|img|input|ins|kbd|"
    "label|legend|link|map|mark|math|menu|meta|meter|object|option|output|param|picture|q|s|"
    "samp|script|select|small|source|span|strike|strong|style|sub|summary|sup|svg|template|"
    "textarea|time|track|tt|u|var|video|wbr|noscript|head"
)
_TAG: Final = re.compile(
    rf"<(?:!doctype|/?(?:(?P<block>{_BLOCKS})|{_INLINE}))(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_LINE_END: Final = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
#: Controls, bidirectional overrides, invisible and unassigned marks, halves of surrogate pairs. The
#: joiners U+200C and U+200D stay: scripts and emoji need them.
_CONTROL: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SPACES: Final = re.compile(r"[^\S\n]+")
_LINES: Final = re.compile(r" ?\n[ \n]*")


def clean(texts: Iterable[str | bytes | None]) -> list[str]:
    r"""Clean documents; cleaning what is clean changes nothing.

    In this order: bytes decoded, text that was decoded wrongly mended, HTML entities and tags
    removed (hidden parts with their contents), line ends made one, control and bidirectional
    characters removed, Unicode composed (NFC), quoted mail, signatures and notices removed where
    something of the writer's own is left, white space narrowed. Case, punctuation, emoji and the
    marks around words stay.

    Parameters
    ----------
    texts
        n documents; None is an empty one.

    Returns
    -------
    list of str
        n documents, in the same order.

    Examples
    --------
    >>> clean(["<p>I can&rsquo;t   pay</p>", "cafÃ©", None, "Thanks\n-- \nJo, Acme Ltd"])
    ['I can’t pay', 'café', '', 'Thanks']
    """
    return [clean_one(text) for text in texts]


def clean_one(text: str | bytes | None) -> str:
    """Clean one document; see :func:`clean`."""
    if text is None:
        return ""
    if not isinstance(text, str):
        text = decoded(text)
    if _UNUSUAL.search(text) is None:
        return text
    for _ in range(_MOST_ROUNDS):
        once = _once(text)
        if once == text:
            return once
        text = once
    # Markup nested deeper than anybody writes it: take its teeth.
    text = text.translate({ord("<"): " ", ord("&"): " "})
    for _ in range(_MOST_ROUNDS):
        once = _once(text)
        if once == text:
            break
        text = once
    return text


def decoded(value: bytes) -> str:
    r"""Decode bytes of unknown encoding: UTF-8 (also with a mark, or UTF-16), else Windows-1252.

    Examples
    --------
    >>> decoded("naïve".encode("cp1252")), decoded(b"\xff\xfeh\x00i\x00")
    ('naïve', 'hi')
    """
    if value[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return value.decode("utf-16", "replace")
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
        return re.sub(
            "[\x80-\x9f]", lambda m: m[0].encode("latin-1").decode("cp1252", "ignore"), text
        )


def _once(text: str) -> str:
    if not text.isascii():
        text = mended(text)
    if "&" in text:
        text = _AMPERSANDS.sub("&", text)
        text = _ENTITY.sub(lambda m: unescape(m[0]), text)
    if "<" in text:
        text = _TAG.sub(_gap, _without_hidden(text))
    text = _CONTROL.sub("", _LINE_END.sub("\n", text))
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if "\n" in text or text.startswith(">"):
        text = without_boilerplate(text)
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def _gap(tag: re.Match[str]) -> str:
    return "\n" if tag["block"] else ""


def _without_hidden(text: str) -> str:
    """Remove comments and the parts of a page nobody sees, with what they hold."""
    kept: list[str] = []
    place = 0
    never: set[str] = set()  # ends that do not come any more: looked for once, so time is linear
    lowered = text.lower() if len(text.lower()) == len(text) else text
    for start in _OPEN.finditer(text):
        name = (start["name"] or "").lower()
        end = f"</{name}" if name else "-->"
        if start.start() < place or end in never:
            continue
        found = lowered.find(end, start.end())
        if found < 0:
            never.add(end)
            continue
        close = found + 3 if not name else text.find(">", found) + 1
        if close <= 0:
            never.add(end)
            continue
        kept += [text[place : start.start()], " "]
        place = close
    return "".join(kept) + text[place:] if place else text
