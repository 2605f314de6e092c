"""Chinese as it is typed on a Latin keyboard: in syllables (`tuikuan`) or by initials (`tk`)."""

from __future__ import annotations

import importlib.resources
import re
from array import array
from collections.abc import Callable
from functools import lru_cache

from search.text import HAN
from search.typed import parts_of

FIRST, LAST = 0x4E00, 0x9FFF
"""The block of unified ideographs, which holds all that is in daily use."""
UNKNOWN = "?"
_UNIT = re.compile(r"[A-Z0-9?][a-z]*")
_SPELT = re.compile(f"[a-z0-9{HAN}]")
_REST = re.compile(rb"[a-z]+")
LONGEST_UNIT = 6
"""Letters of `zhuang`."""

Speller = Callable[[str], list[str]]
"""A run of Han characters to one syllable each, `?` for one it does not know."""


def spell(normalised: str, speller: Speller) -> str:
    """A text as letters, every unit beginning with a capital: `退款 app` gives `TuiKuanAPP`.

    A unit is the syllable of a Han character, or one Latin letter or digit; all else is left out.
    """
    found: list[str] = []
    for part in parts_of(normalised):
        if part.han:
            found += [syllable.capitalize() for syllable in speller(part.text)]
        else:
            found += [character.upper() for character in part.text if _SPELT.match(character)]
    return "".join(found)


def units(spelling: str) -> list[str]:
    """The units of what `spell` gave, in order."""
    return _UNIT.findall(spelling)


def unit_places(normalised: str) -> list[int]:
    """Which characters of a text its units stand for."""
    return [place for place, character in enumerate(normalised) if _SPELT.match(character)]


def initials(spelling: bytes) -> bytes:
    """The first letter of every unit, in small letters."""
    return _REST.sub(b"", spelling).lower()


def usual_readings(han: str) -> list[str]:
    """The commonest syllable of every character, as a `Speller`.

    Which of its readings a character has depends on the words around it; that takes dictionaries
    of some 50 MB, which only publishing loads. Here one reading a character must do.
    """
    numbers, syllables = _usual_readings()
    return [
        syllables[numbers[ord(character) - FIRST]] if FIRST <= ord(character) <= LAST else UNKNOWN
        for character in han
    ]


@lru_cache(maxsize=1)
def _usual_readings() -> tuple[array[int], list[str]]:
    """The number of each character's syllable, and the syllables.

    Source: pypinyin's dictionary of single characters; `benchmarks/readings.py` writes the file.
    """
    text = (importlib.resources.files("search.data") / "readings.txt").read_text("utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    numbers = array("H", bytes(2 * (LAST + 1 - FIRST)))
    for number, (_syllable, characters) in enumerate(lines, 1):
        for character in characters:
            numbers[ord(character) - FIRST] = number
    return numbers, [UNKNOWN, *(syllable for syllable, _characters in lines)]
