"""Each numbered check finds what was planted, and passes where nothing was."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from payoff.cli.main import group
from payoff.declare.file import from_toml, load, to_toml
from payoff.errors import DeclarationError, PayoffError
from payoff.load.interactions.checks import check
from payoff.load.interactions.sheet import gini, sheet_of, top_share
from payoff.load.interactions.split import split_interactions
from tests.conftest import ROOT
from tests.load.interactions.making import busy, declared, shop


def found(rows, more=""):
    data = shop(rows, more)
    parts = split_interactions(data)
    return {c.code: c for c in check(data, parts, sheet_of(data, parts))}


def test_a_tidy_shop_has_no_issue():
    assert [c.code for c in found(busy()).values() if c.status == "issue"] == []


@pytest.mark.parametrize(
    ("code", "rows", "more", "words"),
    [
        ("PAY-L131", [*busy(), *[("", "i1", 5, 1, 1.0)] * 40], "", "no user in 40 rows (EUR 40)"),
        ("PAY-L132", busy(), '[split]\nmethod = "random"\n', "of the judging interactions"),
        ("PAY-L133", [*busy(), *[busy()[0]] * 50], "", "They are dropped"),
        (
            "PAY-L134",
            [*busy(), *[("u1", "i1", 0, -9, 1.0), ("u2", "i2", 0, -9, 1.0)]],
            "",
            "2 of them (100 %",
        ),
        ("PAY-L135", [*busy(), *[("bot", f"i{n % 30}", n % 100, 1, 1.0) for n in range(300)]], "",
         "the busiest one makes 300"),
        ("PAY-L137", [*busy(), ("u1", "POST", 5, 1, 1.0)], "", "POST (1)"),
        ("PAY-L138", [(u, i if d < 70 else "i1", d, n, p) for u, i, d, n, p in busy()], "",
         "would waste places"),
        ("PAY-L140", [(u, f"i{i}", 4 * d + i, 1, 1.0) for u in "abcdefgh" for d in range(20)
                      for i in range(3)], "[list]\nrepeats = false\n", "come back"),
        ("PAY-L142", [(u, i, d, n, 0.0) for u, i, d, n, _ in busy()], "", "earned nothing"),
    ],
)  # fmt: skip
def test_planted_faults_are_found(code, rows, more, words):
    if code == "PAY-L140":
        rows = [*rows, *[(f"v{n}", f"i{n % 30}", n, 1, 1.0) for n in range(100)]]
    result = found(rows, more)[code]
    assert result.status == "issue"
    assert words in result.detail
    assert result.mend


def test_tips():
    cold = [*busy(), *[(f"new{n}", "i1", 95, 1, 1.0) for n in range(60)]]
    assert found(cold)["PAY-L139"].status == "tip"
    spelt = [*busy(), ("u1", "I1", 5, 1, 1.0)]
    assert "'I1'" in found(spelt)["PAY-L141"].detail
    best = [*busy(), *[(f"u{n % 25}", "i1", n // 25, 1, 1.0) for n in range(400)]]
    assert found(best)["PAY-L136"].status == "tip"


def test_items_absent_by_chance_are_not_called_gone():
    rare = [*busy(), *[("u1", f"rare{n}", n % 60, 1, 1.0) for n in range(60)]]
    result = found(rare)["PAY-L138"]
    assert result.status == "passed"
    assert "For 0 of them" in result.detail
    last = found(busy(), '[split]\nmethod = "last"\n')["PAY-L138"]
    assert last.status == "not_applicable"


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_gini_is_half_the_mean_difference_over_the_mean(amounts):
    x = np.array(amounts, dtype=float)
    if x.sum() == 0:
        assert gini(x) == 0
        return
    brute = np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())
    assert gini(x) == pytest.approx(brute)
    assert top_share(x, 1.0) == pytest.approx(1)


# ------------------------------------------------------------------------------ command line


@pytest.fixture
def folder(tmp_path):
    import pyarrow.parquet as pq

    from tests.load.interactions.making import HEAD, table

    pq.write_table(table(busy()), tmp_path / "rows.parquet")
    text = HEAD + 'source = "rows.parquet"\n[interactions.exclude]\nPOST = "postage"\n'
    (tmp_path / "decision.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_check_prints_and_answers_json(folder):
    path = str(folder / "decision.toml")
    said = CliRunner().invoke(group, ["check", path, "--all"])
    assert said.exit_code == 0, said.output
    assert "25 users with 30 items" in said.output
    assert "PAY-L142" in said.output
    answer = json.loads(CliRunner().invoke(group, ["check", path, "--json"]).output)
    assert answer["interactions"]["n_users"] == 25
    assert answer["split"]["method"] == "time"
    assert {c["code"] for c in answer["checks"]} >= {f"PAY-L{n}" for n in range(131, 143)}


def test_judging_row_by_row_is_refused(folder):
    path = str(folder / "decision.toml")
    said = CliRunner().invoke(group, ["judge", str(folder / "rows.parquet"), "--decision", path])
    assert said.exit_code != 0
    assert "PAY-D013" in (said.output + str(said.exception))


# -------------------------------------------------------------------------------- declaration


def test_file_and_declaration_round_trip():
    text = """
margin = 0.5
cancelled = "n < 0"
where = "each > 0"
[interactions.exclude]
POST = "postage"
[items]
id = "sku"
source = "i.csv"
from = "a"
until = "b"
[users]
id = "who"
source = "u.csv"
[users.exclude]
"test*" = "our own"
[stock]
item = "sku"
source = "s.csv"
from = "a"
[list]
length = 5
repeats = false
shown_to = "known"
filter = "brand <> 'none'"
at_most = { brand = 2, "a b" = 3 }
item_groups = ["brand"]
explore = 0.05
cpu_hour = 0.04
fits_per_period = 4
[[list.constraints]]
measure = "coverage"
at_least = 0.2
reason = "the long tail"
[[list.constraints]]
measure = "share:brand=own"
at_most = 0.4
reason = "own brand"
[payoffs.show]
hit = { money = "margin - 1", source = "Finance" }
miss = -0.01
[split]
choose_from = "2026-02-01"
judge_from = "2026-03-01"
"""
    one = declared(text)
    assert from_toml(to_toml(one)) == one
    assert one.recommend.items.from_ == "a"
    assert one.recommend.list.constraints[1].item_group == ("brand", "own")


CONSTRAINT = '[[list.constraints]]\nmeasure = "{}"\nreason = "because"\n{}\n'


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[outcomes]\nyes = 1\n", "PAY-D006"),
        ("[past]\naction = 'x'\n", "PAY-D006"),
        ("[payoffs.call]\nhit = 1\n", "PAY-D007"),
        ("[payoffs.show]\nbuy = 1\n", "PAY-D007"),
        ("[payoffs.show]\nhit = 'margin'\n", "PAY-D006"),
        ("[payoffs.show]\nmiss = 'value'\n", "PAY-D006"),
        ("[list]\nlength = 0\n", "PAY-D006"),
        ("[list]\nlenght = 10\n", "PAY-D003"),
        ("[list]\nshown_to = 'all'\n", "PAY-D006.*list.shown_to"),
        ("[list]\nfilter = '1'\n", "PAY-D006.*list.filter"),
        ("[list]\nfilter = 'brand ='\n", "PAY-D051.*list.filter"),
        ("[list]\nat_most = { brand = 0 }\n", "PAY-D006.*list.at_most.brand"),
        ("[list]\nat_most = { brand = 1.5 }\n", "PAY-D005.*list.at_most.brand"),
        ("[list]\nexplore = 2\n", "PAY-D006.*list.explore"),
        ("[list]\ncpu_hour = -1\n", "PAY-D006.*list.cpu_hour"),
        ("[list]\nfits_per_period = -1\n", "PAY-D006.*list.fits_per_period"),
        ("[list]\nitem_groups = ['brand', 'brand']\n", "PAY-D009.*list.item_groups"),
        ("[list]\nitem_groups = ['brand']\n", r"PAY-D004.*key items(.|\n)*list.item_groups"),
        (CONSTRAINT.format("accuracy", "at_least = 0.2"), "PAY-D006.*constraints.0..measure"),
        (CONSTRAINT.format("coverage", "at_least = 2"), "PAY-D006.*constraints.0..at_least"),
        (CONSTRAINT.format("ndcg", ""), "PAY-D004.*constraints.0..at_least"),
        (CONSTRAINT.format("ndcg", "at_least = 0.4\nat_most = 0.2"), "PAY-D006.*at_least"),
        (
            CONSTRAINT.format("ndcg", "at_least = 0.4").replace("because", " "),
            "PAY-D004.*constraints.0..reason",
        ),
        (CONSTRAINT.format("share:brand=own", "at_most = 0.2"), r"PAY-D007.*constraints.0..meas"),
        (CONSTRAINT.format("share:brand", "at_most = 0.2"), "PAY-D006.*constraints.0..measure"),
        (
            CONSTRAINT.format("ndcg", "at_least = 0.1") * 2,
            "PAY-D009.*constraints.1..measure",
        ),
        ("duplicates = 'guess'\n", "PAY-D006"),
        ("cancelled = '1'\n", "PAY-D006"),
        ("value = 'each'\n", "PAY-D006"),
        ("margin = '0.3 *'\n", "PAY-D051"),
        ("[interactions.exclude]\nPOST = ''\n", "PAY-D006"),
        ("[stock]\nitem = 'sku'\n", "PAY-D004"),
    ],
)
def test_wrong_declarations_are_refused(more, words):
    with pytest.raises(DeclarationError, match=words):
        declared(more)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("at_most = { brnd = 2 }", "PAY-L004(.|\n)*'brand'"),
        ('item_groups = ["kind"]', "PAY-L004(.|\n)*list.item_groups"),
        ("filter = \"bran = 'own'\"", "PAY-D053.*list.filter"),
    ],
)
def test_rules_of_lists_read_attributes_that_items_have(tmp_path, rule, words):
    (tmp_path / "items.csv").write_text("sku,brand\ni1,own\ni2,other\n", encoding="utf-8")
    more = f'[items]\nid = "sku"\nsource = "{tmp_path}/items.csv"\n[list]\n{rule}\n'
    with pytest.raises(PayoffError) as error:
        shop(busy(), more)
    assert re.search(words, str(error.value))


def test_tables_of_one_kind_are_not_those_of_another():
    text = next((ROOT / "examples").rglob("decision.toml"))
    with pytest.raises(DeclarationError, match=r"PAY-D006.*list"):
        from_toml(text.read_text(encoding="utf-8") + "\n[list]\nlength = 3\n")
    assert load(text).recommend is None


def test_real_shop(shared_data):
    head = """
schema_version = 1
[decision]
name = "shop"
kind = "recommend"
currency = "GBP"
[interactions]
user = "CustomerID"
item = "StockCode"
time = "InvoiceDate"
quantity = "Quantity"
price = "UnitPrice"
"""
    from payoff.load.interactions.read import read_interactions

    path = shared_data / "recsys" / "uci_online_retail.parquet"
    data = read_interactions(declared(head=head), data=path)
    assert len(data.users) == 4339  # 4,372 customers, of whom 33 only returned
    assert data.facts["left_out"]["no_user"] == 135_080
    import duckdb

    want = duckdb.sql(
        "select count(*), sum(q * p) from (select distinct CustomerID, StockCode, InvoiceDate, "
        f"Quantity as q, UnitPrice as p from '{path}' where CustomerID is not null and q > 0)"
    ).fetchall()[0]
    assert data.events.value.sum() == pytest.approx(float(want[1]), rel=1e-6)
    assert data.facts["cancellations"] < 8905
