"""Cleaning mends what is certainly broken, keeps what people wrote, and changes nothing twice."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payoff.load.text.clean import clean, clean_one, decoded
from payoff.load.text.mojibake import mended

BIDI = "\u202e"


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (None, ""),
        ("", ""),
        (" \t\n ", ""),
        ("My card is lost.", "My card is lost."),
        ("a  b\t c", "a b c"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\n\n \n b", "a\nb"),
        ("nul\0l", "null"),
        ("\ufeffstart", "start"),
        (f"pay {BIDI}elif{BIDI}", "pay elif"),
        ("co\u00adoperate zero\u200bwidth", "cooperate zerowidth"),
        ("half \ud83d of a pair", "half of a pair"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("e\u0301t\u00e9", "été"),
        ("👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f", "👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("fish &amp; chips &lt;3 &#128514; &nbsp;!", "fish & chips <3 😂 !"),
        ("&amp;amp;amp;lt;b&amp;gt;", ""),
        ("AT&T, R&D; a&b=c&copy=1", "AT&T, R&D; a&b=c&copy=1"),
        ("5 < 6 and 7 > 2, I <3 you, <name>", "5 < 6 and 7 > 2, I <3 you, <name>"),
        ("<p>One</p><p>two <b>th</b>ree<br/>four</p>", "One\ntwo three\nfour"),
        ("<a href='x.html' class=\"y\">link</a>", "link"),
        ("x<script>alert('1 > 0')</script >y<!-- no\n -->z", "x y z"),
        ("<SCRIPT>alert(1)", "alert(1)"),
        ("<scr<b>ipt>alert(1)</scr</b>ipt>", ""),
        ("cafÃ© donâ€™t ÐŸÑ€Ð¸Ð²ÐµÑ‚ ðŸ˜€ â‚¬5 ï»¿x", "café don’t Привет 😀 €5 x"),
        ("CAFÉ® „JÄ“ Ã la carte naïve", "CAFÉ® „JÄ“ Ã la carte naïve"),
        ("Please stop.\n> you wrote\n>> and I", "Please stop."),
        ("> only quoted", "> only quoted"),
        ("I agree.\n\nOn Mon, 3 May 2021 at 10:00, Jo <j@x.org> wrote:\nOld text", "I agree."),
        ("Hallo.\nAm 3.5.2021 um 10:00 schrieb Jo Schmidt:\nAlt", "Hallo."),
        ("Fine.\n-----Original Message-----\nFrom: me\nOld", "Fine."),
        ("New.\nFrom: a\nSent: b\nTo: c\nSubject: d\nOld", "New."),
        ("Thanks\n-- \nJo Miller\nAcme Ltd", "Thanks"),
        ("-- \nJo Miller", "--\nJo Miller"),
        ("Hi\nSent from my iPhone", "Hi"),
        ("Hi\nThis e-mail and its attachments are confidential and so on.", "Hi"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9 \x93x\x94", "café “x”"),
        ("\ufeffhé".encode("utf-16"), "hé"),
    ],
)
def test_one_by_one(got, want):
    assert clean([got]) == [want]
    assert clean([want]) == [want]


PIECES = st.sampled_from(
    [
        *("<b>", "</b>", "<", ">", "&", "amp;", "&lt;", "#38;", "lt;", "<!--", "-->", "<script>"),
        *("b>", "</script>", "\n", "\r", " ", "\t", "\0", BIDI, "\u200d", "e", "\u0301", "\u00ad"),
        *("Ã", "©", "â", "€", "™", "On x wrote:", "> ", "-- \n", "From: ", "Sent from my cat"),
        *("word", "\ud800"),
    ]
)


@settings(max_examples=600)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)))
def test_twice_is_once(text):
    once = clean_one(text)
    assert clean_one(once) == once
    assert not any(c in once for c in f"\0\r\t{BIDI}\u200b\ufeff\x1b")
    once.encode("utf-8")  # no half of a surrogate pair is left


@settings(max_examples=300)
@given(st.text(alphabet="abc XYZ.,!?'()0123456789éüßñøå", max_size=80))
def test_ordinary_text_keeps_every_letter(text):
    assert clean_one(text) == " ".join(text.split())


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            ["café", "müde", "señor", "don’t", "“so”", "€5", "Привет", "日本語", "😀👍", "año"]
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["latin-1", "cp1252"]),
)
def test_what_was_decoded_wrongly_is_mended(words, careless):
    """The truth is known here: it is broken on purpose, as a careless reader breaks it."""
    right = " ".join(words)
    table = {b: bytes([b]).decode(careless, "ignore") or chr(b) for b in range(256)}
    broken = "".join(table[b] for b in right.encode())
    assert broken == right or mended(broken) == right
    assert mended(right) == right


def test_hostile_length_takes_linear_time():
    hostile = ["<script>", "<!--", "&#38;", "<b ", "Ã", "> ", "-- \n", "<a <", "On x\n", "&amp;"]
    start = time.process_time()
    for piece in hostile:
        clean_one(piece * (200_000 // len(piece)))
    assert time.process_time() - start < 20


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_bytes_of_any_encoding(encoding):
    assert decoded("naïve".encode(encoding)) == "naïve"
