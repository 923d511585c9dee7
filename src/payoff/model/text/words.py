"""Word lists of the behaviour tests, of English. Lists of our own, kept short and unambiguous.

A term that has another common meaning ("black dress", "nail polish", "straight away") is exchanged
only beside a person ("a black man") or where somebody is said to be so ("I am deaf").
"""

from __future__ import annotations

from typing import Final

__all__ = ["CONTRACTIONS", "ENGLISH", "IDENTITY", "NAMES", "NEUTRAL", "NOT_POSSESSED", "PERSON"]

#: Frequent words that other languages of Latin script do not use.
ENGLISH: Final = frozenset(
    "the and were have has with my your their this that it its not you they she been but from "  # noqa: SIM905  (reads better in rows)
    "which would could should what when there because about".split()
)
PERSON: Final = (
    "man|men|woman|women|person|persons|people|guys?|girls?|boys?|kids?|child|children|lady|ladies|"
    "customers?|employees?|workers?|couples?|family|families|friends?|neighbou?rs?|students?|"
    "teachers?|users?|folks?|community|males?|females?|individuals?|adults?|driver|drivers|mother|"
    "father|parents?|son|daughter|husband|wife|veterans?"
)
#: What may follow "her" where she is the object and has nothing.
NOT_POSSESSED: Final = frozenset(
    "to and but or that when if because for with in on at as so was is had has he she i it they "  # noqa: SIM905  (as above)
    "we "
    "again up out off back too ever about down over into from by not a an the like after before "
    "then this all there here now away down around anymore being".split()
)


def _pairs(text: str) -> dict[str, str]:
    """Read "a/b c/d" as exchanges in both directions; an underscore is a blank."""
    out: dict[str, str] = {}
    for pair in text.split():
        one, two = pair.replace("_", " ").split("/")
        out.setdefault(one, two)
        out.setdefault(two, one)
    return out


def _rounds(text: str) -> dict[str, str]:
    """Read "a/b/c" as a to b, b to c, c to a."""
    out: dict[str, str] = {}
    for words in (entry.replace("_", " ").split("/") for entry in text.split()):
        for one, two in zip(words, [*words[1:], words[0]], strict=True):
            out.setdefault(one, two)
    return out


CONTRACTIONS: Final = {
    one: two.replace("_", " ")
    for one, two in (
        pair.split("/")
        for pair in (  # noqa: SIM905  (as above)
            "don't/do_not doesn't/does_not didn't/did_not isn't/is_not aren't/are_not "
            "wasn't/was_not weren't/were_not can't/cannot couldn't/could_not won't/will_not "
            "wouldn't/would_not shouldn't/should_not haven't/have_not hasn't/has_not "
            "hadn't/had_not i'm/i_am i've/i_have i'll/i_will you're/you_are you've/you_have "
            "we're/we_are we've/we_have they're/they_are they've/they_have it's/it_is "
            "that's/that_is there's/there_is"
        ).split()
    )
}
NEUTRAL: Final = _pairs(
    "maybe/perhaps begin/start buy/purchase often/frequently entire/whole almost/nearly "
    "although/though until/till toward/towards someone/somebody everyone/everybody "
    "anyone/anybody nobody/no_one receive/get require/need attempt/try finish/end reply/answer "
    "choose/pick glad/happy incorrect/wrong later/afterwards rapidly/quickly also/too "
    "however/nevertheless really/truly very/quite now/currently because/since said/stated "
    "about/regarding large/big small/little told/informed asked/requested show/display "
    "many/numerous soon/shortly"
)
_MALE: Final = (
    "James/Mohammed John/Ahmed Robert/Jamal Michael/Wei David/Carlos William/DeShawn "
    "Richard/Rajesh Thomas/Ibrahim Daniel/Hiroshi Matthew/Kwame Andrew/Abdul Peter/Dmitri "
    "Paul/Juan Steven/Omar Kevin/Tyrone Brian/Sanjay George/Hassan Edward/Miguel Jason/Darnell "
    "Ryan/Ali"
)
_FEMALE: Final = (
    "Mary/Fatima Patricia/Aisha Jennifer/Lakisha Linda/Mei Elizabeth/Guadalupe Barbara/Lupita "
    "Susan/Priya Jessica/Ebony Sarah/Khadija Karen/Yuki Emily/Latoya Laura/Carmen Anna/Olga "
    "Lisa/Tamika Amy/Ling Michelle/Shanice Kate/Zainab Julie/Consuelo Rachel/Amina Megan/Noor"
)
#: Names exchanged within one sex, between backgrounds; names that are also words are left out.
NAMES: Final = _pairs(f"{_MALE} {_FEMALE}")
#: Kind -> (terms that are clear anywhere, terms that are clear only of a person).
IDENTITY: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "gender": (
        {
            **_pairs(
                "he/she himself/herself man/woman men/women boy/girl boys/girls male/female "
                "males/females mr/mrs sir/madam husband/wife husbands/wives son/daughter "
                "sons/daughters father/mother fathers/mothers dad/mom brother/sister "
                "brothers/sisters uncle/aunt nephew/niece boyfriend/girlfriend "
                "gentleman/lady gentlemen/ladies grandfather/grandmother grandson/granddaughter "
                "guy/gal guys/gals king/queen widower/widow waiter/waitress"
            ),
            "his": "her", "him": "her", "hers": "his", "mum": "dad", "ms": "mr",
        },
        {},
    ),
    "religion": (
        _rounds(
            "christian/muslim/jewish/hindu christians/muslims/jews/hindus "
            "christianity/islam/judaism/hinduism church/mosque/synagogue "
            "churches/mosques/synagogues bible/quran/torah priest/imam/rabbi catholic/buddhist "
            "catholics/buddhists sikh/hindu"
        )
        | {"jew": "muslim", "islamic": "christian"},
        {},
    ),
    "origin": (
        _rounds(
            "americans/mexicans/germans/nigerians/indians/russians africans/europeans/asians "
            "immigrant/citizen immigrants/citizens foreigners/locals"
        ),
        _rounds(
            "american/mexican/german/nigerian/indian/russian chinese/french/turkish/british "
            "black/white african/european/asian hispanic/irish latino/italian arab/dutch"
        ),
    ),
    "age": (
        _pairs("teenager/pensioner teenagers/pensioners senior_citizen/young_adult "
               "senior_citizens/young_adults") | {"elderly": "young"},
        _pairs("young/old younger/older"),
    ),
    "orientation": (
        _pairs("homosexual/heterosexual homosexuals/heterosexuals")
        | {"gay": "straight", "gays": "heterosexuals", "lesbian": "straight woman",
           "lesbians": "straight women", "bisexual": "heterosexual", "queer": "straight"},
        {"straight": "gay"},
    ),
    "disability": (
        {"in a wheelchair": "on a bicycle", "wheelchair user": "bicycle user",
         "able-bodied": "disabled", "neurotypical": "autistic"},
        {"disabled": "able-bodied", "handicapped": "able-bodied", "deaf": "hearing",
         "blind": "sighted", "autistic": "neurotypical"},
    ),
}  # fmt: skip
