"""Measures the local filter's precision and recall on a real collection of messages that it has not learned.

The collection is the SMS Spam Collection v.1 of Almeida and Hidalgo, 5,574 messages that people received, as the npm
package spam-filter 1.1.1 carries it (dataSet.txt). It is fetched into a temporary folder and not kept.

    python bench/spamfilter.py
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from commentsvc.domain.spam import spam_filter, tokens
from commentsvc.domain.spam.spam_filter import Counts
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.text import markup

PACKAGE = "spam-filter@1.1.1"
SEED = 2026
HELD_OUT = 0.3
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99)
TAUGHT = (20, 50, 200, 400)
REPEATS = 5

Message = tuple[list[str], bool]
"""Its tokens, and whether it is spam."""


def collection(folder: Path) -> list[Message]:
    """Download the collection; return each different message once."""
    fetch = ["npm", "pack", "--silent", PACKAGE]
    subprocess.run(fetch, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extract("package/dataSet.txt", folder, filter="data")
    lines = (folder / "package/dataSet.txt").read_text("utf-8", "replace").splitlines()
    sentence = dict.fromkeys(tuple(line.split("\t", 1)) for line in lines if "\t" in line)
    return [(_tokens(text), kind == "bad") for kind, text in sentence]


def _tokens(text: str) -> list[str]:
    return tokens.tokens_of(TokenSource(text, markup.render_markdown(text).html))


def learned(messages: Iterable[Message]) -> dict[str, Counts]:
    """Return the counts that the filter would have in its table."""
    spam: Counter[str] = Counter()
    ham: Counter[str] = Counter()
    for found, is_spam in messages:
        (spam if is_spam else ham).update(["", *found])
    return {word: Counts(spam[word], ham[word]) for word in spam.keys() | ham.keys()}


def scores(counts: dict[str, Counts], messages: Iterable[Message]) -> list[tuple[float, bool]]:
    weighed = ((spam_filter.weigh(found, counts), is_spam) for found, is_spam in messages)
    return [(score.value, is_spam) for score, is_spam in weighed if score is not None]


def figures(scored: Sequence[tuple[float, bool]], threshold: float) -> tuple[float, float, int, int]:
    """Return precision, recall, the good messages held and the spam let through."""
    caught = sum(is_spam and value >= threshold for value, is_spam in scored)
    wrong = sum(not is_spam and value >= threshold for value, is_spam in scored)
    missed = sum(is_spam and value < threshold for value, is_spam in scored)
    return caught / ((caught + wrong) or 1), caught / ((caught + missed) or 1), wrong, missed


def few(messages: Sequence[Message], number: int, chance: random.Random) -> list[Message]:
    """Return `number` messages of each kind, as an owner may have decided on in the first weeks."""
    spam = [message for message in messages if message[1]]
    ham = [message for message in messages if not message[1]]
    return chance.sample(spam, number) + chance.sample(ham, number)


def size(messages: Sequence[Message]) -> str:
    return f"{len(messages):,} ({sum(is_spam for _, is_spam in messages)} spam)"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        messages = collection(Path(folder))
    chance = random.Random(SEED)  # noqa: S311 - a split, not a secret
    chance.shuffle(messages)
    cut = round(len(messages) * HELD_OUT)
    test, train = messages[:cut], messages[cut:]
    spam = sum(is_spam for _, is_spam in messages)
    say(f"{PACKAGE}: {len(messages):,} different messages, {spam:,} of them spam")
    say(f"learned {size(train)}, judged {size(test)}")
    scored = scores(learned(train), test)
    say("\nthreshold  precision  recall  good held  spam let through")
    for threshold in THRESHOLDS:
        precision, recall, wrong, missed = figures(scored, threshold)
        say(f"{threshold:9.2f}  {precision:9.1%}  {recall:6.1%}  {wrong:9}  {missed:16}")
    say(f"\nAt 0.9, learned so many of each kind (mean of {REPEATS} draws, the same {cut:,} judged):")
    say("of each  precision  recall  good held")
    for number in TAUGHT:
        runs = [figures(scores(learned(few(train, number, chance)), test), 0.9) for _ in range(REPEATS)]
        precision, recall, wrong = (sum(run[at] for run in runs) / REPEATS for at in (0, 1, 2))
        say(f"{number:7}  {precision:9.1%}  {recall:6.1%}  {wrong:9.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    main()
