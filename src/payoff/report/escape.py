r"""The only place where foreign text is made safe for a document.

Names of columns, categories, outcomes and files are somebody else's text: they may hold markup,
line ends, bidirectional overrides or ten thousand characters. :func:`visible` makes any text one
bounded line; every text of a report passes it first. The other functions then write that line into
one kind of document. HTML pages are escaped by Jinja2's autoescape and, inside drawings, by
:func:`html`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Final

from payoff.errors import plain

__all__ = ["html", "markdown", "terminal", "visible", "yaml"]

LONGEST: Final = 160
_MOST_MARKS = 2
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]{}~$!])")
_LIST_START: Final = re.compile(r"^(\d+(?=[.)](?:\s|$)))?([.)](?:\s|$)|[-+](?=[-\s]|$)|[#=:>])")


def visible(value: object, longest: int = LONGEST) -> str:
    r"""Return a value as one bounded line in which every character shows and none acts.

    Control characters, line ends and bidirectional overrides become escapes; stacked combining
    marks are cut after two; a long text is cut and says how long it was.

    Examples
    --------
    >>> visible("one\ntwo")
    'one\\ntwo'
    >>> visible("x" * 200, longest=12)
    'xxxxxxxxxxxx… (200 characters)'
    """
    text = value if isinstance(value, str) else str(value)
    shown = _few_marks(plain(text[: 4 * longest])).strip()
    if len(shown) > longest or len(text) > 4 * longest:
        return f"{shown[:longest].rstrip()}… ({len(text):,} characters)"
    return shown


def _few_marks(text: str) -> str:
    """Keep at most two combining marks per letter, so that no text can cover the next line."""
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def html(text: str) -> str:
    """Write text into HTML or SVG, as content or between quotes of an attribute.

    Examples
    --------
    >>> html("<b> & 'c'")
    '&lt;b&gt; &amp; &#39;c&#39;'
    """
    return "".join(_ENTITIES.get(c, c) for c in visible(text, 4 * LONGEST))


def markdown(text: str) -> str:
    r"""Write text into Markdown so that it shows as itself, in a table cell too.

    Markup, links, HTML, code, mathematics and table bars lose their meaning; so do a bare address
    and whatever would start a list or a heading.

    Examples
    --------
    >>> markdown("a|b `c` <script>")
    'a&#124;b \\`c\\` &lt;script>'
    >>> markdown("# not a heading"), markdown("1. no list"), markdown("1.5"), markdown("+10")
    ('\\# not a heading', '1\\. no list', '1.5', '+10')
    """
    line = visible(text, 4 * LONGEST)
    line = line.replace("&", "&amp;").replace("<", "&lt;")
    line = _MARKDOWN.sub(r"\\\1", line).replace("|", "&#124;")
    line = _LIST_START.sub(r"\1\\\2", line)
    return line.replace("://", "\\://").replace("www.", "www\\.").replace("@", "\\@")


def yaml(value: str | float | bool | None) -> str:
    r"""Write one scalar for YAML: text is always in double quotes, so ``NO`` stays text.

    Angle brackets are written as escapes, for readers that show a front matter as HTML.

    Examples
    --------
    >>> yaml("NO"), yaml('say "hi"'), yaml(True), yaml(1.5)
    ('"NO"', '"say \\"hi\\""', 'true', '1.5')
    """
    if isinstance(value, str):
        text = json.dumps(visible(value, 4 * LONGEST), ensure_ascii=False)
        return text.replace("<", "\\u003c").replace(">", "\\u003e")
    return json.dumps(value, allow_nan=False)


def terminal(text: str) -> str:
    r"""Write text to a terminal: one line, with nothing that moves the cursor or changes colour.

    Examples
    --------
    >>> terminal("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return visible(text, 4 * LONGEST)
