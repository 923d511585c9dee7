"""``payoff recommend``: lists and their reasons in a terminal, as JSON and for everybody."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from payoff.bundle import RecommendBundle
from tests import shops
from tests.cli.running import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shops.bundle_of(tmp_path_factory.mktemp("shop") / "front")


def test_a_list_in_words(folder, capsys):
    ran = run(capsys, "recommend", folder, "--user", "u8", "--k", "3")
    assert ran.code == 0
    assert "EUR if bought" in ran.out
    assert "1. Because you bought" in ran.out
    assert "\nease; list " in ran.out
    ran = run(capsys, "recommend", folder, "--user", "nobody", "--exclude", "zz,")
    assert "User nobody is not known" in ran.out
    assert "No such items, ignored: zz." in ran.out
    assert "Popular with everybody." in ran.out
    ran = run(capsys, "recommend", folder, "--filter", "price > 900")
    assert ran.out == "Nothing to show.\n"


def test_json_is_what_python_answers(folder, capsys):
    words = ["--session", "i4, i8", "--filter", "price < 9", "--id", "a", "--json"]
    found = run(capsys, "recommend", folder, *words).json
    bundle = RecommendBundle.open(folder)
    assert found == bundle.recommend(session=["i4", "i8"], filter="price < 9", list_id="a")


def test_everybody_to_a_file(folder, tmp_path, capsys):
    file = tmp_path / "lists.parquet"
    ran = run(capsys, "recommend", folder, "--all", "-o", file, "--k", "2", "--json")
    assert ran.json == {"file": str(file), "users": shops.N_USERS, "rows": 2 * shops.N_USERS}
    assert pq.read_table(file).num_rows == 2 * shops.N_USERS
    assert run(capsys, "recommend", folder, "--all", "-o", file).code == 2
    ran = run(capsys, "recommend", folder, "--all", "-o", file, "--force")
    assert ran.out.startswith("60 users, 300 rows: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--all"], "PAY-X010"),
        (["--all", "--user", "u1", "-o", "x.csv"], "PAY-X010"),
        (["-o", "x.csv"], "PAY-X010"),
        (["--all", "-o", "lists.txt"], "PAY-X003"),
        (["--item", "i1", "--user", "u1"], "PAY-S001"),
        (["--item", "no such thing"], "PAY-S001"),
        (["--filter", "colour = 1"], "PAY-D053"),
    ],
)
def test_bad_questions_end_with_two(words, code, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run(capsys, "recommend", folder, *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(code)
    assert list(tmp_path.iterdir()) == []
