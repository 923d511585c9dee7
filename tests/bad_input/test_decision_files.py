"""Every malformed decision file is told in words that say where and how to mend it."""

from __future__ import annotations

import pytest

from payoff.declare.file import from_toml, load, to_toml
from payoff.errors import DeclarationError, ExpressionError
from tests.bad_input.decisions import WRONG
from tests.bad_input.making import RIGHT, assert_well_told, changed, put


def test_right_file_is_right(tmp_path):
    assert load(put(tmp_path, RIGHT)).action_names == ("call", "leave")


def test_there_are_enough_of_them():
    assert len(WRONG) >= 60
    assert len({w.name for w in WRONG}) == len(WRONG)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.name)
def test_wrong_file_is_told(wrong, tmp_path):
    path = put(tmp_path, wrong.text)
    with pytest.raises(DeclarationError) as caught:
        load(path)
    text = assert_well_told(caught.value, wrong.code)
    assert "decision.toml" in text
    for words in wrong.says:
        assert words in text
    assert isinstance(caught.value, ExpressionError) == wrong.code.startswith("PAY-D05")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.name)
def test_line_named_is_in_the_file(wrong, tmp_path):
    with pytest.raises(DeclarationError) as caught:
        load(put(tmp_path, wrong.text))
    where = str(caught.value.where)
    if "line " not in where or isinstance(wrong.text, bytes):
        return
    number = int(where.partition("line ")[2].split(",")[0])
    assert 1 <= number <= wrong.text.count("\n") + 1
    if "key " in where:  # the last word of the key, or of its table, stands on that line
        key = where.partition("key ")[2].split(",")[0]
        line = wrong.text.splitlines()[number - 1]
        names = [k.partition("[")[0] for k in key.split(".")]
        assert any(name in line for name in names) or '"' in line, (key, line)


@pytest.mark.parametrize(
    ("what", "says"),
    [("missing", "No such file"), ("folder", "directory"), ("a/b.toml", "No such file")],
)
def test_decision_that_is_no_file(what, says, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DeclarationError) as caught:
        load(tmp_path / what)
    assert says in assert_well_told(caught.value, "PAY-D002")


def test_decision_path_with_nul():
    with pytest.raises(DeclarationError) as caught:
        load("a\0b.toml")
    assert r"a\x00b.toml" in assert_well_told(caught.value, "PAY-D002")


def test_error_in_the_second_case_names_its_own_line(tmp_path):
    rule = '\n[current_rule]\notherwise = "leave"\n'
    for when in ("x > 1", "x >"):
        rule += f'[[current_rule.cases]]\nwhen = "{when}"\nthen = "call"\n'
    with pytest.raises(ExpressionError) as caught:
        load(put(tmp_path, RIGHT + rule))
    number = (RIGHT + rule).splitlines().index('when = "x >"') + 1
    assert f"line {number}, key current_rule.cases[1].when" in str(caught.value)


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = put(tmp_path, b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode())
    assert load(path) == from_toml(RIGHT)


@pytest.mark.parametrize("word", ["call", "CALL"])
def test_names_may_not_repeat_from_python_either(word):
    from payoff.declare import Action

    decision = from_toml(RIGHT)
    from dataclasses import replace

    with pytest.raises(DeclarationError, match="PAY-D009"):
        replace(decision, actions=(*decision.actions, Action(name=word)))


@pytest.mark.parametrize(
    "edit",
    [
        ('name = "calls"', 'name = "Zürich Ω 客户"'),
        ('unit = "customer"', r'unit = "a\u202eb\u001b[0m"'),
        ('currency = "EUR"', 'currency = "£"'),
        ('call = "Call"', r'call = "</script><script>alert(1)</script>\n"'),
        ("yes = 0", "yes = 1e308"),
        ('yes = "yes"', r'yes = { values = ["a\"b", "it\u0027s", 1, true] }'),
    ],
    ids=["unicode", "controls", "sign", "script", "1e308", "values"],
)
def test_odd_but_right_files_are_read_and_written_back(edit):
    decision = from_toml(changed(edit))
    assert from_toml(to_toml(decision)) == decision
