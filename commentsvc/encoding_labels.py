"""The encodings that browsers use for a label, and so the writers of pages and exports: wider ones than it names.

The table is the WHATWG's, https://encoding.spec.whatwg.org/#names-and-labels, where Python's codecs differ from it.
"""

from __future__ import annotations

from collections.abc import Mapping

MEANT: Mapping[str, str] = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
"""The codec to use instead of the codec that a label names, both by Python's names."""
