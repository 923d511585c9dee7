"""The panel on the page of a decision about documents: send one, see which words spoke for what.

The script puts every text on the page by ``textContent``, and writes out what would reorder it or
not show; so a document, a label or a name is never more than text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Iterable
from typing import Final

from payoff.serve.servable import Field

__all__ = ["DIGEST", "SCRIPT", "STYLE", "panel"]

STYLE: Final = """
form label,form summary{display:block;font-weight:600;margin:.8rem 0 .2rem}
textarea,input,select{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}
textarea{min-height:8rem}
button{font:inherit;padding:.5rem 1rem;margin:1rem 0}
.read{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate;border:1px solid #8886;
padding:.8rem;max-height:24rem;overflow-y:auto;line-height:1.9}
.scroll{overflow-x:auto}
.scroll caption{text-align:left;font-weight:600;padding:1rem 0 .2rem}
#answer:focus{outline-offset:.6rem}
mark{color:inherit;background:none;text-underline-offset:.25em;unicode-bidi:isolate}
mark.f1,mark.f2,mark.f3{text-decoration:underline solid}
mark.a1,mark.a2,mark.a3{text-decoration:underline dotted}
mark.f1,mark.a1{text-decoration-thickness:1px}
mark.f2,mark.a2{text-decoration-thickness:3px}
mark.f3,mark.a3{text-decoration-thickness:5px}
mark.f1{background:#1a7f3718}mark.f2{background:#1a7f3738}mark.f3{background:#1a7f3760}
mark.a1{background:#c2410c18}mark.a2{background:#c2410c38}mark.a3{background:#c2410c60}
.problem{border-left:4px solid #c2410c;padding-left:.6rem}
"""

SCRIPT: Final = r"""
"use strict";
(() => {
  const form = document.getElementById("explain");
  const state = document.getElementById("state");
  const answer = document.getElementById("answer");
  const hidden = new RegExp("[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b\\u200e" +
    "\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]", "g");
  const plain = (text) => String(text).replace(hidden,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  const line = (text) => plain(String(text).replace(/\n/g, " "));
  const signed = (x) => (x < 0 ? "\u2212" : "+") + Math.abs(x).toFixed(2);
  const money = (x) => x.toLocaleString("en-GB",
    { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const add = (parent, tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    parent.append(made);
    return made;
  };
  const table = (title, heads, rows) => {
    if (!rows.length) return;
    const box = add(answer, "div", undefined, "scroll");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", title);
    const made = add(box, "table");
    add(made, "caption", title);
    const head = add(add(made, "thead"), "tr");
    heads.forEach((h) => { add(head, "th", h).scope = "col"; });
    const body = add(made, "tbody");
    rows.forEach((cells) => {
      const row = add(body, "tr");
      cells.forEach((cell, i) => {
        const made = add(row, i ? "td" : "th", line(cell));
        if (!i) made.scope = "row";
      });
    });
  };
  const documentOf = (column, text, words) => {
    add(answer, "h4", line(column));
    const box = add(answer, "p", undefined, "read");
    box.dir = "auto";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "The document as it was read, " + line(column));
    const points = Array.from(text);
    let at = 0;
    words.filter((w) => w.column === column && w.strength).forEach((w) => {
      if (w.start < at) return;
      box.append(plain(points.slice(at, w.start).join("")));
      add(box, "mark", plain(points.slice(w.start, w.end).join("")),
        (w.strength > 0 ? "f" : "a") + Math.abs(w.strength));
      at = w.end;
    });
    box.append(plain(points.slice(at).join("")));
  };
  const effect = (w) => w.without === undefined ? w.log_odds : w.without;
  const why = (found) => {
    const parts = found.why;
    add(answer, "h4", "Words");
    add(answer, "p", "Solid underline: speaks for the decision (" + line(parts.outcome) +
      " rather than " + line(parts.against) + "). Dotted: against it. Thicker: more.");
    Object.entries(found.documents).filter(([, text]) => text)
      .forEach(([column, text]) => documentOf(column, text, parts.words));
    const strongest = parts.words.filter((w) => w.strength)
      .sort((a, b) => Math.abs(effect(b)) - Math.abs(effect(a))).slice(0, 15)
      .map((w) => [w.word, w.strength > 0 ? "for" : "against", signed(effect(w))]);
    table("The strongest words", ["Word", "Speaks", "Log-odds"], strongest);
    add(answer, "p", line(parts.note));
    const all = parts.words.reduce((sum, w) => sum + w.log_odds, 0);
    const sums = [["all words", signed(all)]];
    parts.columns.slice(0, 15).forEach((c) => sums.push(
      [c.column + " = " + (c.value === null ? "missing" : c.value), signed(c.log_odds)]));
    parts.rest.forEach((r) => sums.push([r.name, signed(r.log_odds)]));
    sums.push(["sum", signed(parts.log_odds)]);
    table("What adds up to the log-odds", ["Part", "Log-odds"], sums);
  };
  const show = (found) => {
    answer.replaceChildren();
    add(answer, "h3", "Decision: " + line(found.action_label));
    const said = add(answer, "ul");
    found.sentences.concat(found.warnings).forEach((s) => add(said, "li", line(s)));
    table("Expected money in " + line(found.currency), ["Action", "Money"],
      Object.entries(found.expected_money).map(([a, m]) => [a, money(m)]));
    if (found.why.not_measured) add(answer, "p", "Not explained: " + line(found.why.not_measured));
    else why(found);
    if (Array.isArray(found.nearest)) table("Nearest documents learnt from",
      ["Row of the source", "Outcome", "Cosine"],
      found.nearest.map((n) => [n.row + 1, n.outcome, n.cosine.toFixed(2)]));
  };
  const refuse = (error) => {
    answer.replaceChildren();
    const box = add(answer, "div", undefined, "problem");
    add(box, "h3", "Not explained: " + line(error.what));
    if (error.mend) add(box, "p", line(error.mend) + ".");
    (error.problems || []).forEach((p) =>
      add(box, "p", line(p.field || "row") + ": got " + line(p.got) + ", need " + line(p.need)));
  };
  const rowOf = () => {
    const row = {};
    form.querySelectorAll("[data-name]").forEach((field) => {
      if (field.value === "") return;
      const kind = field.dataset.type, number = Number(field.value);
      row[JSON.parse(field.dataset.name)] = kind === "number" && !Number.isNaN(number) ? number
        : kind === "boolean" ? field.value === "true" : field.value;
    });
    return row;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    state.textContent = "Working…";
    try {
      const asked = await fetch("/explain", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ rows: [rowOf()] }),
      });
      const found = await asked.json();
      if (asked.ok) show(found); else refuse(found.error);
      state.textContent = asked.ok ? "Explained." : "Not explained.";
    } catch {
      refuse({ what: "the server did not answer", mend: "Ask again" });
      state.textContent = "Not explained.";
    }
    answer.focus();
  });
})();
"""
DIGEST: Final = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()


def panel(fields: Iterable[Field], shown: Callable[[str], str]) -> str:
    """Return the panel's HTML.

    Parameters
    ----------
    fields
        Of the contract.
    shown
        Makes foreign text fit to stand in HTML.
    """
    made = list(enumerate(fields))
    first = [_field(n, f, shown) for n, f in made if f.type == "text" or f.required]
    rest = [_field(n, f, shown) for n, f in made if not (f.type == "text" or f.required)]
    others = ""
    if rest:
        others = f"<details><summary>Other fields ({len(rest)})</summary>{''.join(rest)}</details>"
    return f"""<section aria-labelledby="explain-title">
<h2 id="explain-title">Explain</h2>
<p>See which words of a document speak for the decision and which against it. Nothing that you
send is recorded.</p>
<noscript><p>This panel needs a script; without one, send the row to POST /explain.</p></noscript>
<form id="explain">
{"".join(first)}{others}
<button type="submit">Explain the decision</button>
</form>
<p id="state" role="status"></p>
<div id="answer" tabindex="-1"></div>
</section>
<script>{SCRIPT}</script>
"""


def _field(number: int, field: Field, shown: Callable[[str], str]) -> str:
    # The name as JSON in ASCII: an attribute would lose line ends and other odd characters.
    name = html.escape(json.dumps(field.name, ensure_ascii=True))
    common = f'id="f{number}" data-name="{name}" data-type="{html.escape(field.type)}"'
    common += " required" if field.required else ""
    label = f'<label for="f{number}">{shown(field.name)}</label>'
    if field.type == "text":
        return f'{label}<textarea {common} maxlength="{int(field.limit)}" rows="6"></textarea>'
    if field.type == "boolean":
        options = "".join(f'<option value="{v}">{v}</option>' for v in ("", "true", "false"))
        return f"{label}<select {common}>{options}</select>"
    kind = 'inputmode="decimal"' if field.type == "number" else 'autocomplete="off"'
    return f"{label}<input {common} {kind}>\n"
