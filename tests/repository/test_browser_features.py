"""Scripts and styles use nothing newer than the browsers that the README names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.each import check_each

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "commentsvc" / "static"
BROWSERS = ("Chrome and Edge", "Firefox", "Safari")
NEVER = 999

# What came when: pattern, then the first Chrome, Firefox and Safari that have it.
SCRIPT_FEATURES: dict[str, tuple[float, float, float]] = {
    r"\b(Map|Object)\.groupBy\(": (117, 119, 17.4),
    r"\.toWellFormed\(": (111, 119, 16.4),
    r"\.to(Sorted|Reversed|Spliced)\(|\.with\(": (110, 115, 16),
    r"\.findLast(Index)?\(": (97, 104, 15.4),
    r"\bPromise\.withResolvers\(": (119, 121, 17.4),
    r"\bPromise\.try\(": (128, 134, 18.2),
    r"\bArray\.fromAsync\(": (121, 115, 16.4),
    r"\bURL\.canParse\(": (120, 115, 17),
    r"\bURL\.parse\(": (126, 126, 18),
    r"\bRegExp\.escape\(": (136, 134, 18.2),
    r"\bAbortSignal\.any\(": (116, 124, 17.4),
    r"\bIterator\.from\(|\.(values|keys|entries)\(\)\.(map|filter|take|drop|some|every|find)\(": (122, 131, 18.4),
    r"\.(union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(": (122, 127, 17),
    r"\.(toHex|toBase64|setFromHex)\(|\.from(Hex|Base64)\(": (140, 133, 18.2),
    r"\.getOrInsert(Computed)?\(": (145, 144, 26.2),
    r"\bMath\.sumPrecise\(": (147, 137, 26.2),
    r"\brequestIdleCallback\(": (47, 55, NEVER),
    r"\bscheduler\.(yield|postTask)\(": (129, 142, NEVER),
    r"\.moveBefore\(": (133, 144, NEVER),
    r"\.checkVisibility\(": (105, 106, 17.4),
    r"\.(show|hide|toggle)Popover\(|\bpopover\b\s*=": (114, 125, 17),
    r"\.setHTML(Unsafe)?\(": (124, 128, 17.4),
    r"\bCSS\.highlights\b|new Highlight\(": (105, 140, 17.2),
    r"(?<!\?)\.startViewTransition\(": (111, 144, 18),
    r"(?<![?.\w])navigation\.\w+|window\.navigation\.": (102, 147, 26.2),
    r"\busing\s+\w+\s*=": (134, 141, NEVER),
    r"\(\?[ims]+-?[ims]*:": (125, 132, NEVER),
    r"import\s.*\bwith\s*\{": (123, 138, 17.2),
    r"\.ariaBusy\b|\.ariaPressed\b": (81, 119, 12.1),
}  # fmt: skip

STYLE_FEATURES: dict[str, tuple[float, float, float]] = {
    r"light-dark\(": (123, 120, 17.5),
    r"color-mix\(": (111, 113, 16.2),
    r"\b(rgb|hsl|lab|lch|oklch|oklab)\(\s*from\b": (119, 128, 16.4),
    r":has\(": (105, 121, 15.4),
    r"@container\b": (105, 110, 16),
    r"@container\s+style\(": (111, NEVER, 18),
    r"@starting-style\b": (117, 129, 17.5),
    r"@scope\b": (118, 146, 17.4),
    r"@property\b": (85, 128, 16.4),
    r"@function\b|\bif\(": (139, NEVER, NEVER),
    r"(?m)^\s+&|\{\s*&": (120, 117, 17.2),
    r"\banchor\(|anchor-name:|position-anchor:": (125, 147, 26),
    r"calc-size\(|interpolate-size:": (129, NEVER, NEVER),
    r"::details-content\b": (131, 143, 18.4),
    r"animation-timeline:": (115, NEVER, 26),
    r"scripting:": (120, 113, 17),
    r"content:[^;]*\"\s*/\s*\"": (77, 128, 17.4),
    r"\bmask(-image)?:": (120, 53, 15.4),
    r"(?<![-\w])zoom:": (1, 126, 3.1),
    r"clip-path:\s*shape\(": (135, 148, 18.4),
    r"\d[dls]vh\b": (108, 101, 15.4),
}
"""`field-sizing`, `text-wrap` and `text-size-adjust` are left out: where they are unknown, nothing is missed."""


def supported() -> tuple[float, float, float]:
    """Return the oldest versions that the README names."""
    text = (ROOT / "README.md").read_text()
    match = re.search(r"Chrome and Edge (\d+), Firefox (\d+) and Safari ([\d.]+)", text)
    assert match, "the README names no browsers"
    return float(match[1]), float(match[2]), float(match[3])


def _uncommented(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)|(?m:\s//\s.*$)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("files", "features"),
    [("*.js", SCRIPT_FEATURES), ("*.css", STYLE_FEATURES)],
    ids=["scripts", "styles"],
)
def test_nothing_is_newer_than_the_oldest_browser(
    files: str, features: dict[str, tuple[float, float, float]]
) -> None:
    oldest = supported()

    def check(path: Path) -> None:
        text = _uncommented(path.read_text())
        for pattern, versions in features.items():
            match = re.search(pattern, text)
            late = [
                f"{name} {version}"
                for name, version, old in zip(BROWSERS, versions, oldest, strict=True)
                if version > old
            ]
            assert not (match and late), f"{match and match[0]!r} came with {', '.join(late)}"

    check_each(sorted(STATIC.rglob(files)), check)


def test_no_field_is_smaller_than_16_pixels() -> None:
    """Safari on iOS enlarges the page around a smaller one, and leaves it so."""

    def check(path: Path) -> None:
        for selector, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", _uncommented(path.read_text())):
            if re.search(
                r"\b(input|select|textarea)\b(?!\[type=.(checkbox|radio))|\.(secret|short)\b", selector
            ):
                assert not re.search(r"font: inherit|font-size: (\.\d|0\.|1[0-5]px|[1-9]px)", rules), selector

    check_each(sorted(STATIC.rglob("*.css")), check)
