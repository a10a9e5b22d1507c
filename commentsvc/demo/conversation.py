"""Made-up comments on the blog's article."""

from __future__ import annotations

from dataclasses import dataclass

from commentsvc.models import Status

AUTHOR = "Ida"
"""The blog's owner; her comments have a badge."""


@dataclass(frozen=True)
class DemoComment:
    """A comment of the demonstration."""

    name: str
    hours_ago: float
    text: str
    to: str | None = None
    """The name of the person whose latest comment it replies to."""
    website: str | None = None
    status: Status = Status.APPROVED
    """The final status."""


CONVERSATION = (
    DemoComment(
        "Anselm",
        71,
        "The bridge inspector here. I would like it on record that it was *eleven* paragraphs, and that two of them "
        "were about bolts.\n\nOtherwise I have no corrections to make, which is a new feeling.",
    ),
    DemoComment(
        "Ida",
        70.4,
        "I stand corrected, once more. Readers, the photographs were wonderful. One of them hangs over this desk.",
        to="Anselm",
    ),
    DemoComment(
        "Noor",
        66,
        "> A comment section for nine hundred is a dinner.\n\nThis is it exactly. I moderate a forum about fountain "
        "pens. We had our first real argument last year (about *shimmer inks*), and the two of them met for coffee "
        "afterwards, because each had read ten years of the other's posts.",
    ),
    DemoComment(
        "Tomas", 65.2, "I am one of the two. It was a good coffee. I am still right about shimmer.", to="Noor"
    ),
    DemoComment("Noor", 64.8, "You are not.", to="Tomas"),
    DemoComment(
        "Rolf",
        58,
        "Nostalgia. Comments died because nobody sane wants to read them, and this will be a handbag shop by spring.",
        status=Status.TRASH,
    ),
    DemoComment(
        "Hanneke",
        57.1,
        "You may be right about the handbags. But then somebody sane came all the way down here to say so, and wrote "
        "it rather well.",
        to="Rolf",
    ),
    DemoComment(
        "Wren",
        49,
        "A practical question: how do you keep the links short on a static site? I do this in my build, and it feels "
        'like cheating:\n\n```python\ndef slug(title: str) -> str:\n    words = re.findall(r"[a-z0-9]+", '
        'title.lower())\n    return "-".join(words[:5])  # five words are enough for anybody\n```\n\n'
        "Is there a better way, or is this one of the things where the honest answer is *it is fine*?",
        website="https://wren.example",
    ),
    DemoComment(
        "Kofi",
        47.5,
        "It is fine. Only keep the old ones working when you change a title. I have a text file of redirects that is "
        "older than my marriage:\n\n1. never delete a line,\n2. never sort it,\n3. never ask why line 40 exists.",
        to="Wren",
    ),
    DemoComment("Wren", 46.9, "*Never ask why line 40 exists* is going above my door. Thank you!", to="Kofi"),
    DemoComment(
        "Mateo",
        31,
        "I read this and it was good.",
    ),
    DemoComment("Ida", 30.2, "I see what you did there, and I have printed it out.", to="Mateo"),
    DemoComment(
        "Liv",
        20,
        "One thing I would add to the house rules: **you may change your mind in public here.** I have done it twice "
        "under other people's articles. Both times somebody thanked me, which has never once happened to me anywhere "
        "else.\n\nIt is so much easier when the text that changed it is right above you.",
    ),
    DemoComment(
        "Joss",
        6.5,
        "Counterpoint: my father reads only the comments, never the article, and considers himself well informed. "
        "He says hello.",
    ),
    DemoComment(
        "Yuki",
        2.2,
        "Came for the rivets, stayed for the rivets. Is there somewhere one can see the photographs, Anselm?",
        to="Anselm",
        website="https://yuki.example/bridges",
    ),
    DemoComment(
        "Bram",
        0.6,
        "First time writing here. I have kept my own comments switched off since 2014, and tonight I am thinking of "
        "switching them on again. Does the washing-up comparison still hold with, say, two hundred readers a day?",
        status=Status.HELD,
    ),
    DemoComment(
        "BestHandbagz",
        0.3,
        "Wow very informativ post!! I also writing about this, visit my shop for REAL leather -90% "
        "https://handbags.example https://handbags.example/sale https://handbags.example/new",
        website="https://handbags.example",
        status=Status.SPAM,
    ),
)
