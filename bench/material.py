"""The comments of the measured articles, the same for all services and in every run."""

# ruff: noqa: SIM905 - words in a row are easier to read than a list of quotes
from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

SEED = 2026
SHORTEST, LONGEST = 200, 600
"""Characters in a comment."""
TEXTS = 600
"""The number of different texts, from which many articles draw."""
MOST_REPLIES = 5
"""Replies to one comment, few enough that no reader has to load more."""

_NAMES = (
    "Ada Bela Caius Dora Emil Fanny Gero Hanna Ivo Jola Karl Lena Milan Nora Otto Paula Quirin Rosa Samir Tilda "
    "Urs Vera Wim Xenia Yan Zita Bruno Carla Dario Elif Farid Greta Hugo Ines Jonas Klara Luca Mira Nils Olga"
).split()
# Words made of these compress to a third, like texts by many people; whole phrases would compress to a tenth.
_SHORT = (
    "the of and to in a is that it was for with on as at by this but from or have an they which one you were all her "
    "she there would their we him been has when who will no more if out so up said what its about than into them can "
    "only other time new some could these two may then do first any my now such like our over man me even most made "
    "after also well before must through"
).split()
_STEMS = (
    "writ read gard paper stor win morn lett riv ston light quest answ kitch weath argu sentenc chapt neighb librar "
    "footnot machin summ villag edit habit pati memor numb discuss screen bookshop argum comm reas meas chang travel "
    "paint repair harvest rememb polit curi honest gentl quiet sudden care plain wond laught market windo bridg teach "
    "listen borrow collect translat publish compar"
).split()
_ENDINGS = "ing er en ed s ment ness ful less ly al ous ation ity y or ism ist able ive ish ance ence age ure".split()


@dataclass(frozen=True, slots=True)
class Said:
    """A comment, in the order of an article's conversation."""

    text: int
    """Index of its text in `texts()`."""
    name: str
    answers: int | None
    """Position of its parent; None for a root."""
    root: int | None
    depth: int

    @property
    def email(self) -> str:
        """An e-mail address for services that ask for one."""
        return f"{self.name.lower().replace(' ', '.')}@reader.example"


@dataclass(frozen=True, slots=True)
class Article:
    """A page with comments."""

    path: str
    said: list[Said]

    def begins_with(self, roots: int) -> int:
        """Return the number of comments on a page with this many conversations."""
        first = [at for at, one in enumerate(self.said) if one.root is None][:roots]
        return sum(at in first or one.root in first for at, one in enumerate(self.said))

    @property
    def title(self) -> str:
        """Its title, for services that store one."""
        return f"Article at {self.path}"


@cache
def texts() -> tuple[str, ...]:
    """Return the texts: a few sentences each in an invented language, some with emphasis."""
    chance = random.Random(SEED)  # noqa: S311 - the same texts each time, no secret
    return tuple(_text(chance) for _ in range(TEXTS))


def article(path: str, many: int) -> Article:
    """Return an article with this many comments, half of them replies, and a third of those to another reply."""
    chance = random.Random(f"{SEED} {path}")  # noqa: S311 - the same each time, no secret
    results: list[Said] = []
    below: dict[int, list[int]] = {}
    order = chance.sample(range(TEXTS), TEXTS)
    for at in range(many):
        name = f"{chance.choice(_NAMES)} {chance.choice(_NAMES)[0]}"
        answers = root = None
        depth = 0
        room = [one for one in list(below)[-200:] if len(below[one]) < MOST_REPLIES]
        if at % 2 and room:
            root = answers = chance.choice(room)
            if below[root] and chance.random() < 1 / 3:
                answers = below[root][-1]
            below[root].append(at)
            depth = results[answers].depth + 1
        else:
            below[at] = []
        results.append(Said(order[at % TEXTS], name, answers, root, depth))
    return Article(path, results)


def _text(chance: random.Random) -> str:
    wanted = chance.randint(SHORTEST, LONGEST - 150)
    text = ""
    while len(text) < wanted:
        words = [_word(chance) for _ in range(chance.randint(5, 14))]
        if chance.random() < 0.08:
            words[-1] = f"*{words[-1]}*"
        gap = "\n\n" if chance.random() < 0.15 else " "
        text += f"{gap if text else ''}{' '.join(words).capitalize()}."
    return text


def _word(chance: random.Random) -> str:
    """Return a word; half of them are short, and a few of these make up most of the text."""
    if chance.random() < 0.5:
        return _SHORT[min(int(chance.expovariate(1 / 25)), len(_SHORT) - 1)]
    return chance.choice(_STEMS) + chance.choice(_ENDINGS)
