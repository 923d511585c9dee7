"""Bytes to rows and answers to bytes. JSON is read strictly: what is doubtful is refused.

A body that two readers could understand in two ways (a key twice, NaN, a whole number that a
double cannot hold) must not decide about money, so each is an error that says where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from payoff.errors import RequestError, listed, show
from payoff.serve.problems import MediaTypeError, SizeError

__all__ = ["MOST_PROBLEMS", "check_headers", "decode", "decode_question", "encode"]

MOST_PROBLEMS: Final = 100
_LARGEST_WHOLE: Final = 2**53
# Python's own limit is 4,300 digits, and converting that many is slow; no quantity needs 400.
_LONGEST_NUMBER: Final = 400
_MEDIA_TYPE: Final = re.compile(
    r'application/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Unfit:
    """A number that JSON can write and a double cannot hold."""

    text: str
    need: str


def check_headers(content_types: Sequence[str], content_encoding: str | None) -> None:
    """Refuse a body that is not announced as uncompressed JSON.

    Raises
    ------
    MediaTypeError
        ``PAY-S007``.
    """
    if len(content_types) != 1 or not _MEDIA_TYPE.fullmatch(content_types[0].strip()):
        raise MediaTypeError.content_type(", ".join(content_types) or None)
    if content_encoding is not None and content_encoding.strip().lower() not in ("", "identity"):
        raise MediaTypeError.content_encoding(content_encoding)


def decode(body: bytes, *, max_rows: int) -> list[dict[str, Any]]:
    """Read a request body as rows of plain values.

    Parameters
    ----------
    body
        ``{"rows": [{...}, ...]}``, or one row as ``{...}``. An object with the key ``rows`` is
        always the first form.
    max_rows
        Most rows of one request.

    Returns
    -------
    list of dict
        At least one row; each value is text, a number, true, false or None.

    Raises
    ------
    RequestError
        ``PAY-S001`` with the field at fault, ``PAY-S002`` when the body has the wrong outer shape.
    SizeError
        ``PAY-S006``.

    Examples
    --------
    >>> decode(b'{"age": 41}', max_rows=1)
    [{'age': 41}]
    """
    rows = _rows_of(_parse(body), max_rows)
    problems: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        for problem in _unfit_fields(row):
            problems.append({"row": number, **problem})
            if len(problems) == MOST_PROBLEMS:
                raise RequestError.invalid(problems)
    if problems:
        raise RequestError.invalid(problems)
    return rows


def decode_question(body: bytes) -> dict[str, Any]:
    """Read a request body as one question: an object whose values may be lists and objects.

    A number beyond a double stands as its text, which no key of a question takes for a number.

    Raises
    ------
    RequestError
        ``PAY-S002`` when the body is no JSON object.

    Examples
    --------
    >>> decode_question(b'{"user": "u-7", "session": [12]}')
    {'user': 'u-7', 'session': [12]}
    """
    value = _parse(body)
    if not isinstance(value, dict):
        raise RequestError.malformed(f"it is {_name(value)} instead of an object")
    return {name: _fit(v) for name, v in value.items()}


def _fit(value: Any) -> Any:
    if isinstance(value, _Unfit):
        return value.text
    if isinstance(value, list):
        return [_fit(v) for v in value]
    return {n: _fit(v) for n, v in value.items()} if isinstance(value, dict) else value


def encode(document: Mapping[str, Any]) -> bytes:
    r"""Write an answer; a number that JSON cannot write is an error here, not at the client's.

    Examples
    --------
    >>> encode({"label": "größer", "odd": "\ud800"})
    b'{"label":"gr\xc3\xb6\xc3\x9fer","odd":"\\ud800"}'
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half a surrogate pair has no UTF-8; its backslash form is also how JSON writes it.
    return text.encode("utf-8", "backslashreplace")


def _parse(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError.malformed(f"byte {error.start + 1} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise RequestError.malformed("it begins with a byte order mark, which JSON does not have")
    if not text.strip():
        raise RequestError.malformed("it is empty")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_real,
            parse_constant=_constant,
        )
    except RecursionError:
        raise RequestError.malformed("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise RequestError.malformed(
            f"{error.msg} at line {error.lineno}, column {error.colno}"
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise RequestError.malformed(f"the key {show(name)} occurs twice in one object")
        seen.add(name)
    return made


def _whole(text: str) -> int | _Unfit:
    if len(text) <= 20:
        value = int(text)
        if abs(value) <= _LARGEST_WHOLE:
            return value
    return _Unfit(
        text, f"a whole number from -{_LARGEST_WHOLE} to {_LARGEST_WHOLE}; an id is sent as text"
    )


def _real(text: str) -> float | _Unfit:
    if len(text) > _LONGEST_NUMBER:
        return _Unfit(text, f"a number of at most {_LONGEST_NUMBER} characters")
    value = float(text)
    return value if math.isfinite(value) else _Unfit(text, "a number below 1.8e308")


def _constant(text: str) -> Any:
    raise RequestError.malformed(f"{text} is not JSON; send null for a missing value")


def _rows_of(value: Any, max_rows: int) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        raise RequestError.malformed(f"it is {_name(value)} instead of an object")
    if "rows" not in value:
        return [value]
    others = [key for key in value if key != "rows"]
    if others:
        raise RequestError.malformed(f"there are keys beside 'rows': {listed(others, 3)}")
    rows = value["rows"]
    if not isinstance(rows, list):
        raise RequestError.malformed(f"'rows' is {_name(rows)} instead of a list")
    if not rows:
        raise RequestError.malformed("'rows' is an empty list")
    if len(rows) > max_rows:
        raise SizeError.rows(len(rows), max_rows)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise RequestError.malformed(f"row {number} is {_name(row)} instead of an object")
    return rows


def _unfit_fields(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with a row whatever the contract says."""
    if not row:
        yield {
            "field": None,
            "got": "a row without fields",
            "need": "at least one field",
            "mend": "Send what is known of the unit; fields are described at /openapi.json",
        }
    for name, value in row.items():
        got = need = None
        if _SURROGATE.search(name):
            got, need = "half a surrogate pair in the field's name", "a name of whole characters"
        elif isinstance(value, _Unfit):
            got, need = show(value.text, 40), value.need
        elif isinstance(value, str):
            if _SURROGATE.search(value):
                got, need = "half a surrogate pair", "text of whole characters"
        elif not (value is None or isinstance(value, int | float)):
            got, need = _name(value), "text, a number, true, false or null"
        if got:
            field = name[:200]
            yield {"field": field, "got": got, "need": need, "mend": f"Correct {show(field)}"}


def _name(value: Any) -> str:
    """Name a JSON type as a person would."""
    if isinstance(value, bool):
        return "true or false"
    names = {dict: "an object", list: "a list", str: "text", type(None): "null"}
    return names.get(type(value), "a number")
