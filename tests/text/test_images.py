"""Hostile bytes become a small square picture, or an error; nothing of what was hidden in them is passed on."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from commentsvc.errors import PictureError
from commentsvc.text import images
from tests.support.attacks import ATTACKS
from tests.support.time_limit import within

RED, BLUE, CLEAR = (255, 0, 0), (0, 0, 255), (0, 0, 0, 0)
ORIENTATION = 0x0112
HTML = b"<!doctype html><script>alert(1)</script>"


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def halves(mode: str = "RGB", size: tuple[int, int] = (200, 200)) -> Image.Image:
    """Return a picture whose left half is red, and whose right half is blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image.convert(mode)


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=("WEBP",))
    assert image.size == (images.SIDE, images.SIDE)
    assert len(data) <= 12_000
    return image


def colour(image: Image.Image, x: int, y: int) -> str:
    red, _green, blue = image.convert("RGB").getpixel((x, y))  # type: ignore[misc]
    return "red" if red > 200 > 60 > blue else "blue" if blue > 200 > 60 > red else f"{red} {blue}"


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """Return a PNG that says it is so large, whatever is in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


SMALL = {kind: encoded(halves(), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP")}


@pytest.mark.parametrize("kind", SMALL)
def test_a_picture_becomes_a_small_square(kind: str) -> None:
    image = opened(images.shrink(SMALL[kind]))
    assert [colour(image, 10, 48), colour(image, 85, 48)] == ["red", "blue"]


@pytest.mark.parametrize("kind", SMALL)
def test_the_same_bytes_give_the_same_picture(kind: str) -> None:
    assert images.shrink(SMALL[kind]) == images.shrink(SMALL[kind])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_every_kind_is_taken(mode: str) -> None:
    opened(images.shrink(encoded(Image.new(mode, (120, 80)), "PNG")))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_of_every_kind_is_taken(mode: str) -> None:
    opened(images.shrink(encoded(Image.new(mode, (120, 80)), "JPEG", progressive=True)))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (96, 96), (2048, 2), (2048, 2048)])
def test_a_picture_of_every_shape_is_taken(size: tuple[int, int]) -> None:
    opened(images.shrink(encoded(Image.new("RGB", size), "PNG")))


def test_the_middle_is_kept() -> None:
    wide = Image.new("RGB", (600, 200), BLUE)
    wide.paste(RED, (200, 0, 400, 200))
    image = opened(images.shrink(encoded(wide, "PNG")))
    assert [colour(image, x, 48) for x in (3, 48, 92)] == ["red"] * 3


def test_a_picture_straight_from_a_camera_is_taken() -> None:
    opened(images.shrink(encoded(halves(size=(4032, 3024)), "JPEG")))


def test_transparency_is_kept() -> None:
    for image in (Image.new("RGBA", (50, 50), CLEAR), Image.new("RGBA", (50, 50), CLEAR).convert("P")):
        alpha = opened(images.shrink(encoded(image, "PNG", transparency=0 if image.mode == "P" else None)))
        assert alpha.convert("RGBA").getpixel((48, 48))[3] < 10  # type: ignore[index]


@pytest.mark.parametrize(("orientation", "at"), [(3, (85, 48)), (6, (48, 10)), (8, (48, 85))])
def test_a_picture_taken_sideways_is_turned(orientation: int, at: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    for kind in ("JPEG", "WEBP", "PNG"):
        image = opened(images.shrink(encoded(halves(), kind, exif=exif)))
        assert colour(image, *at) == "red"


def test_nothing_is_said_of_where_and_with_what_a_picture_was_taken() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    sent = encoded(halves(), "JPEG", exif=exif, comment=HTML, icc_profile=b"profile", xmp=b"<x:xmpmeta/>")
    kept = opened(images.shrink(sent))
    assert not kept.getexif()
    assert not {"exif", "icc_profile", "xmp", "comment"} & set(kept.info)


def test_of_a_moving_picture_the_first_frame_is_kept() -> None:
    frames = [Image.new("RGB", (50, 50), RED), *[Image.new("RGB", (50, 50), BLUE)] * 200]
    for kind in ("GIF", "WEBP", "PNG"):
        sent = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        kept = opened(images.shrink(sent))
        assert colour(kept, 48, 48) == "red"
        assert not getattr(kept, "is_animated", False)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_noise_stays_small(mode: str) -> None:
    noise = Image.merge(mode, [Image.effect_noise((96, 96), 250) for _ in mode])
    opened(images.shrink(encoded(noise, "PNG")))


@pytest.mark.parametrize(
    "sent",
    [
        SMALL["GIF"] + HTML,
        SMALL["JPEG"] + HTML,
        encoded(halves(), "JPEG", comment=HTML),
        encoded(halves(), "GIF", comment=HTML),
        SMALL["PNG"][:33] + chunk(b"tEXt", b"Comment\0" + HTML) + SMALL["PNG"][33:],
        SMALL["PNG"] + b"PK\x03\x04" + HTML,
    ],
)
def test_what_is_also_a_page_is_no_page_afterwards(sent: bytes) -> None:
    kept = images.shrink(sent)
    opened(kept)
    assert HTML not in kept
    assert b"script" not in kept


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_half_a_picture_is_none(kind: str, part: float) -> None:
    with pytest.raises(PictureError):
        images.shrink(SMALL[kind][: int(len(SMALL[kind]) * part)])


@pytest.mark.parametrize("kind", SMALL)
def test_a_damaged_picture_is_a_picture_or_an_error(kind: str) -> None:
    good = SMALL[kind]
    for at in range(0, min(len(good), 400), 3):
        for byte in (0, 0x7F, 0xFF):
            try:
                opened(images.shrink(good[:at] + bytes([byte]) + good[at + 1 :]))
            except PictureError:
                continue


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00" * 1000,
        HTML,
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?><!DOCTYPE svg><svg/>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\n",
        b"%PDF-1.7\n",
        encoded(halves(), "BMP"),
        encoded(halves(), "TIFF"),
        encoded(halves(), "ICO"),
        encoded(halves(), "PPM"),
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\xff\xd8\xff\xd9",
        png(1, 1),
        png(0, 0),
        png(10, 10, zlib.compress(b"x")),
    ],
)
def test_what_is_no_picture_of_a_known_kind_is_refused(sent: bytes) -> None:
    with pytest.raises(PictureError):
        images.shrink(sent)


def test_no_attack_is_a_picture() -> None:
    for attack in ATTACKS:
        with pytest.raises(PictureError):
            images.shrink(attack.text.encode("utf-8", "surrogatepass"))


def gif(width: int, height: int) -> bytes:
    return SMALL["GIF"][:6] + struct.pack("<HH", width, height) + SMALL["GIF"][10:]


def webp(width: int, height: int) -> bytes:
    head = encoded(halves(), "WEBP", lossless=True)
    return head[:21] + struct.pack("<I", width - 1 | (height - 1) << 14) + head[25:]


@pytest.mark.parametrize(
    "sent",
    [
        png(50_000, 50_000, zlib.compress(bytes(1_000_000))),
        png(2049, 2049, zlib.compress(bytes(1_000_000))),
        png(2**31 - 1, 2**31 - 1),
        png(1_000_000, 1),
        gif(65_535, 65_535),
        gif(2049, 10),
        webp(16_384, 16_384),
        webp(2049, 10),
        encoded(Image.new("RGB", (4097, 1)), "JPEG"),
        SMALL["PNG"] + bytes(images.LARGEST),
    ],
)
def test_a_bomb_is_not_lit(sent: bytes) -> None:
    with within(2), pytest.raises(PictureError):
        images.shrink(sent)


def test_a_jpeg_of_a_thousand_scans_is_not_walked_through() -> None:
    good = encoded(halves(size=(4096, 4096)), "JPEG", progressive=True)
    scan = good[good.rindex(b"\xff\xda") : -2]
    with within(2), pytest.raises(PictureError, match="too large"):
        images.shrink(good[:-2] + scan * 1000 + b"\xff\xd9")


@pytest.mark.parametrize("text", [b"tEXt", b"zTXt", b"iCCP"])
def test_a_text_that_unpacks_without_end_is_not_kept(text: bytes) -> None:
    packed = zlib.compress(bytes(50_000_000), 9)
    sent = SMALL["PNG"][:33] + chunk(text, b"a\0\0" + packed) * 20 + SMALL["PNG"][33:]
    with within(5):
        try:
            opened(images.shrink(sent))
        except PictureError:
            return


_MEASURE = """
import resource, sys
from commentsvc.text import images
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sent, before = sys.stdin.buffer.read(), peak()
images.shrink(sent)
print((peak() - before) // 1024)
"""


@pytest.mark.parametrize(
    ("kind", "image", "options"),
    [
        ("JPEG", Image.new("CMYK", (4096, 4096)), {"progressive": True}),
        ("PNG", Image.new("RGBA", (2048, 2048)), {}),
        ("WEBP", Image.new("RGBA", (2048, 2048), CLEAR), {"lossless": True}),
    ],
)
def test_the_largest_picture_fits_a_small_machine(
    kind: str, image: Image.Image, options: dict[str, Any]
) -> None:
    sent = encoded(image, kind, **options)
    told = subprocess.run([sys.executable, "-c", _MEASURE], input=sent, capture_output=True, check=True)
    assert int(told.stdout) < 200  # MiB
