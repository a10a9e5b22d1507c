"""Two languages that nobody speaks, to find words that no catalogue has and places that are too narrow."""

from __future__ import annotations

import gettext
import re
import unicodedata

from tests.support.words import NAMES

OPEN, CLOSE = "⟦", "⟧"
_FIXED = re.compile(r"(%\(\w+\)[sd]|%%|</?\w+[^>]*>|&\w+;)")
_ARABIC = {chr(97 + index): "ابتثجحخدذرزسشصضطظعغفقكلمنه"[index] for index in range(26)}


class Long(gettext.NullTranslations):
    """English in brackets, with an accent on each letter, and 40 % longer."""

    def letter(self, letter: str) -> str:
        return (
            unicodedata.normalize("NFC", f"{letter}\u0301")
            if letter.isascii() and letter.isalpha()
            else letter
        )

    def written(self, text: str) -> str:
        parts = _FIXED.split(text)
        words = "".join(
            part if number % 2 else "".join(map(self.letter, part)) for number, part in enumerate(parts)
        )
        length = sum(len(part) for part in parts[::2])
        more = "".join(f" {self.letter('o') * 4}" for _ in range(round(length * 0.4 / 5)))
        return f"{OPEN}{words}{more}{CLOSE}"

    def gettext(self, message: str) -> str:
        return self.written(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return self.written(super().ngettext(singular, plural, number))

    def pgettext(self, context: str, message: str) -> str:
        return self.written(message)

    def npgettext(self, context: str, singular: str, plural: str, number: int) -> str:
        return self.written(super().npgettext(context, singular, plural, number))


class RightToLeft(Long):
    """The same in Arabic letters."""

    def letter(self, letter: str) -> str:
        return _ARABIC.get(letter.lower(), letter)


FAULTS = """() => {
    const faults = [];
    const { documentElement: root } = document;
    if (root.scrollWidth > innerWidth) {
        const wide = [...document.body.querySelectorAll("*")].filter((element) => {
            const { left, right, width } = element.getBoundingClientRect();
            return width && (left < 0 || right > innerWidth) && !element.closest("[hidden], .visually-hidden");
        });
        const names = wide.map((element) => `${element.localName}.${element.className}`);
        faults.push(`is ${root.scrollWidth} px wide: ${names.slice(-3)}`);
    }
    const theirs =
        ":is([dir], bdi, code, pre, kbd, samp, time, script, style, svg, option[lang]):not(html)";
    const left = (text) => {
        const outer = text.replaceAll(/⟦[^⟦⟧]*⟧/g, ""); // a name of a day may stand in a sentence
        return outer === text ? text.replaceAll(/https?:\\S+|\\b(NAMES)\\b/g, "") : left(outer);
    };
    // A part of a message, such as the emphasised words.
    const isCut = ({ textContent }) => textContent.split("⟦").length !== textContent.split("⟧").length;
    const isInline = (part) => getComputedStyle(part).display.startsWith("inline") || part.matches(".visually-hidden");
    const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
    for (const block of document.body.querySelectorAll("*")) {
        const own = [...block.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!own || !isShown(block) || block.closest(theirs)) continue;
        let whole = block;
        while (isInline(whole) || isCut(whole)) whole = whole.parentElement;
        const copy = whole.cloneNode(true);
        for (const part of copy.querySelectorAll(theirs)) part.remove();
        const words = left(copy.textContent).match(/\\p{L}{2,}/gu);
        if (words) faults.push(`says ${words.join(" ").slice(0, 80)}`);
    }
    for (const element of document.body.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
        if (element.closest(theirs)) continue;
        for (const name of ["aria-label", "title", "placeholder", "alt"]) {
            const words = left(element.getAttribute(name) ?? "").match(/\\p{L}{2,}/gu);
            if (words && name !== "title") faults.push(`has ${name} ${words.join(" ").slice(0, 80)}`);
        }
    }
    return [...new Set(faults)];
}""".replace("NAMES", "|".join(sorted(NAMES)))
"""A script that tells where a page is wider than its window, and which words on it are in no catalogue."""
