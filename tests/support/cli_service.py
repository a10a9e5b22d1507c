"""A service as the command line makes one, and comments in it."""

from __future__ import annotations

from click.testing import CliRunner

from commentsvc.cli import service
from commentsvc.cli.commands import main
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.models import Policy, Status
from tests.support import comment_builders

ADA, BOB = Guest("Ada", "ada@mail.example"), Guest("Bob", "bob@mail.example")

EXPORT = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/"><channel>
<link>https://blog.example</link><wp:wxr_version>1.2</wp:wxr_version>
<item><title>Hello</title><link>https://blog.example/hello/</link><wp:post_id>1</wp:post_id>
<wp:post_date_gmt>2020-01-01 00:00:00</wp:post_date_gmt><wp:post_type>post</wp:post_type>
<wp:status>publish</wp:status><wp:comment><wp:comment_id>1</wp:comment_id>
<wp:comment_author>Ada</wp:comment_author><wp:comment_date_gmt>2020-01-02 00:00:00</wp:comment_date_gmt>
<wp:comment_content>Good.</wp:comment_content><wp:comment_approved>1</wp:comment_approved>
<wp:comment_type>comment</wp:comment_type><wp:comment_parent>0</wp:comment_parent></wp:comment></item>
</channel></rss>"""
"""A WordPress export with one comment."""


def write_comments(site_name: str) -> list[int]:
    """Write four comments on two articles of a site at https://blog.example; return their ids.

    They are by Ada (approved, with an approved reply by Bob) and by Bob (held), on one article, and by Ada (spam), on
    another.
    """
    with service.writing(service.settings()) as session:
        site = sites.by_name(session, site_name)
        site.policy = Policy.OPEN
        first = comment_builders.article(session, site, "/article/")
        second = comment_builders.article(session, site, "/other/")
        question = first.write("What do you think?", by=ADA)
        written = [
            question,
            first.write("I agree.", by=BOB, to=question),
            first.write("Wait for me.", by=BOB),
            second.write("Buy this.", by=ADA),
        ]
        session.flush()
        decisions.decide(session, written[2], Status.HELD)
        decisions.decide(session, written[3], Status.SPAM)
        return [comment.id for comment in written]


def succeed(*words: str, typed: str | None = None) -> str:
    """Run a command; return what it printed."""
    result = CliRunner().invoke(main, words, input=typed)
    assert result.exit_code == 0, result.output
    return result.output


def fail(*words: str, code: int = 1, typed: str | None = None) -> str:
    """Return the complaint of a command, which must be one for people."""
    result = CliRunner().invoke(main, words, input=typed)
    assert result.exit_code == code, result.output
    assert any(line.startswith("Error: ") for line in result.stderr.splitlines())
    assert isinstance(result.exception, SystemExit)  # no traceback
    return result.stderr
