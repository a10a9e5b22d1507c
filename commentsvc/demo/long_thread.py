"""A long thread for the demonstration: short comments by many readers, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

from commentsvc.demo.conversation import DemoComment

SIZE = 120
FIRST_HOURS_AGO = 140.0

NAMES = (
    "Ada Amira Anouk Benno Bram Carys Chidi Clara Dara Deniz Edda Elif Emre Esme Faro Femke Gil Greta Hanneke Hugo "
    "Ilse Imre Inga Ivo Jana Joss Juno Kaito Katya Kofi Lale Lars Leif Liv Luca Mabel Marek Mateo Mina Nadia Nils "
    "Noor Odile Orla Otto Paola Petra Pim Priya Quinn Rafa Rhea Rune Sanna Selim Signe Tamsin Teo Tilda Tomas Uma "
    "Veit Vera Wanda Wren Xenia Yara Yuki Zadie Zora"
).split()

ANSWERS = (
    "Letters, on paper, to my grandmother.",
    "Bread. Flour, water, salt, and a whole Sunday.",
    "I sharpen my own knives, badly.",
    "Darning. Socks first, then everybody else's socks.",
    "Long division, to see whether I still can.",
    "I write my shopping list on the back of an envelope.",
    "Whisking egg whites. My arm complains, the cake does not.",
    "Sweeping the stairs instead of taking the vacuum cleaner up them.",
    "I wind the kitchen clock every Saturday evening.",
    "Raking leaves. The blower is in the shed and may stay there.",
    "Drawing maps for visitors, with the good bakery marked.",
    "I turn the pages of the score for my neighbour.",
    "Washing the car, with a bucket, twice a year.",
    "Pasta, from the drawer, with my mother's rolling pin.",
    "I keep the household accounts in a ledger.",
    "Folding paper boxes for the seeds I save.",
    "Sawing firewood with a saw that has somebody else's initials on it.",
    "I copy out poems, one a week, in ink.",
    "Ironing, strangely, and only shirts.",
    "Chopping onions. The machine makes soup of them.",
)

REASONS = (
    "She answers within the week, which is more than my inbox does.",
    "It is the one hour in which nobody can reach me.",
    "I would not call it faster. I would call it mine.",
    "My children think it is a performance. Perhaps it is.",
    "I started because the machine broke and never got round to mending it.",
    "It is how I find out what I think.",
    "There is a *sound* to it that I would miss.",
    "Honestly? The machine frightens the cat.",
    "My hands know it better than I do by now.",
    "Somebody showed me when I was eight, and I can still see her doing it.",
    "It takes as long as it takes, and that is the point.",
    "I get it wrong about one time in five, and then we laugh about that.",
    "I own the machine too. It holds up a shelf.",
)

REPLIES = (
    "The same here, for the same reason.",
    "I had forgotten that people do this. I think I shall start again.",
    "My uncle did. He hummed while doing it, always the same four bars.",
    "How long did it take until it stopped being a chore?",
    "This is the best answer so far.",
    "I tried, and gave up in the second week. Respect.",
    "Please write more about this somewhere!",
    "Do you have a photograph?",
    "It is quieter than people think, isn't it?",
    "I am showing this to my sister, who says nobody does it any more.",
)


def answers() -> Iterator[DemoComment]:
    """Yield the comments, oldest first; about one in three is a reply."""
    dice = random.Random(1)  # noqa: S311
    answers = [f"{answer} {reason}" for answer in ANSWERS for reason in REASONS]
    dice.shuffle(answers)
    spoken: list[str] = []
    for number in range(SIZE):
        name = NAMES[number * 31 % len(NAMES)]
        hours_ago = FIRST_HOURS_AGO * (1 - number / SIZE) + dice.random()
        if spoken and number % 3 == 2:
            text = f"{dice.choice(REPLIES)} (And yes, {dice.choice(spoken)}, I read yours as well.)"
            yield DemoComment(name, hours_ago, text, to=dice.choice(spoken[-8:]))
        else:
            yield DemoComment(name, hours_ago, answers[number])
        spoken.append(name)
