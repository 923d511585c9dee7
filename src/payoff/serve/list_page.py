"""The page of a service that recommends: name a user or items, see the list and its reasons.

The script puts every text on the page by ``textContent``, so a name is never more than text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import shlex
from typing import Final

from payoff.serve.page import STYLE, shown
from payoff.serve.panel import STYLE as PANEL_STYLE
from payoff.serve.servable import Recommends

__all__ = ["POLICY", "SCRIPT", "page"]

SCRIPT: Final = r"""
"use strict";
(() => {
  const form = document.getElementById("ask");
  const state = document.getElementById("state");
  const answer = document.getElementById("answer");
  const hidden = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e\\u200f" +
    "\\u2028-\\u202e\\u2060-\\u206f\\ufeff]", "g");
  const line = (text) => String(text).replace(hidden,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  const money = (x) => x === null ? "-" : x.toLocaleString("en-GB",
    { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const add = (parent, tag, text) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = line(text);
    parent.append(made);
    return made;
  };
  const show = (found) => {
    answer.replaceChildren();
    add(answer, "h3", found.made_by_label);
    if (found.known === false) add(answer, "p", "This user is not known: the list of strangers.");
    if (found.ignored.length) add(answer, "p", "No such items: " + found.ignored.join(", ") + ".");
    if (!found.items.length) { add(answer, "p", "Nothing to show."); return; }
    const box = add(answer, "div");
    box.className = "scroll";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "The list");
    const table = add(box, "table");
    const head = add(add(table, "thead"), "tr");
    ["Item", "Why", found.currency + " if bought", "Shown with"].forEach((h) => {
      add(head, "th", h).scope = "col";
    });
    const body = add(table, "tbody");
    found.items.forEach((one) => {
      const row = add(body, "tr");
      const name = one.label === one.item ? one.item : one.label + " (" + one.item + ")";
      add(row, "th", name).scope = "row";
      add(row, "td", one.why.sentence);
      add(row, "td", money(one.money_if_hit));
      add(row, "td", (100 * one.propensity).toLocaleString("en-GB",
        { maximumSignificantDigits: 3 }) + " %");
    });
    add(answer, "p", "List " + found.list_id);
  };
  const refuse = (error) => {
    answer.replaceChildren();
    const box = add(answer, "div");
    box.className = "problem";
    add(box, "h3", "No list: " + error.what);
    if (error.got) add(box, "p", "Got " + error.got + "; need " + error.need + ".");
    if (error.mend) add(box, "p", error.mend.replace(/[.?]$/, "") +
      (error.mend.endsWith("?") ? "?" : "."));
  };
  const asked = () => {
    const found = {};
    form.querySelectorAll("input").forEach((field) => {
      const text = field.value.trim();
      if (text === "") return;
      found[field.name] = field.name === "k" ? Number(text)
        : field.name === "session" ? text.split(",").map((t) => t.trim()).filter((t) => t)
        : text;
    });
    return found;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    state.textContent = "Working…";
    try {
      const sent = await fetch("/recommend", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify(asked()),
      });
      const found = await sent.json();
      if (sent.ok) show(found); else refuse(found.error);
      state.textContent = sent.ok ? "Listed." : "Not listed.";
    } catch {
      refuse({ what: "the server did not answer", mend: "Ask again" });
      state.textContent = "Not listed.";
    }
    answer.focus();
  });
})();
"""


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# A word of a heading is not broken: the table scrolls instead.
_STYLE: Final = STYLE + PANEL_STYLE + ".scroll th[scope=col]{overflow-wrap:normal}\n"
POLICY: Final = (
    f"default-src 'none'; script-src 'sha256-{_digest(SCRIPT)}'; connect-src 'self'; "
    f"style-src 'sha256-{_digest(_STYLE)}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def _judged(bundle: Recommends) -> str:
    """Say until when the evidence goes, where that is less."""
    if bundle.evidence_until == bundle.histories_until:
        return ""
    return f"; they were judged on those until {shown(bundle.evidence_until)}"


def page(bundle: Recommends, origin: str) -> str:
    """Return the page.

    Parameters
    ----------
    bundle
        What is served.
    origin
        Scheme, host and port for the example.
    """
    decision = bundle.decision
    title = shown(decision.title)
    columns = ", ".join(shown(name) for name in bundle.items.attributes.column_names)
    curl = (
        f"curl {shlex.quote(origin + '/recommend')} \\\n"
        "  -H 'content-type: application/json' \\\n"
        """  -d '{"user": "u-7", "k": 5}'"""
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>Name a user, or what a visitor looked at, or one item, and see what would be shown and why.
{len(bundle.items.labels):,} items; money is in {shown(decision.currency)}.
Lists are made from interactions until {shown(bundle.histories_until)}{_judged(bundle)}.</p>
<noscript><p>This form needs a script; without one, send the question to POST /recommend.</p>
</noscript>
<form id="ask">
<label for="user">User</label>
<input id="user" name="user" maxlength="200" autocomplete="off">
<label for="session">Items looked at, with commas, the latest last</label>
<input id="session" name="session" autocomplete="off">
<label for="item">Or what goes with this item</label>
<input id="item" name="item" maxlength="200" autocomplete="off">
<label for="filter">Only items with (condition over {columns})</label>
<input id="filter" name="filter" maxlength="2000" autocomplete="off">
<label for="k">Places</label>
<input id="k" name="k" type="number" min="1" max="1000">
<button type="submit">Show the list</button>
</form>
<p id="state" role="status"></p>
<div id="answer" tabindex="-1"></div>
<h2>Ask</h2>
<pre><code>{html.escape(curl)}</code></pre>
<p>Routes, bodies and failures: <a href="/openapi.json">openapi.json</a>.</p>
<p>Bundle {shown(bundle.id)}</p>
</main>
<script>{SCRIPT}</script>
</body>
</html>
"""
