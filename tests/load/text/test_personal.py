"""What is found is personal, what is personal is found; numbers of other kinds are left alone."""

from __future__ import annotations

import itertools
import random
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.load.text.national import luhn
from payoff.load.text.personal import KINDS, find, redact

RIGHT = {
    "e-mail": ["jo.o'neil@mail.acme.example", "a+b@x.co.uk", "jörg@müller.de", "A_1@sub.x-y.org"],
    "URL": [
        "https://acme.example/a?b=c#d",
        "www.acme.example",
        "acme.com/offer",
        "ftp://x.y/z",
        "tinyurl.com",
    ],
    "handle": [
        "@jo_miller",
        "@JetBlue",
        "@4chan",
        "@jo.miller",
        "@jo@mastodon.example",
        "@@jo",
        "@名前",
    ],
    "IBAN": [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO9386011117947",
        "CH9300762011623852957",
    ],
    "card": [
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "6011111111111117",
        "30569309025904",
        "2223003122003222",
    ],
    "national id": [
        "078-05-1120",  # United States
        "AB 12 34 56 C",  # United Kingdom
        "NHS number 943 476 5919",
        "12345678Z",  # Spain
        "X1234567L",
        "RSSMRA85T10A562S",  # Italy
        "2 55 08 14 168 025 38",  # France
        "Steuer-ID 86095742719",  # Germany
        "86 095 742 719",
        "BSN 111222333",  # Netherlands
        "PESEL 44051401359",  # Poland
        "529.982.247-25",  # Brazil
        "2341 2341 2346",  # India
        "811228-9874",  # Sweden
        "756.9217.0769.85",  # Switzerland
        "SIN 046 454 286",  # Canada
        "11010519491231002X",  # China
        "131052-308T",  # Finland
        "85.07.30-033.28",  # Belgium
    ],
    "IP address": [
        "192.168.0.12",
        "8.8.8.8",
        "2001:db8::8a2e:370:7334",
        "fe80::1ff:fe23:4567:890a",
    ],
    "phone": [
        "+44 20 7946 0958",
        "+1 (555) 010-9999",
        "+4930123456",
        "0049 30 1234567",
        "(212) 555-0123",
        "212-555-0123",
        "1-800-555-0199",
        "030/1234567",
        "0171 1234567",
        "08712402902",
        "call 5550123",
        "my mobile is 7700900123",
    ],
}
AROUND = ("", "Please see {} today", "({})", "it is {}.", "{}, thanks", "x: {}!", "\n{}\n")


@pytest.mark.parametrize(
    ("kind", "written"), [(k, w) for k, many in RIGHT.items() for w in many], ids=lambda v: v
)
def test_found_wherever_it_stands(kind, written):
    for around in AROUND:
        text = around.format(written) if around else written
        found = find(text)
        assert [f.kind for f in found] == [kind], text
        seen = text[found[0].start : found[0].end]
        assert seen in written
        assert written.endswith(seen)
        assert f"[{kind}]" in redact(text)
        assert not any(c.isdigit() for c in redact(text))


WRONG = [
    "4111 1111 1111 1112",  # the check digit
    "DE89 3704 0044 0532 0130 01",
    "12345678A",
    "756.9217.0769.86",
    "2341 2341 2347",
    "131052-308U",
    "000-12-3456",
    "300.300.300.300",
    "version 10.0.19.1",
    "std::vector, 10:30:45, 10:30",
    "on 2021-03-04 and 01/02/2023 10:30, 03.04.2021",
    "order 123456789, ref 20230405123456",
    "I paid 1,250,000.00 or 12 345 678 in 2021",
    "costs $1234567 and 0.12345678",
    "a@b, #tag10 e.g. i.e. 3.14159265",
    "doors @ 10, @5pm or @10:30am, 2 pieces @2.50 each, @3rd street, @ home, me@",
    "wait 2-3 days, 24/7, 50-60% of 1000 people",
    "pages 100-200 500-600 of 1999-2004",
    "model X-1234567, item no. 55501234",
]


@pytest.mark.parametrize("text", WRONG)
def test_other_numbers_are_left_alone(text):
    assert [(f.kind, text[f.start : f.end]) for f in find(text)] == []


def test_handles_in_tweets():
    text = 'RT @jo_99: "@United, @JetBlue!" -@amy… see jo@acme.example, medium.com/@jo'
    assert redact(text) == ('RT [handle]: "[handle], [handle]!" -[handle]… see [e-mail], [URL]')
    assert redact("write to a-@acme.example, x@y@acme.example") == ("write to [e-mail], x@[e-mail]")


def test_handles_that_are_no_persons_stay():
    text = "@Acme @acmes .@ACME, thanks @jo"
    assert redact(text, keep=frozenset({"acme"})) == "@Acme [handle] .@ACME, thanks [handle]"


def test_names_by_a_finder_of_ones_own():
    def names(text):
        place = text.find("Jo Miller")
        return [] if place < 0 else [(place, place + 9)]

    assert redact("Jo Miller wrote from jo@x.org", names) == "[name] wrote from [e-mail]"
    assert redact("Jo Miller wrote") == "Jo Miller wrote"


@settings(max_examples=400)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from([w for many in RIGHT.values() for w in many] + WRONG),
        ),
        max_size=8,
    ).flatmap(lambda parts: st.sampled_from(["", " ", ", "]).map(lambda s: s.join(parts)))
)
def test_spans_are_in_order_and_redacting_twice_is_redacting_once(text):
    found = find(text)
    ends = [(f.start, f.end) for f in found]
    assert ends == sorted(ends)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(ends))
    assert {f.kind for f in found} <= set(KINDS)
    assert redact(redact(text)) == redact(text)


def test_luhn_as_written_out_by_hand():
    for number in range(10_000):
        digits = [int(d) for d in f"{number:04}"]
        doubled = [2 * d - 9 * (2 * d > 9) for d in digits[0::2]]
        assert luhn(f"{number:04}") == ((sum(doubled) + sum(digits[1::2])) % 10 == 0)


def made(rng):  # noqa: PLR0911  (one return per kind)
    """Personal data made by arithmetic of its own, with the kind it is."""
    digits = lambda n: "".join(rng.choices(string.digits, k=n))  # noqa: E731
    kind = rng.choice(["card", "IBAN", "e-mail", "phone", "IP address", "URL", "national id"])
    if kind == "card":
        stem = "4" + digits(14)
        total = sum(
            sum(divmod(2 * int(d), 10)) if k % 2 == 0 else int(d) for k, d in enumerate(stem)
        )
        number = stem + str(-total % 10)
        step = rng.choice(["", " ", "-"])
        return kind, step.join(number[k : k + 4] for k in range(0, 16, 4))
    if kind == "IBAN":
        bank = digits(18)
        check = 98 - int(bank + "131400") % 97
        number = f"DE{check:02}{bank}"
        return kind, number if rng.random() < 0.5 else " ".join(
            number[k : k + 4] for k in range(0, 22, 4)
        )
    if kind == "e-mail":
        return kind, f"{''.join(rng.choices(string.ascii_lowercase, k=7))}{digits(2)}@mail.example"
    if kind == "phone":
        return kind, rng.choice(
            [
                f"+49 {rng.randint(30, 999)} {rng.randint(10**6, 10**7 - 1)}",
                f"({rng.randint(201, 989)}) {rng.randint(200, 989)}-{digits(4)}",
                f"+44 20 {rng.randint(1000, 9999)} {digits(4)}",
            ]
        )
    if kind == "IP address":
        return kind, ".".join(str(rng.randint(1, 255)) for _ in range(4))
    if kind == "URL":
        return (
            kind,
            f"https://{''.join(rng.choices(string.ascii_lowercase, k=6))}.example/{digits(3)}",
        )
    number = digits(8)
    return kind, number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def test_recall_among_made_documents():
    """Two thousand places that are known, each made by another arithmetic than the finder's."""
    rng = random.Random(11)
    words = ["please", "call", "me", "about", "my", "card", "since", "Monday", "it", "is", "no"]
    missed = []
    for _ in range(2_000):
        kind, written = made(rng)
        before = " ".join(rng.choices(words, k=rng.randint(0, 8)))
        text = f"{before} {written} {' '.join(rng.choices(words, k=4))}".strip()
        start = text.index(written)
        found = [(f.kind, f.start, f.end) for f in find(text)]
        if (kind, start, start + len(written)) not in found:
            missed.append((kind, written, found))
    assert len(missed) <= 10, missed[:5]


def test_made_numbers_without_a_right_check_digit_are_rarely_taken():
    rng = np.random.default_rng(3)
    taken = 0
    for _ in range(2_000):
        number = "".join(map(str, rng.integers(0, 10, 16)))
        taken += any(f.kind == "card" for f in find(f"order {number} came"))
    assert taken <= 2_000 * 0.04  # one in ten ends rightly, of the few that start like a card
