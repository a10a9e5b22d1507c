"""A site's version grows with whatever its pages show, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain.sites import sites
from commentsvc.models import Policy, Site
from tests.conftest import BLOG

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def close(session: Session, site: Site) -> None:
    site.policy = Policy.CLOSED


def move(session: Session, site: Site) -> None:
    sites.set_origins(session, site, ["https://elsewhere.example"])


def join(session: Session, site: Site) -> None:
    sites.set_origins(session, site, [BLOG, "https://elsewhere.example"])


@pytest.mark.parametrize("change", [close, move, join])
def test_a_change_of_a_site_or_its_origins_makes_its_version_grow(
    session: Session, site: Site, change: Callable[[Session, Site], None]
) -> None:
    before = site.version
    change(session, site)
    session.flush()
    assert site.version == before + 1


def test_a_site_that_stays_as_it_is_keeps_its_version(session: Session, site: Site) -> None:
    before = site.version
    sites.set_origins(session, site, [BLOG])
    session.flush()
    assert site.version == before
