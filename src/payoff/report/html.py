"""The page: one HTML file that needs no network, no script and no other file.

The content security policy lets nothing in but the one style sheet, named by its hash. Rendering is
pure: the same view gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from payoff.report import charts

__all__ = ["page"]

_MARKS: Final = {"deploy": "✓", "uncertain": "?", "refuse": "✕", "unknown": "?"}


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("payoff.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _drawing(spec: Mapping[str, Any], ident: str) -> Markup:
    """Mark a drawing as ready for the page: every text in it has been escaped."""
    return Markup(charts.draw(spec, ident))  # noqa: S704


def page(view: Mapping[str, Any]) -> str:
    """Return the HTML page of a view made by :func:`payoff.report.summarise.summarise`."""
    environment = _environment()
    style = "\n" + _dense(_source(environment, "style.css"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    environment.globals["drawing"] = _drawing
    text = environment.get_template("page.html.j2").render(
        view=view,
        style=style,
        policy=policy,
        marks=_MARKS,
    )
    return _dense(text)


def _dense(text: str) -> str:
    """Drop the blank lines that template tags leave behind."""
    return "".join(line + "\n" for line in text.split("\n") if line.strip())


def _source(environment: Environment, name: str) -> str:
    loader = environment.loader
    if loader is None:
        raise LookupError(name)
    return loader.get_source(environment, name)[0]
