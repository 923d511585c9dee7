"""The page at ``/``: what is decided here, which fields it reads, and how to ask.

Names of columns, categories and decisions are somebody else's text. Every text on the page goes
through :func:`_shown`; its policy lets only this one style apply, and only the page of a decision
about documents has a script, the one of its panel.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shlex
from typing import Final

from payoff.errors import plain
from payoff.serve import panel
from payoff.serve.document import sample, seen
from payoff.serve.servable import Field, Servable

__all__ = ["POLICY", "STYLE", "origin_of", "page", "policy_of", "shown"]

STYLE: Final = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;
overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8886}
td{overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.8rem;border:1px solid #8886}
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_PANEL_STYLE: Final = STYLE + panel.STYLE
_PANEL_DIGEST: Final = base64.b64encode(hashlib.sha256(_PANEL_STYLE.encode()).digest()).decode()
_PANEL_POLICY: Final = (
    f"default-src 'none'; script-src 'sha256-{panel.DIGEST}'; connect-src 'self'; "
    f"style-src 'sha256-{_PANEL_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_LONGEST: Final = 160


def _reads_documents(bundle: Servable) -> bool:
    return any(f.type == "text" for f in bundle.contract.fields)


def policy_of(bundle: Servable) -> str:
    """Return the content security policy of a bundle's page."""
    return _PANEL_POLICY if _reads_documents(bundle) else POLICY


def page(bundle: Servable, origin: str) -> str:
    """Return the page.

    Parameters
    ----------
    bundle
        What is served.
    origin
        Scheme, host and port for the example, as :func:`origin_of` makes it.
    """
    decision = bundle.decision
    title = shown(decision.title)
    rows = "\n".join(_row(f) for f in bundle.contract.fields)
    actions = ", ".join(shown(a.label) for a in decision.actions)
    style, explain = STYLE, ""
    if _reads_documents(bundle):
        style, explain = _PANEL_STYLE, panel.panel(bundle.contract.fields, shown)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>Send what is known of one {shown(decision.unit)} and get the action to take, one of: {actions}.
Money is in {shown(decision.currency)}.</p>
<h2>Ask</h2>
<pre><code>{html.escape(_curl(bundle, origin))}</code></pre>
{explain}<p>Routes, bodies and failures: <a href="/openapi.json">openapi.json</a>.</p>
<h2>Fields</h2>
<table>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Required</th>
<th scope="col">Values</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p>Bundle {shown(bundle.id)}</p>
</main>
</body>
</html>
"""


def origin_of(scheme: str, host: str | None) -> str:
    """Return where this server was reached; a host header that is no host is not repeated.

    Examples
    --------
    >>> origin_of("http", "127.0.0.1:8000"), origin_of("http", "<script>")
    ('http://127.0.0.1:8000', 'http://127.0.0.1:8000')
    """
    good = host if host is not None and _HOST.fullmatch(host) else "127.0.0.1:8000"
    return f"{'https' if scheme == 'https' else 'http'}://{good}"


def _row(field: Field) -> str:
    required = "yes" if field.required else "no"
    return (
        f'<tr><th scope="row">{shown(field.name)}</th><td>{shown(field.type)}</td>'
        f"<td>{required}</td><td>{shown(seen(field))}</td></tr>"
    )


def _curl(bundle: Servable, origin: str) -> str:
    # Escaped to ASCII and quoted for the shell: a field named "';reboot;'" is copied as a name.
    body = json.dumps(sample(bundle, most=6), ensure_ascii=True)
    return (
        f"curl {shlex.quote(origin + '/decide')} \\\n"
        f"  -H 'content-type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def shown(text: str) -> str:
    """Make foreign text one bounded line without markup or anything that reorders characters."""
    line = plain(text[: 4 * _LONGEST])
    short = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
    return html.escape(short)
