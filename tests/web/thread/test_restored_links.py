"""A link with the number that a comment had in another database leads to the comment."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from commentsvc.domain.archive import records
from commentsvc.models import Site
from tests.conftest import BLOG
from tests.support import comment_builders

FORMER = 999


@pytest.mark.parametrize("more", ["", "&fragment=1"])
@pytest.mark.parametrize("link", [f"{FORMER}", f"%23comment-c{FORMER}", f"comment-{FORMER}"])
def test_a_former_number_leads_on(
    session: Session, site: Site, client: FlaskClient, link: str, more: str
) -> None:
    pen = comment_builders.article(session, site)
    comment = pen.write("Restored")
    comment.transfer_key = records.uid(FORMER, comment.created_at, None)
    session.commit()
    response = client.get(f"/embed?url={BLOG}/article&comment={link}{more}")
    assert response.status_code == 302
    assert f"comment={comment.id}" in response.headers["Location"]
    shown = client.get(response.headers["Location"])
    assert b"Restored" in shown.data


def test_a_number_of_its_own_comes_first(session: Session, site: Site, client: FlaskClient) -> None:
    pen = comment_builders.article(session, site)
    own, restored = pen.write("Own"), pen.write("Restored")
    restored.transfer_key = records.uid(own.id, restored.created_at, None)
    session.commit()
    response = client.get(f"/embed?url={BLOG}/article&comment={own.id}")
    assert response.status_code == 200
