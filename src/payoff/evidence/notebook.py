"""Evidence as a notebook shows it: one small piece of HTML, escaped, without script or address.

Colours are the notebook's own (``currentColor`` and see-through shades of it), so that it reads in
light and in dark.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from payoff.errors import plain

if TYPE_CHECKING:
    from payoff.evidence.evidence import Estimate, Evidence

__all__ = ["to_html"]

_WORDS: Final = {
    "deploy": "Deploy",
    "uncertain": "Not sure",
    "refuse": "Do not deploy",
}
_STYLE: Final = (
    ".payoff-evidence{max-width:60em;line-height:1.45}"
    ".payoff-evidence p{margin:.4em 0}"
    ".payoff-evidence table{border-collapse:collapse;margin:.6em 0}"
    ".payoff-evidence caption{text-align:left;opacity:.8;padding:.2em 0}"
    ".payoff-evidence th,.payoff-evidence td{padding:.2em .7em;text-align:left;"
    "border-bottom:1px solid rgba(128,128,128,.4);background:none;color:inherit}"
    ".payoff-evidence .number{text-align:right;font-variant-numeric:tabular-nums}"
    ".payoff-evidence .warning{border-left:3px solid currentColor;padding-left:.6em}"
)
_MOST_ROWS: Final = 30


def to_html(evidence: Evidence) -> str:
    """Return the headline, the options in money, and the warnings of page one."""
    state = str(evidence.verdict.get("state"))
    title = evidence.decision.get("title") or evidence.decision.get("name") or "Decision"
    parts = [
        f"<style>{_STYLE}</style>",
        f"<p><strong>{_text(title)}: {_text(_WORDS.get(state, state))}.</strong> "
        f"{_text(evidence.verdict.get('sentence') or '', 600)} "
        f"{_text(evidence.verdict.get('next') or '', 600)}</p>",
        _options(evidence),
    ]
    parts += [
        f'<p class="warning">{_text(c.code)} {_text(c.title)}: {_text(c.detail, 600)}</p>'
        for c in evidence.checks
        if c.page_one
    ]
    return f'<div class="payoff-evidence">{"".join(parts)}</div>'


def _options(evidence: Evidence) -> str:
    first = evidence.policies[0].total
    head = "".join(
        f'<th scope="col"{css}>{_text(word)}</th>'
        for word, css in (
            ("Option", ""),
            (first.unit, ' class="number"'),
            (f"{first.level * 100:g} % interval", ' class="number"'),
            ("Rows", ' class="number"'),
        )
    )
    rows = "".join(
        "<tr>"
        f'<th scope="row">{_text(p.label)}{_text(f" ({p.outside})" if p.outside else "")}</th>'
        f'<td class="number">{_money(p.total.value)}</td>'
        f'<td class="number">{_interval(p.total)}</td>'
        f'<td class="number">{p.total.n:,}</td>'
        "</tr>"
        for p in evidence.policies[:_MOST_ROWS]
    )
    more = len(evidence.policies) - _MOST_ROWS
    rest = f" ({more} more: see frame('policies'))" if more > 0 else ""
    return (
        f"<table><caption>What each option earned on the rows judged{rest}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return f"none: {_text(found.reason, 200)}"
    return f"{_money(found.low)} to {_money(found.high)}"


def _money(value: float | None) -> str:
    if value is None:
        return "not estimable"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
    return text.replace("-", "\u2212")


def _text(value: Any, longest: int = 160) -> str:
    text = plain(str(value))
    return html.escape(text if len(text) <= longest else text[: longest - 1] + "…", quote=True)
