"""Makes small avatars from untrusted image files; the only importer of Pillow."""

from __future__ import annotations

import threading
import warnings
from io import BytesIO

from PIL import Image, ImageOps

from commentsvc.errors import PictureError

SIDE = 96
"""Side of the stored square, in pixels."""
LARGEST = 2 * 1024 * 1024
"""Largest file in bytes."""
_LARGEST_KEPT = 12_000
_TOO_LARGE = "This picture is too large."
# In pixels. A JPEG is decoded at a fraction of its size, so one straight from a camera is accepted.
_LONGEST_SIDES = {"JPEG": 4096, "MPO": 4096, "PNG": 2048, "GIF": 2048, "WEBP": 2048}
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# A scan of a JPEG takes a few bytes in the file but a pass over the whole image; real files have about ten.
_SCAN, _MOST_SCANS = b"\xff\xda", 40

# Set once for the process, because `warnings.catch_warnings` is not thread-safe.
for _kind in (UserWarning, Image.DecompressionBombWarning):
    warnings.filterwarnings("error", category=_kind, module=r"PIL\.")

# Decoding the largest picture takes up to 130 MB; several at once could exhaust a small machine.
_ONE_AT_A_TIME = threading.Lock()


def shrink(data: bytes) -> bytes:
    """Return the central square of a JPEG, PNG, GIF or WebP picture as WebP, `SIDE` pixels wide, without metadata.

    The result is at most 12,000 bytes, and the same for the same input. Raises PictureError for everything else.
    """
    if len(data) > LARGEST:
        raise PictureError(_TOO_LARGE)
    try:
        with _ONE_AT_A_TIME, Image.open(BytesIO(data), formats=_FORMATS) as image:
            if _is_too_large(image, data):
                raise PictureError(_TOO_LARGE)
            return _encoded(_square(image))
    except PictureError:
        raise
    except Exception as error:
        # Pillow's decoders raise anything from SyntaxError to struct.error on broken files.
        raise PictureError("This is not a picture that we can show.") from error


def _is_too_large(image: Image.Image, data: bytes) -> bool:
    """Decide by the header, before anything is decoded."""
    if max(image.size) > _LONGEST_SIDES.get(image.format or "", 0):
        return True
    return image.format in {"JPEG", "MPO"} and data.count(_SCAN) > _MOST_SCANS


def _square(image: Image.Image) -> Image.Image:
    # `draft` has an effect only on JPEG.
    image.draft(None, (2 * SIDE, 2 * SIDE))
    image.load()
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    small = ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)
    turned = ImageOps.exif_transpose(small)
    turned.info = {}
    return turned


def _encoded(image: Image.Image) -> bytes:
    for quality in (80, 50, 20, 0):
        out = BytesIO()
        image.save(out, "WEBP", quality=quality, alpha_quality=quality, method=4)
        if out.tell() <= _LARGEST_KEPT:
            break
    return out.getvalue()
