"""Bodies are read strictly, and every refusal says what and where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payoff.errors import RequestError
from payoff.serve.problems import MediaTypeError, SizeError
from payoff.serve.wire import check_headers, decode, encode

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
)
ROWS = st.lists(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs",)), max_size=8), PLAIN, min_size=1
    ),
    min_size=1,
    max_size=5,
)

# Bodies that have no right reading: code of the refusal, and a word that its message must have.
MALFORMED = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t ", "empty"),
    "no json": (b"age=41", "Expecting value at line 1, column 1"),
    "cut off": (b'{"rows": [{"age": 4', "line 1"),
    "two values": (b'{"age": 1} {"age": 2}', "Extra data"),
    "trailing comma": (b'{"age": 1,}', "line 1"),
    "single quotes": (b"{'age': 1}", "line 1"),
    "comment": (b'{"age": 1} // forty', "Extra data"),
    "not utf-8": (b'{"job": "\xe9t\xe9"}', "byte 10 is not UTF-8"),
    "utf-16": ('{"age": 1}'.encode("utf-16"), "not UTF-8"),
    "overlong utf-8": (b'{"job": "\xc0\xaf"}', "not UTF-8"),
    "encoded surrogate": (b'{"job": "\xed\xa0\x80"}', "not UTF-8"),
    "byte order mark": (b'\xef\xbb\xbf{"age": 1}', "byte order mark"),
    "raw control": (b'{"job": "a\x00b"}', "control character"),
    "number alone": (b"41", "a number instead of an object"),
    "text alone": (b'"rows"', "text instead of an object"),
    "null alone": (b"null", "null instead of an object"),
    "true alone": (b"true", "true or false instead of an object"),
    "list of rows": (b'[{"age": 1}]', "a list instead of an object"),
    "huge number alone": (b"1e999", "a number instead of an object"),
    "rows is null": (b'{"rows": null}', "null instead of a list"),
    "rows is an object": (b'{"rows": {"age": 1}}', "an object instead of a list"),
    "no rows": (b'{"rows": []}', "empty list"),
    "row is a list": (b'{"rows": [{"age": 1}, [1]]}', "row 1 is a list"),
    "row is null": (b'{"rows": [null]}', "row 0 is null"),
    "keys beside rows": (b'{"rows": [{"age": 1}], "age": 2}', "beside 'rows'"),
    "key twice": (b'{"age": 1, "age": 2}', "'age' occurs twice"),
    "key twice, escaped": (b'{"age": 1, "\\u0061ge": 2}', "'age' occurs twice"),
    "rows twice": (b'{"rows": [{"age": 1}], "rows": [{"age": 2}]}', "'rows' occurs twice"),
    "key twice, deep": (b'{"rows": [{"a": {"b": 1, "b": 2}}]}', "'b' occurs twice"),
    "nan": (b'{"age": NaN}', "NaN is not JSON"),
    "infinity": (b'{"age": Infinity}', "Infinity is not JSON"),
    "minus infinity": (b'{"rows": [{"age": -Infinity}]}', "-Infinity is not JSON"),
    "hexadecimal": (b'{"age": 0x10}', "line 1"),
    "leading zero": (b'{"age": 041}', "line 1"),
    "deep lists": (b"[" * 200_000, "nested too deeply"),
    "deep objects": (b'{"rows":' * 100_000, "nested too deeply"),
    "deep value": (b'{"age": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
}

# Rows with a value that no field can have: the field at fault, and a word of what was needed.
UNFIT = {
    "no field": (b"{}", None, "at least one field"),
    "no field in a batch": (b'{"rows": [{}]}', None, "at least one field"),
    "beyond a double": (b'{"age": 1e400}', "age", "1.8e308"),
    "far below a double": (b'{"age": -1e400}', "age", "1.8e308"),
    "odd whole number": (b'{"age": 9007199254740993}', "age", "9007199254740992"),
    "wide whole number": (b'{"age": 123456789012345678901234567890}', "age", "id is sent as text"),
    "a million digits": (b'{"age": ' + b"9" * 1_000_000 + b"}", "age", "whole number"),
    "a million decimals": (b'{"age": 0.' + b"3" * 1_000_000 + b"}", "age", "400 characters"),
    "list": (b'{"age": [41]}', "age", "text, a number"),
    "object": (b'{"age": {"$gt": 0}}', "age", "text, a number"),
    "half a pair": (b'{"job": "\\ud800"}', "job", "whole characters"),
    "half a pair in a name": (b'{"\\udfff": 1}', "\udfff", "whole characters"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_body_of_the_wrong_shape_is_refused_in_words(name):
    body, word = MALFORMED[name]
    with pytest.raises(RequestError) as caught:
        decode(body, max_rows=10)
    assert (caught.value.code, caught.value.status) == ("PAY-S002", 422)
    assert word in caught.value.got
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", UNFIT)
def test_a_value_that_no_field_can_have_is_refused_by_name(name):
    body, field, word = UNFIT[name]
    with pytest.raises(RequestError) as caught:
        decode(body, max_rows=10)
    assert (caught.value.code, caught.value.status) == ("PAY-S001", 422)
    [problem] = caught.value.problems
    assert problem["row"] == 0
    assert problem["field"] == field
    assert word in problem["need"]
    assert set(problem) == {"row", "field", "got", "need", "mend"}
    assert len(json.dumps(problem)) < 600


def test_every_unfit_value_is_listed_up_to_a_hundred():
    with pytest.raises(RequestError) as caught:
        decode(b'{"rows": [{"a": 1e999}, {"b": 1}, {"c": []}]}', max_rows=10)
    assert [(p["row"], p["field"]) for p in caught.value.problems] == [(0, "a"), (2, "c")]
    with pytest.raises(RequestError) as caught:
        decode(json.dumps({"rows": [{"a": []}] * 500}).encode(), max_rows=500)
    assert len(caught.value.problems) == 100


def test_more_rows_than_the_limit_are_another_status():
    with pytest.raises(SizeError) as caught:
        decode(b'{"rows": [{"a": 1}, {"a": 2}, {"a": 3}]}', max_rows=2)
    assert (caught.value.code, caught.value.status) == ("PAY-S006", 413)
    assert "3 rows" in caught.value.got


def test_the_largest_exact_whole_numbers_are_taken():
    assert decode(b'{"a": 9007199254740992, "b": -9007199254740992}', max_rows=1) == [
        {"a": 2**53, "b": -(2**53)}
    ]


def test_one_object_is_one_row_and_text_keeps_its_characters():
    body = '{"job": "größer 😀 \\u0000 \\ud83d\\ude00"}'.encode()
    assert decode(body, max_rows=1) == [{"job": "größer 😀 \x00 😀"}]


@given(rows=ROWS)
def test_whatever_json_can_say_exactly_is_read_exactly(rows):
    assert decode(json.dumps({"rows": rows}).encode(), max_rows=5) == rows
    assert json.loads(encode({"rows": rows})) == {"rows": rows}


@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]":,rows1e9.NaN\\u ', max_size=40))
def test_any_bytes_are_rows_or_a_refusal(body):
    body = body if isinstance(body, bytes) else body.encode()
    try:
        rows = decode(body, max_rows=3)
    except RequestError:
        return
    assert 1 <= len(rows) <= 3
    encode({"rows": rows})


def test_an_answer_that_json_cannot_write_is_an_error_here():
    with pytest.raises(ValueError, match="JSON"):
        encode({"money": float("nan")})


@pytest.mark.parametrize(
    "value",
    ["application/json", "Application/JSON; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf8_is_taken(value):
    check_headers([value], None)
    check_headers([value], "identity")


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["text/plain"],
        ["application/x-www-form-urlencoded"],
        ["multipart/form-data; boundary=x"],
        ["application/jsonp"],
        ["application/json; charset=latin-1"],
        ["application/json, text/plain"],
        ["application/json", "application/json"],
    ],
)
def test_another_content_type_is_refused(values):
    with pytest.raises(MediaTypeError) as caught:
        check_headers(values, None)
    assert (caught.value.code, caught.value.status) == ("PAY-S007", 415)


def test_a_compressed_body_is_refused():
    with pytest.raises(MediaTypeError, match="compressed"):
        check_headers(["application/json"], "gzip")
