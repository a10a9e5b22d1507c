"""Sites and the origins that may embed them."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.errors import InvalidFieldsError, NotFoundError, UnknownOriginError
from commentsvc.models import Membership, Origin, Policy, Role, Site
from tests.conftest import BLOG

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def test_a_new_site_holds_first_comments_and_has_its_owner(session: Session) -> None:
    owner = accounts.operator(session)
    site = sites.add(session, "  My\tblog ", ["HTTPS://Blog.Example:443/some/page#x"], owner_id=owner.id)
    assert (site.name, site.policy) == ("My blog", Policy.HOLD_FIRST)
    assert [item.origin for item in site.origins] == ["https://blog.example"]
    assert session.scalars(select(Membership.role)).all() == [Role.OWNER]


def test_a_site_is_found_by_each_of_its_origins(session: Session, site: Site) -> None:
    sites.set_origins(session, site, [BLOG, "http://localhost:4000", BLOG])
    session.flush()
    assert sites.by_origin(session, BLOG).id == site.id
    assert sites.by_origin(session, "http://localhost:4000").id == site.id
    assert len(site.origins) == 2


def test_an_origin_nobody_registered_is_named(session: Session, site: Site) -> None:
    with pytest.raises(UnknownOriginError) as caught:
        sites.by_origin(session, "https://other.example")
    assert str(caught.value) == "Comments are not set up for https://other.example."


def test_an_origin_given_up_is_free_for_another_site(session: Session, site: Site) -> None:
    sites.set_origins(session, site, ["https://new.example"])
    session.flush()
    other = sites.add(session, "Other", [BLOG], owner_id=accounts.operator(session).id)
    assert sites.by_origin(session, BLOG).id == other.id


def test_an_origin_belongs_to_one_site(session: Session, site: Site) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        sites.add(session, "Thief", [BLOG], owner_id=accounts.operator(session).id)
    assert caught.value.fields == {"origins": f"{BLOG} already belongs to the site 'Blog'."}


def test_setting_the_same_origins_again_keeps_their_rows(session: Session, site: Site) -> None:
    before = session.scalars(select(Origin.id)).all()
    sites.set_origins(session, site, [BLOG])
    session.flush()
    assert session.scalars(select(Origin.id)).all() == before


@pytest.mark.parametrize("origins", [[], ["blog.example"], ["javascript:alert(1)"], [BLOG, "*"], ["null"]])
def test_what_is_no_origin_is_refused(session: Session, origins: list[str]) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        sites.add(session, "Blog", origins, owner_id=accounts.operator(session).id)
    assert "https://blog.example" in caught.value.fields["origins"]


def test_a_name_is_one_sites_own(session: Session, site: Site) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        sites.add(session, "Blog", ["https://other.example"], owner_id=accounts.operator(session).id)
    assert caught.value.fields == {"name": "There is already a site named 'Blog'."}


def test_a_wrong_name_is_answered_with_the_right_ones(session: Session) -> None:
    with pytest.raises(NotFoundError, match="There are no sites yet"):
        sites.by_name(session, "Blog")
    sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    with pytest.raises(NotFoundError, match="There are: 'Blog'"):
        sites.by_name(session, "blog")
    assert sites.by_name(session, "Blog").name == "Blog"
