"""A thread with very many subscribers: the database makes their deliveries, and memory does not grow with them."""

from __future__ import annotations

import tracemalloc

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.subscriptions import fan_out
from commentsvc.models import Delivery, Frequency, Site, Subscription, SubscriptionKind, now
from tests.support.comment_builders import article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def fill(session: Session, site: Site, thread_id: int, first: int, many: int) -> None:
    rows = [
        {
            "site_id": site.id,
            "thread_id": thread_id,
            "kind": SubscriptionKind.THREAD,
            "address": f"{number}@mail.example",
            "address_hash": f"{number:064x}",
            "token": f"{number:032x}",
            "frequency": Frequency.AT_ONCE,
            "language": "en",
            "wording": 1,
            "requested_at": now(),
            "confirmed_at": now(),
        }
        for number in range(first, first + many)
    ]
    session.execute(insert(Subscription), rows)


def peak_of_spreading(session: Session) -> int:
    """Return how many bytes the deliveries took at most."""
    tracemalloc.start()
    fan_out.spread(session, b"key", digest_hour=6, at=now())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_subscribers(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.at = now()
    pen.write()
    session.commit()
    fan_out.spread(session, b"key", digest_hour=6, at=now())
    begin_write(session)
    fill(session, site, pen.thread.id, 0, 200)
    pen.write()
    session.commit()
    few = peak_of_spreading(session)
    begin_write(session)
    fill(session, site, pen.thread.id, 200, 6000)
    pen.write()
    session.commit()
    many = peak_of_spreading(session)
    assert session.scalar(select(func.count(Delivery.id))) == 200 + 6200
    assert many - few < 1_000_000
