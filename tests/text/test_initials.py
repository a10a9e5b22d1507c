"""A person without a picture has a letter on a colour, whatever their name is written in, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import commentsvc
from commentsvc.text import initials
from tests.support.attacks import ATTACKS, Attack
from tests.support.each import check_each

SVG = "{http://www.w3.org/2000/svg}"
ATTRIBUTES = {"viewBox", "width", "height", "role", "fill", "x", "y", "dy", "text-anchor", "font-family", "font-size",
              "font-weight"}  # fmt: skip
NAMES = ["Anna", "", "ännä", "محمد", "שרה", "李雷", "किरण", "🦊", "e\u0301va", "\u202eannA", "\u200dx", "\ud800", "%%",
         "\x00\x1f", "\ufffe", "&lt;", "]]>", "a" * 1000, "\u0301", "👩\u200d💻 Ada", "1st", "{{7*7}}"]  # fmt: skip


def read(name: str) -> dict[str, str | None]:
    """Return the texts of the document by their elements, having seen that it holds nothing else."""
    document = initials.svg(name)
    assert "<!" not in document  # a DTD, which could declare entities
    root = ElementTree.fromstring(document.encode())
    assert [element.tag for element in root.iter()] == [SVG + tag for tag in ("svg", "title", "rect", "text")]
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES
    assert root.attrib["role"] == "img"
    return {element.tag.removeprefix(SVG): element.text for element in root}


@pytest.mark.parametrize(
    ("name", "letter"),
    [("Anna", "A"), ("anna", "A"), ("  »anna«", "A"), ("ännä", "Ä"), ("e\u0301va", "É"), ("7of9", "7"), ("ßeta", "S"),
     ("ǆ", "ǅ"), ("ა", "ა"), ("Ωmega", "Ω"), ("жанна", "Ж"), ("محمد", "م"), ("שרה", "ש"), ("李雷", "李"), ("किरण", "क"),
     ("\U0001d51e", "\U0001d51e"), ("🦊", "🦊"), ("🦊 fox", "F"), ("\u202eanna", "A"), ("\u200d\u0301", "?"), ("", "?"),
     ("<!-- -->", "?")],
)  # fmt: skip
def test_a_name_is_shown_by_its_first_letter(name: str, letter: str) -> None:
    assert initials.initial(name) == letter
    assert read(name)["text"] == letter


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_makes_a_document(name: str) -> None:
    texts = read(name)
    assert len(texts["text"] or "") == 1
    assert (texts["title"] or "") in name


def test_no_attack_adds_anything_to_the_picture() -> None:
    def check(attack: Attack) -> None:
        assert len(read(attack.text)["text"] or "") == 1

    check_each(ATTACKS, check)


def test_a_person_keeps_their_colour() -> None:
    assert initials.hue("Anna") == initials.hue("ANNA") == 3
    assert {initials.hue(f"name {number}") for number in range(200)} == set(range(12))
    assert initials.svg("Anna") == initials.svg("Anna")


def test_the_colours_are_those_of_the_frame() -> None:
    css = (Path(commentsvc.__file__).parent / "static" / "frame.css").read_text()
    results = {int(place): int(hue) for place, hue in re.findall(r"\.hue-(\d+) \{ --hue: (\d+); \}", css)}
    assert results == dict(enumerate(initials.DEGREES))


def test_the_letter_stands_out_from_every_colour() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    drawn = {initials.svg(f"name {number}") for number in range(200)}
    for svg in drawn:
        ground, letter = re.findall(r'fill="(#[0-9a-f]{6})"', svg)
        assert (luminance(ground) + 0.05) / (luminance(letter) + 0.05) >= 4.5
