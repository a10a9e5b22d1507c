"""Databases with something in every table that an archive has, and short ways to write and read archives."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.demo import seed
from commentsvc.domain.archive import restoring, writing
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.domain.archive.restoring import RestoreReport
from commentsvc.domain.archive.writing import PartSummary
from commentsvc.domain.notifications import suppression
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.models import (
    Action,
    Ban,
    BanKind,
    Comment,
    Commenter,
    DeletedImport,
    FilterWord,
    Identity,
    Note,
    PendingEdit,
    Picture,
    Report,
    Revision,
    Site,
    Subscription,
    SubscriptionKind,
    Suppression,
    SuppressionReason,
    Thread,
    ThreadAlias,
)
from tests.conftest import dispose
from tests.support.comment_builders import Pen

AT = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)
BLOG = "https://blog.example"
KEY = b"0" * 32
"""The key of hashes of the database that `fill` fills."""


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """Yield a session of a service with these settings."""
    app: Flask = create_app(settings)
    with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
        yield session
    dispose(app)


def fill(session: Session) -> Site:
    """Write the demonstration's comments, and something into every other table of an archive. Commits."""
    begin_write(session)
    seed.fill(session, BLOG, at=AT)
    site = session.query(Site).one()
    site.akismet_key, site.sso_secret = "very-secret-akismet", "very-secret-sso"
    thread = session.query(Thread).order_by(Thread.id).first()
    comment = session.query(Comment).filter(Comment.guest_email.is_not(None)).order_by(Comment.id).first()
    assert thread is not None
    assert comment is not None
    comment.author_key_hash, comment.receipt_hash, comment.network_hash = ("very-secret-hash" * 4,) * 3
    member = Commenter(name="Müller 🌍", website="https://m.example", created_at=AT)
    session.add(member)
    session.flush()
    action = Action(
        site_id=site.id,
        kind="comments.edit",
        summary="Edited",
        facts={"edit": comment.id, "retries": [[comment.id, "very-secret-key"]]},
        created_at=AT,
    )
    session.add_all(
        [
            action,
            Identity(commenter_id=member.id, provider="github", issuer="https://github.com", subject="5"),
            Identity(commenter_id=member.id, provider="sso", issuer=f"site:{site.id}", subject="m"),
            Picture(commenter_id=member.id, data=b"\x89PNG\x00", digest="d"),
            ThreadAlias(site_id=site.id, key=f"{BLOG}/former/", thread_id=thread.id),
            PendingEdit(comment_id=comment.id, source="New *text*", reasons=[{"check": "links"}]),
            Report(
                comment_id=comment.id, reporter_hash="r" * 64, reason="spam", network_hash="very-secret-hash"
            ),
            Ban(site_id=site.id, kind=BanKind.PERSON, value=str(member.id), label="Müller", reason="Rude"),
            Note(site_id=site.id, about=f"commenter:{member.id}", text="Knows birds."),
            FilterWord(site_id=site.id, word="zzcasino", spam=3, ham=0),
            DeletedImport(site_id=site.id, transfer_key="wordpress:x:9"),
        ]
    )
    session.flush()
    session.add(Revision(comment_id=comment.id, action_id=action.id, format=comment.format, source="Before"))
    subscribe(session, site, thread, "ada@mail.example", member)
    subscribe(session, site, None, "bob@mail.example", None)
    session.add(suppressed("ada@mail.example", None))
    session.commit()
    return site


def subscribe(
    session: Session, site: Site, thread: Thread | None, address: str, member: Commenter | None
) -> Subscription:
    """Add a confirmed subscription."""
    row = Subscription(
        site_id=site.id,
        thread_id=thread.id if thread else None,
        kind=SubscriptionKind.THREAD if thread else SubscriptionKind.POSTS,
        address=address,
        address_hash=suppression.hash_of_address(KEY, address),
        commenter_id=member.id if member else None,
        token=f"very-secret-{address}"[:32],
        confirm_hash=f"very-secret-{address}",
        confirmed_at=AT,
    )
    session.add(row)
    return row


def suppressed(address: str, site_id: int | None) -> Suppression:
    """Return what keeps mail from an address."""
    hashed = suppression.hash_of_address(KEY, address)
    return Suppression(address_hash=hashed, site_id=site_id, reason=SuppressionReason.ASKED)


def write(session: Session, path: Path, site_name: str | None = None, at: datetime = AT) -> Path:
    """Write an archive."""
    site = sites.by_name(session, site_name) if site_name else None
    path.write_bytes(b"".join(writing.pieces(session, site, at=at)))
    return path


def restore(session: Session, path: Path) -> RestoreReport:
    """Verify and restore an archive."""
    with ArchiveFile(path) as archive:
        archive.verify()
        return restoring.restore(session, archive)


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the records of an archive, by parts."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.removesuffix(".ndjson"): [json.loads(line) for line in archive.read(name).splitlines()]
            for name in archive.namelist()
            if name.endswith(".ndjson")
        }


def make_other(session: Session, site: Site) -> None:
    """Turn the fixtures' site into one that has nothing to do with that of `fill`, with a comment. Commits."""
    site.name, site.origins[0].origin = "Here", "https://here.example"
    session.add(Commenter(name="Here before"))
    session.flush()
    Pen(session, threads.address_on(site, "https://here.example/x/")).write("Here before")
    session.commit()


def with_records(path: Path, target: Path, part: str, change: Callable[[list[Any]], list[Any]]) -> Path:
    """Copy an archive with other records of a part, and the checksums that fit."""
    lines = b"".join(map(writing.line, change(contents(path)[part])))

    def fitting(manifest: bytes) -> bytes:
        content = json.loads(manifest)
        for each in content["parts"]:
            if each["file"] == f"{part}.ndjson":
                each |= {"bytes": len(lines), "records": lines.count(b"\n")}
                each["sha256"] = hashlib.sha256(lines).hexdigest()
        return signed(content)

    return rewritten(path, target, manifest=fitting, **{part: lambda _: lines})


def signed(content: dict[str, Any]) -> bytes:
    """Return a manifest with the checksum over all that fits."""
    summaries = [PartSummary(**part) for part in content["parts"]]
    return json.dumps(
        {**content, "sha256": writing.checksum(content["schema"], content["site"], summaries)}
    ).encode()


def rewritten(path: Path, target: Path, **changes: Any) -> Path:
    """Copy an archive with other content of some of its files; the names of parts lack their ending."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            content = source.read(name)
            change = changes.get(name.partition(".")[0])
            copy.writestr(name, change(content) if change else content)
    return target
