"""The page in a real browser: it shows, it fits a telephone, and it prints."""

from __future__ import annotations

import re
import subprocess

import pytest

from payoff.report import documents
from tests.report.examples import HOSTILE, binary, hostile, predictions_only, refuse

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip

# Measured by the page's own style, because the policy lets no script run: an image of the page as
# wide as the window shows what is cut off, but only a frame around the page shows what overflows.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><title>waiting</title>
<iframe id="f" width="{width}" height="900" srcdoc="{page}"></iframe>
<script>
const f = document.getElementById("f");
f.onload = () => {{
  const d = f.contentDocument.documentElement;
  const wide = [...f.contentDocument.querySelectorAll("main *")].filter((e) =>
    !e.closest(".scroll, pre") && e.getBoundingClientRect().right > {width} + 1);
  const small = [...f.contentDocument.querySelectorAll("svg")].filter((e) =>
    e.getBoundingClientRect().width > 0 &&
    13 * e.getBoundingClientRect().width / e.viewBox.baseVal.width < 11);
  const styled = getComputedStyle(f.contentDocument.body).marginTop === "0px";
  document.title = `scroll=${{d.scrollWidth}} wide=${{wide.length}} small=${{small.length}} ` +
    `styled=${{styled}} scripts=${{f.contentWindow.ran === undefined ? 0 : 1}}`;
}};
</script>"""


@pytest.fixture
def browse(chromium, tmp_path):
    """Return a function that runs the browser on a page with some more flags."""

    def run(page, *flags):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        command = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *flags]
        return subprocess.run(
            [*command, path.as_uri()], capture_output=True, timeout=120, check=True
        ).stdout.decode()

    return run


def attribute(text):
    return text.replace("&", "&amp;").replace('"', "&quot;")


@pytest.mark.parametrize("width", [320, 400, 700, 1200])
@pytest.mark.parametrize(
    "make",
    [binary, refuse, predictions_only, *(lambda t=t: hostile(t) for t in (HOSTILE[0], HOSTILE[8]))],
)
def test_page_fits_its_window(browse, make, width):
    page = documents(make())["report.html"]
    probe = PROBE.format(width=width, page=attribute(page))
    dom = browse(probe, "--dump-dom", "--virtual-time-budget=5000", "--window-size=1400,1000")
    title = re.search("<title>(.*?)</title>", dom)[1]
    assert title == f"scroll={width} wide=0 small=0 styled=true scripts=0"


@pytest.mark.parametrize("make", [binary, refuse, predictions_only])
def test_manager_gets_one_sheet_of_paper(browse, tmp_path, make):
    page = documents(make())["report.html"]
    only = re.sub(r'<article class="reader (analyst|engineer)".*?</article>', "", page, flags=re.S)
    only = re.sub("<footer>.*?</footer>", "", only, flags=re.S)
    target = tmp_path / "page.pdf"
    browse(only, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    pages = re.findall(rb"/Type\s*/Page\b", target.read_bytes())
    assert len(pages) == 1
