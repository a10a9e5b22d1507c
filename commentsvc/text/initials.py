"""The default avatar: a person's initial on a coloured square, in pages and as an SVG file."""

from __future__ import annotations

import colorsys
import unicodedata
import zlib
from html import escape

from commentsvc.text.characters import allowed_in_xml, is_drawn

DEGREES = (0, 28, 46, 84, 128, 160, 184, 206, 228, 258, 290, 326)
"""The hues of `.hue-0` to `.hue-11` in frame.css."""
CONTENT_TYPE = "image/svg+xml"


def initial(name: str) -> str:
    """Return the first letter or digit of `name` as a capital, else its first symbol, such as an emoji, else "?"."""
    if name.isascii() and name[:1].isalpha():  # most names, and a page has a hundred
        return name[0].upper()
    composed = unicodedata.normalize("NFC", name)
    # Title case, not upper case: few fonts have Georgian capitals, and "ǆ" is two letters in upper case.
    letters = (char.title()[:1] for char in composed if char.isalnum() and is_drawn(char))
    symbols = (char for char in composed if unicodedata.category(char) == "So" and is_drawn(char))
    return next(letters, None) or next(symbols, "?")


def hue(name: str) -> int:
    """Return an index of DEGREES, always the same for one name."""
    return zlib.crc32(name.casefold().encode(errors="replace")) % len(DEGREES)


def svg(name: str) -> str:
    """Return an SVG document, 96 pixels wide: the initial on its colour, titled with the name."""
    degrees = DEGREES[hue(name)]
    ground = _colour(degrees, lightness=0.88, saturation=0.48)
    ink = _colour(degrees, lightness=0.28, saturation=0.45)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96" role="img">'
        f"<title>{_written(name)}</title>"
        f'<rect width="96" height="96" fill="{ground}"/>'
        '<text x="48" y="48" dy=".35em" text-anchor="middle" font-family="system-ui, sans-serif" font-size="42"'
        f' font-weight="600" fill="{ink}">{_written(initial(name))}</text>'
        "</svg>"
    )


def _written(text: str) -> str:
    return escape(allowed_in_xml(text))


def _colour(degrees: int, *, lightness: float, saturation: float) -> str:
    """Return #rrggbb, which mail clients and feed readers understand, unlike hsl()."""
    red, green, blue = colorsys.hls_to_rgb(degrees / 360, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
