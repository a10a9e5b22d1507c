"""Makes small pictures of people out of whatever bytes a stranger sent; the only importer of Pillow."""

from __future__ import annotations

import threading
import warnings
from io import BytesIO

from PIL import Image, ImageOps

from commentsvc.errors import PictureError

SIDE = 96
"""Pixels, of the square that is kept."""
LARGEST = 2 * 1024 * 1024
"""Bytes of a picture that is looked at."""
_LARGEST_KEPT = 12_000
_TOO_LARGE = "This picture is too large."
# In pixels. A JPEG is decoded at a fraction of its size, so that one straight from a camera is welcome.
_LONGEST_SIDES = {"JPEG": 4096, "MPO": 4096, "PNG": 2048, "GIF": 2048, "WEBP": 2048}
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# A scan of a JPEG costs a few bytes and, each, a walk over the whole picture; real ones have about ten.
_SCAN, _MOST_SCANS = b"\xff\xda", 40

# For good and here, because to catch warnings for a while is not safe with several threads.
for _kind in (UserWarning, Image.DecompressionBombWarning):
    warnings.filterwarnings("error", category=_kind, module=r"PIL\.")

# The largest picture takes up to 130 MB while it is decoded; several at once would be the end of a small machine.
_ONE_AT_A_TIME = threading.Lock()


def shrink(data: bytes) -> bytes:
    """Return the middle square of a JPEG, PNG, GIF or WebP picture as WebP, `SIDE` pixels wide, without metadata.

    The same bytes give the same result, at most 12,000 bytes long. Raises PictureError for everything else.
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
        # Pillow's decoders raise what they like on broken files, from SyntaxError to struct.error.
        raise PictureError("This is no picture that can be shown.") from error


def _is_too_large(image: Image.Image, data: bytes) -> bool:
    """Judge by what the head says; nothing is decoded yet."""
    if max(image.size) > _LONGEST_SIDES.get(image.format or "", 0):
        return True
    return image.format in {"JPEG", "MPO"} and data.count(_SCAN) > _MOST_SCANS


def _square(image: Image.Image) -> Image.Image:
    # Only a JPEG takes notice.
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
