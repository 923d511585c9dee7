"""The panel of a decision about documents, in a real browser and with hostile answers."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from payoff.load.fields import Field
from payoff.serve.page import page, policy_of
from payoff.serve.panel import SCRIPT
from tests.serve.asking import client_of
from tests.serve.fakes import HOSTILE, FakeBundle
from tests.serve.test_document import Tags

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip
NAME = 'line\nend "quoted" <b>'
FIELDS = (
    Field(name=NAME, type="text", longest=900, limit=5_000),
    Field(name="amount", type="number", role="money", required=True, low=0.5, high=900.0),
    Field(name=HOSTILE, type="category", categories=("cook",), n_categories=1),
    Field(name="member", type="boolean", n_categories=2),
)
DOCUMENT = (
    "😀 pay </script><script>parent.ran=1</script> <img src=x onerror='parent.ran=1'> שלום \u202e"
)
ANSWER = {
    "action": "call", "action_label": HOSTILE, "currency": "EUR", "unit_id": None,
    "expected_money": {"call": 5.0, "leave": -1234.5},
    "sentences": [HOSTILE, "W" * 500], "warnings": [DOCUMENT],
    "documents": {NAME: DOCUMENT},
    "why": {
        "outcome": "yes", "against": HOSTILE, "log_odds": 1.5, "method": "exact", "note": "",
        "words": [
            {"column": NAME, "word": "pay", "start": 2, "end": 5, "log_odds": 2.0, "strength": 3},
            {"column": NAME, "word": "script", "start": 8, "end": 14, "log_odds": -0.5,
             "strength": -1},
        ],
        "columns": [{"column": HOSTILE, "value": DOCUMENT, "log_odds": 0.1}],
        "rest": [{"name": "intercept", "log_odds": -0.1}],
    },
    "nearest": [{"row": 4, "outcome": HOSTILE, "cosine": 0.5}],
    "removal": {"action": "call", "removed": None, "becomes": None, "tried": 3},
}  # fmt: skip
PROBE = """<!DOCTYPE html><meta charset="utf-8"><title>waiting</title>
<iframe id="f" width="{width}" height="900" srcdoc="{page}"></iframe>
<script>
const f = document.getElementById("f");
f.onload = () => {{
  const inside = f.contentDocument, answer = {answer};
  let sent = "";
  f.contentWindow.fetch = (path, how) => {{
    sent = path + " " + how.body;
    return Promise.resolve({{ ok: !answer.error, json: () => Promise.resolve(answer) }});
  }};
  inside.getElementById("f0").value = "my card";
  inside.getElementById("f1").value = "20.5";
  inside.getElementById("f3").value = "true";
  inside.getElementById("explain").requestSubmit();
  setTimeout(() => {{
    const wide = [...inside.querySelectorAll("main *")].filter((e) =>
      !e.closest(".scroll, pre, table") && e.getBoundingClientRect().right > {width} + 1);
    const marks = [...inside.querySelectorAll("mark")].map((m) => m.className + m.textContent);
    document.title = JSON.stringify({{
      sent, marks, wide: wide.length, scroll: inside.documentElement.scrollWidth,
      focus: inside.activeElement.id, state: inside.getElementById("state").textContent,
      scripts: inside.querySelectorAll("script").length, ran: window.ran === undefined ? 0 : 1,
      images: inside.querySelectorAll("img").length,
      odd: /[\\u202a-\\u202e]/.test(inside.querySelector("main").innerText),
      text: inside.getElementById("answer").innerText.slice(0, 4000),
    }});
  }}, 300);
}};
</script>"""


def bundle():
    return FakeBundle(fields=FIELDS, title=HOSTILE)


def attribute(text):
    return text.replace("&", "&amp;").replace('"', "&quot;")


def shown(chromium, tmp_path, width, answer):
    """Return what the panel made of an answer."""
    safe = json.dumps(answer).replace("<", "\\u003c")
    probe = PROBE.format(width=width, page=attribute(page(bundle(), "http://x")), answer=safe)
    path = tmp_path / "probe.html"
    path.write_text(probe, encoding="utf-8")
    command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
               "--virtual-time-budget=5000", "--window-size=1400,1000", path.as_uri()]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()
    title = re.search("<title>(.*?)</title>", dom, re.DOTALL)[1]
    for mark, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        title = title.replace(mark, character)
    return json.loads(title)


def test_only_decisions_about_documents_have_a_script():
    response = client_of(bundle()).get("/")
    policy = response.headers["content-security-policy"]
    assert policy == policy_of(bundle())
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    tags = Tags(response.text)
    assert tags.tags.count("script") == 1
    assert SCRIPT in response.text
    assert "innerHTML" not in SCRIPT
    assert "script" not in Tags(client_of().get("/").text).tags


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1200])
def test_an_explanation_shows_as_text(chromium, tmp_path, width):
    found = shown(chromium, tmp_path, width, ANSWER)
    path, _, body = found["sent"].partition(" ")
    assert path == "/explain"
    assert json.loads(body) == {"rows": [{NAME: "my card", "amount": 20.5, "member": True}]}
    assert found["marks"] == ["f3pay", "a1script"]
    assert (found["scripts"], found["ran"], found["images"]) == (1, 0, 0)
    assert not found["odd"]
    assert (found["wide"], found["scroll"]) == (0, width)
    assert found["focus"] == "answer"
    assert found["state"] == "Explained."
    assert "1,234.50" in found["text"]


@pytest.mark.browser
def test_a_refusal_says_what_to_do(chromium, tmp_path):
    error = {"error": {"what": HOSTILE, "mend": "Send less", "problems": [
        {"row": 0, "field": HOSTILE, "got": "'x'", "need": "a number", "mend": ""}]}}  # fmt: skip
    found = shown(chromium, tmp_path, 400, error)
    assert "Send less." in found["text"]
    assert (found["scripts"], found["ran"], found["wide"]) == (1, 0, 0)
    assert found["state"] == "Not explained."
