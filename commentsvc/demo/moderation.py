"""The demonstration's moderation data: spam, reports, a ban, a note, a second moderator."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.demo import blog
from commentsvc.domain.admin import ban_list, bulk_decisions, notes, team
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, comments
from commentsvc.domain.comments.comments import NewComment
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.models import BanKind, Comment, Commenter, Decision, Membership, Role, Site, Status

HELPER = "Sven"
"""The second moderator."""
APPROVED_BY_HAND = 36
GOODS = (
    "leather handbags",
    "casino credits",
    "cheap watches",
    "weight loss tea",
    "followers",
    "essay writing",
)
PRAISE = (
    "Wow very nice post!!",
    "Great informations,",
    "I shared this with my friends,",
    "Amazing blog sir,",
)
PITCHES = (
    "click here for {} now",
    "get {} at -90% today only",
    "best {} in the world, visit my shop",
    "free {} for you",
)
WAITING = (
    (
        "Petra",
        1.4,
        "Could you write about the *other* bridge, too? I have the drawings, and nobody to show them to.",
        Verdict(CheckName.POLICY, Status.HELD, "This person has no approved comment on this site yet."),
    ),
    (
        "Ilse",
        3.1,
        "Three that I would read next: https://rivets.example/one, https://rivets.example/two and "
        "https://bolts.example.",
        Verdict(CheckName.LINKS, Status.HELD, "It has 3 links; this site holds comments with more than 2."),
    ),
    (
        "lda",
        9.0,
        "Write to me privately and I will send you my new book for free!",
        Verdict(
            CheckName.NAMESAKE, Status.HELD, "The name looks like that of Ida, who looks after this site."
        ),
    ),
)
"""Name, hours ago, text, and the reason why it is held."""
COMPLAINTS = (
    ("abuse", "He calls the rest of us uninformed.", 4.0),
    ("off topic", None, 2.5),
)


def add_moderation(session: Session, site: Site, owner: Commenter, origin: str, *, at: datetime) -> None:
    """Add the data to the blog's site. Needs `begin_write`."""
    helper = Commenter(name=HELPER)
    session.add(helper)
    session.flush()
    session.add(Membership(commenter_id=helper.id, site_id=site.id, role=Role.MODERATOR))
    session.flush()
    _approve(session, site, owner)
    _fight_spam(session, site, helper, origin, at)
    _wait(session, site, origin, at)
    _report(session, site, at)
    _split(session, site, origin, at)
    target = ban_list.parse_typed(BanKind.DOMAIN, "handbags.example")
    until = at + timedelta(days=30)
    reason = "Advertises under every article."
    ban_list.add(session, site.id, [target], reason=reason, until=until, moderator_id=owner.id, at=at)
    remark = "Writes in good faith, only drily. Please read twice before you decide."
    joss = AuthorRef.parse("email:joss@reader.example")
    notes.add(session, site.id, joss, "Joss", remark, moderator_id=helper.id, at=at)
    team.invite(session, site, Role.MODERATOR, moderator_id=owner.id, at=at)
    session.flush()


def _approve(session: Session, site: Site, owner: Commenter) -> None:
    """Approve some comments by the owner, so that the local filter learns them as good."""
    good = select(Comment).where(
        Comment.site_id == site.id, Comment.status == Status.APPROVED, Comment.commenter_id.is_(None)
    )
    for comment in session.scalars(good.order_by(Comment.id).limit(APPROVED_BY_HAND)).all():
        decisions.decide(session, comment, Status.APPROVED, moderator_id=owner.id)
        theirs = and_(Decision.comment_id == comment.id, Decision.moderator_id == owner.id)
        _date(session, theirs, comment.created_at + timedelta(minutes=40))


def _fight_spam(session: Session, site: Site, helper: Commenter, origin: str, at: datetime) -> None:
    """Add spam on most days of a month, and mark it as spam with one bulk action per day."""
    dice = random.Random(2)  # noqa: S311
    for day in range(27, -1, -1):
        ids = []
        for number in range(dice.choice((0, 1, 1, 2, 3))):
            goods = dice.choice(GOODS)
            text = f"{dice.choice(PRAISE)} {dice.choice(PITCHES).format(goods)} https://{goods.split()[-1]}.example/{day}{number}"
            when = at - timedelta(days=day, hours=dice.uniform(2, 22))
            guest = Guest(f"Best {goods}", f"sales{day}{number}@{goods.split()[-1]}.example")
            ids.append(_post(session, site, origin + blog.BY_HAND, text, guest, when).id)
        done = bulk_decisions.decide(
            session,
            site.id,
            dict.fromkeys(ids),
            Status.SPAM,
            moderator_id=helper.id,
            at=at - timedelta(days=day, hours=1),
        )
        if done.action_id is not None:
            _date(session, Decision.action_id == done.action_id, at - timedelta(days=day, hours=1))


def _wait(session: Session, site: Site, origin: str, at: datetime) -> None:
    for name, hours, text, why in WAITING:
        guest = Guest(name, f"{name.lower()}@reader.example")
        when = at - timedelta(hours=hours)
        comment = _post(session, site, origin + blog.COMMENT_SECTION, text, guest, when)
        if comment.status is not Status.HELD:
            decisions.decide(session, comment, Status.HELD, verdicts=[why])
            _date(session, Decision.comment_id == comment.id, when)


def _report(session: Session, site: Site, at: datetime) -> None:
    disliked = select(Comment.id).where(
        Comment.site_id == site.id, Comment.guest_name == "Joss", Comment.status == Status.APPROVED
    )
    comment_id = session.scalars(disliked.order_by(Comment.id)).first()
    for number, (reason, note, hours) in enumerate(COMPLAINTS):
        by = Reporter(f"{number:064}", f"{number:064}")
        when = at - timedelta(hours=hours)
        if comment_id is not None:
            reports.report(session, comment_id, by, reason=reason, note=note or "", at=when)


def _split(session: Session, site: Site, origin: str, at: datetime) -> None:
    """Add comments at an old address of the article, which make a second thread."""
    page = origin + blog.COMMENT_SECTION + "index.php"
    _post(
        session,
        site,
        page,
        "Reading this on paper, as it should be.",
        Guest("Edda", "edda@reader.example"),
        at - timedelta(hours=50),
    )
    _post(
        session,
        site,
        page,
        "Is this the same conversation as on the other page?",
        Guest("Gil", "gil@reader.example"),
        at - timedelta(hours=44),
    )


def _post(session: Session, site: Site, page: str, text: str, guest: Guest, at: datetime) -> Comment:
    draft = comment_text.from_source(text, longest=10_000)
    new = NewComment(draft, title=blog.TITLES[blog.COMMENT_SECTION])
    posted = comments.post(session, threads.address_on(site, page), new, Author(guest), at=at)
    return session.get_one(Comment, posted.id)


def _date(session: Session, which: ColumnElement[bool], at: datetime) -> None:
    session.flush()
    change_rows(session, update(Decision).where(which).values(created_at=at))
