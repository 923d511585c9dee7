"""``payoff doctor``."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import click

from payoff.cli.common import json_option, print_json

_PACKAGES: Final = {
    "base": (
        "click",
        "duckdb",
        "jinja2",
        "lightgbm",
        "narwhals",
        "numpy",
        "pyarrow",
        "scikit-learn",
        "scipy",
    ),
    "serve": ("starlette", "uvicorn"),
    "onnx": ("skl2onnx", "onnxruntime"),
    "postgres": ("adbc-driver-postgresql",),
    "text": ("py3langid",),
}
_LOADS: Final = ("lightgbm", "duckdb", "pyarrow", "sklearn")


@click.command(epilog="Example: payoff doctor --json > doctor.json")
@json_option
def command(as_json: bool) -> None:
    """Print versions, extras, engines and paths: what a bug report starts with."""
    found = facts()
    if as_json:
        print_json(found)
    else:
        click.echo(f"payoff {found['payoff']} on Python {found['python']} ({found['platform']})")
        click.echo(f"  program  {found['executable']}")
        click.echo(f"  package  {found['package']}")
        click.echo(f"  CPUs     {found['cpus']}")
        for extra, packages in found["packages"].items():
            words = ", ".join(f"{k} {v or 'MISSING'}" for k, v in packages.items())
            click.echo(f"  {extra:<8} {words}")
        for module, reason in found["broken"].items():
            click.echo(f"  BROKEN   {module}: {reason}")
    if found["broken"]:
        sys.exit(1)


def facts() -> dict[str, Any]:
    """Return what is installed and whether the compiled packages load."""
    import importlib

    import payoff

    broken = {}
    for module in _LOADS:
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:
            hint = " (apt-get install libgomp1)" if "libgomp" in str(error) else ""
            broken[module] = f"{error}{hint}"
    return {
        "payoff": _version("payoff"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "package": str(Path(payoff.__file__).parent),
        "cpus": os.cpu_count(),
        "packages": {
            extra: {name: _version(name) for name in names} for extra, names in _PACKAGES.items()
        },
        "engines": {
            "duckdb": _version("duckdb") is not None,
            "postgres": _version("adbc-driver-postgresql") is not None,
        },
        "broken": broken,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
