"""An import in the site's activity: its owner undoes it with one button, a moderator does not."""

from __future__ import annotations

from sqlalchemy import select

from commentsvc.domain import actions
from commentsvc.models import Action, Comment, Site
from tests.support import exports
from tests.support.admin_queue import AdminQueue, open_queue

queue_of_site = open_queue


def test_an_owner_undoes_an_import_and_a_moderator_cannot(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    exports.load(it.session, it.session.get_one(Site, it.site_id), exports.FOLDER / "disqus.xml")
    action_id = it.session.scalars(select(Action.id).where(Action.kind == actions.IMPORT)).one()
    it.session.rollback()
    page, address = (
        f"/admin/sites/{it.site_id}/activity",
        f"/admin/sites/{it.site_id}/activity/{action_id}/undo",
    )
    moderator = it.moderator("Mo")
    assert "Imported 7 comments from Disqus." in moderator.page(page)
    assert address not in moderator.page(page)
    assert moderator.post(address).status_code == 404
    assert address in it.owner.page(page)
    assert it.owner.post(address).status_code == 303
    assert "Moved to the trash: 7 comments. You can import again." in it.owner.page(page)
    it.session.rollback()
    assert it.session.scalars(select(Comment).where(Comment.shown)).all() == []
