"""Which names users can have, and when two names are the same."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.names import check, fold

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1)]
INVISIBLE = [
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u202e\u2060",
    "\u2064\u2066\u2069\u206f\u2800\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufffc\U0001d159\U0001d173",
    "\U00013441\U00013442\U00016fe4",
    "\U000e0001\U000e0061\U000e007f\U000e0100\U000e01ef",
]

REAL_NAMES = {
    "Persian": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Malayalam": "\u0d2a\u0d4d\u0d30\u0d35\u0d40\u0d23\u0d4d\u200d",
    "Bengali": "\u09b0\u200d\u09cd\u09af\u09be\u09a8",
    "Hindi": "\u0936\u0930\u094d\u092e\u093e",
    "Japanese": "\u845b\U000e0100\u57ce",
    "Mongolian": "\u182a\u180b\u1820",
    "Mongolian, a vowel apart": "\u1830\u1820\u1837\u1828\u180e\u1820",
    "Korean, decomposed": "\u1100\u1175\u11b7",
    "Hebrew": "\u05d3\u05d5\u05d3",
    "Vietnamese, decomposed": "Nguye\u0302\u0303n",
    "Catalan": "Gal\u00b7la",
    "Irish": "O'Brien",
    "two words": "Bob B.",
}

EMOJI = {
    "heart": "\u2764\ufe0f",
    "text style": "\u263a\ufe0e",
    "transgender flag": "\U0001f3f3\ufe0f\u200d\u26a7\ufe0f",
    "pirate flag": "\U0001f3f4\u200d\u2620\ufe0f",
    "Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Germany": "\U0001f1e9\U0001f1ea",
    "astronaut": "\U0001f469\U0001f3fd\u200d\U0001f680",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "shaking a head": "\U0001f642\u200d\u2194\ufe0f",
    "keycap": "1\ufe0f\u20e3",
    "information": "\u2139\ufe0f",
}


def is_taken(name):
    try:
        check(name)
    except InvalidRequest:
        return False
    return True


@pytest.mark.parametrize("name", [*REAL_NAMES.values(), *EMOJI.values()])
def test_real_names_and_emoji_are_names(name):
    """What a script or an emoji needs belongs to a name, although it is invisible."""
    assert check(name) == name
    assert check(f"{name} B.") == f"{name} B."


@pytest.mark.parametrize("invisible", "".join(INVISIBLE))
def test_an_invisible_character_makes_no_other_alice(invisible):
    """Wherever it is put it is refused, and it is not compared."""
    for name in (f"alice{invisible}", f"{invisible}alice", f"al{invisible}ice"):
        assert not is_taken(name)
    assert fold(f"Alice{invisible}") == fold(f"{invisible}alice") == fold("alice")


@pytest.mark.parametrize("invisible", ["\u200d", "\u200c", "\ufe0f", "\u180b", "\U000e0100"])
@pytest.mark.parametrize("name", [*REAL_NAMES.values(), *EMOJI.values()])
def test_names_that_differ_in_what_is_invisible_are_one(name, invisible):
    """A second user can't look like the first by leaving out or adding what nobody sees."""
    bare = "".join(c for c in name if c not in "".join(INVISIBLE) and c < "\U000e0000")
    assert fold(bare) == fold(name) == fold(name + invisible)


@pytest.mark.parametrize("name", ["", " ", "\u0301", "\u200d", "\u3164", "\u2800\u2800", "\ufe0f"])
def test_a_name_shows_something(name):
    """A name of blanks, fillers, or a mark on nothing is refused."""
    assert not is_taken(name)


def test_every_single_character_that_is_a_name_shows_something():
    """Of all characters, those that are names alone are letters, numbers, marks of writing."""
    taken = {
        unicodedata.category(character)[0] for character in EVERY_CHARACTER if is_taken(character)
    }
    assert taken == set("LNPS")


def test_every_character_folds_to_one_form():
    """A form is its own form, also where it is put together of several."""
    for character in EVERY_CHARACTER:
        for name in (character, f"a{character}b"):
            form = fold(name)
            assert form == name or fold(form) == form, ascii(name)


@given(
    st.text(
        st.sampled_from("aA\u00e9e\u0301\u200c\u200d\ufe0f\u0627\u0628 \u2764\U0001f469\u0d4d"),
        max_size=8,
    )
)
def test_what_is_compared_is_visible(name):
    """No form has an invisible character or blanks at its ends, and each is its own form."""
    form = fold(name)
    assert form == form.strip()
    assert "  " not in form
    assert not set("".join(INVISIBLE)) & set(form)
    assert fold(form) == form


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_a_name_or_refused(text):
    """Checking and folding end well whatever comes, and a name has something to compare."""
    if is_taken(text):
        assert fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob  B.", "bob b."),
        ("Zo\u00eb", "ZOE\u0308"),
        ("stra\u00dfe", "STRASSE"),
        ("\uff42\uff4f\uff42", "bob"),
    ],
)
def test_names_that_are_written_otherwise(one, other):
    """Case, width, composition and the number of blanks make no other name."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize("name", ["x" * 33, " bob", "bob ", "a\nb", "a\tb", "a\u00a0b", "\ud800"])
def test_what_is_no_name(name):
    """Names are short, on one line, of characters, without blanks around them."""
    assert not is_taken(name)
