"""National ids of persons: their forms and check digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["luhn", "national_ids"]

Check = Callable[[str], bool]


def luhn(digits: str) -> bool:
    """Whether a number ends in its Luhn check digit (ISO/IEC 7812-1, annex B).

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _is_date(year: str, month: str, day: str) -> bool:
    return year.isdigit() and 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _yes(_: str) -> bool:
    return True


def _nhs(n: str) -> bool:
    check = 11 - sum(int(d) * w for d, w in zip(n, range(10, 1, -1), strict=False)) % 11
    return check % 11 == int(n[9]) and check != 10


def _dni(n: str) -> bool:
    number = n[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == n[-1]


_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21] * 2
        + [2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23],
        strict=True,
    )
)


def _codice(n: str) -> bool:
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in n[1:15:2])
    return chr(65 + (even + sum(_ODD[c] for c in n[0:15:2])) % 26) == n[15]


def _nir(n: str) -> bool:
    number = n[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(n[13:])


def _steuer(n: str) -> bool:
    """ISO 7064 mod 11, 10; and of the first ten digits one occurs twice or three times."""
    counts = sorted(n[:10].count(d) for d in set(n[:10]))
    if n[0] == "0" or counts[-1] not in (2, 3) or len(counts) < 8:
        return False
    product = 10
    for digit in n[:10]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(n[10])


def _bsn(n: str) -> bool:
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(d) * w for d, w in zip(n.zfill(9), weights, strict=True))
    return total % 11 == 0 and int(n) > 0


def _pesel(n: str) -> bool:
    total = sum(int(d) * w for d, w in zip(n, (1, 3, 7, 9) * 3, strict=False) if w)
    month = int(n[2:4]) % 20
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    total = sum(int(d) * w for d, w in zip(n, weights, strict=True))
    return total % 10 == 0 and _is_date(n[:2], str(month), n[4:6])


def _cpf(n: str) -> bool:
    if len(set(n)) == 1:
        return False
    for size in (9, 10):
        total = sum(int(d) * w for d, w in zip(n, range(size + 1, 1, -1), strict=False))
        if total * 10 % 11 % 10 != int(n[size]):
            return False
    return True


_DIHEDRAL: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_SHUFFLES: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _verhoeff(n: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(n)):
        check = int(_DIHEDRAL[check][int(_SHUFFLES[place % 8][int(digit)])])
    return check == 0


def _ean(n: str) -> bool:
    return sum(int(d) * (1 + 2 * (k % 2)) for k, d in enumerate(n)) % 10 == 0


def _personnummer(n: str) -> bool:
    short = n[-10:]
    return _is_date(short[:2], short[2:4], short[4:6]) and luhn(short)


def _china(n: str) -> bool:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(n[:17], weights, strict=True))
    return _is_date(n[6:10], n[10:12], n[12:14]) and "10X98765432"[total % 11] == n[17]


def _hetu(n: str) -> bool:
    mark = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(n[:6] + n[7:10]) % 31]
    return _is_date(n[4:6], n[2:4], n[:2]) and mark == n[10]


def _belgium(n: str) -> bool:
    number = int(n[:9])
    return int(n[9:]) in (97 - number % 97, 97 - (2_000_000_000 + number) % 97)


def _denmark(n: str) -> bool:
    return _is_date(n[4:6], n[2:4], n[:2])


#: Form, check of the marks without separators, and the words one of which must stand before it
#: where form and check alone would take too many other numbers for an id.
_FORMS: Final[tuple[tuple[str, Check, str], ...]] = (
    (r"(?!000|666|9\d\d)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}", _yes, ""),  # US SSN
    (r"9\d\d([- ])[5-9]\d\1\d{4}", _yes, ""),  # US ITIN
    (r"(?!000|666|9\d\d)\d{9}", _yes, r"ssn|social security"),
    (
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        _yes,
        "",
    ),  # UK national insurance
    (r"\d{3}[- ]?\d{3}[- ]?\d{4}", _nhs, r"nhs"),
    (r"(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]", _dni, ""),  # Spain
    (r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _codice, ""),  # Italy
    (
        r"[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d",
        _nir,
        "",
    ),  # France
    (r"[1-9]\d \d{3} \d{3} \d{3}", _steuer, ""),  # Germany, tax
    (r"[1-9]\d{10}", _steuer, r"steuer|tax ?(?:id|number|identification)|idnr"),
    (r"\d{8,9}|\d{4}[. ]\d\d[. ]\d{3}", _bsn, r"bsn|burgerservice|sofi"),  # Netherlands
    (r"\d{11}", _pesel, r"pesel"),  # Poland
    (r"\d{3}\.\d{3}\.\d{3}-\d\d", _cpf, ""),  # Brazil
    (r"\d{11}", _cpf, r"cpf"),
    (r"[2-9]\d{3} \d{4} \d{4}", _verhoeff, ""),  # India
    (r"[2-9]\d{11}", _verhoeff, r"aadhaa?r|uidai?"),
    (r"(?:19|20)?\d{6}[-+]\d{4}", _personnummer, ""),  # Sweden
    (r"756\.?\d{4}\.?\d{4}\.?\d\d", _ean, ""),  # Switzerland
    (r"\d{3}([- ])\d{3}\1\d{3}", luhn, r"\bsin\b|social insurance"),  # Canada
    (r"\d{17}[\dX]", _china, ""),
    (r"\d{6}[-+A]\d{3}[0-9A-Y]", _hetu, ""),  # Finland
    (r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", _belgium, ""),
    (r"\d{6}-\d{4}", _denmark, r"cpr|personnummer"),
)
_EVERY: Final = tuple(
    (re.compile(rf"(?<![\w.-])(?:{form})(?![\w-]|\.\d)"), check, re.compile(words, re.IGNORECASE))
    for form, check, words in _FORMS
)
_MARKS: Final = re.compile(r"[^0-9A-Z]")
#: Letters before an id in which its name must stand.
_NEAR: Final = 48


def national_ids(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each national id, where its form, check digit and words agree.

    Known are those of Belgium, Brazil, Canada, China, Denmark, Finland, France, Germany, India,
    Italy, the Netherlands, Poland, Spain, Sweden, Switzerland, the United Kingdom and the United
    States.

    Examples
    --------
    >>> list(national_ids("DNI 12345678Z, not 12345678A"))
    [(4, 13)]
    """
    for form, check, words in _EVERY:
        for found in form.finditer(text):
            before = text[max(0, found.start() - _NEAR) : found.start()]
            if words.pattern and not words.search(before):
                continue
            marks = found[0] if check is _hetu else _MARKS.sub("", found[0])
            if check(marks):
                yield found.span()
