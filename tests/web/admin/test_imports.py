"""An owner imports a file by upload: the report first, then the decision; nobody else does, and one at a time."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import import_jobs
from commentsvc.domain.maintenance import site_removal
from commentsvc.domain.sites import sites
from commentsvc.domain.spam import training
from commentsvc.domain.transfer import import_runner, importing
from commentsvc.models import Action, Comment, ImportJob, ImportState, now
from commentsvc.web.admin import import_upload
from commentsvc.web.context import services_of
from tests.support import wxr
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser_client import BrowserClient
from tests.support.exports import FOLDER

DISQUS = (FOLDER / "disqus.xml").read_bytes()


class Importer:
    """An owner's browser, and the background work."""

    def __init__(self, queue: AdminQueue, data_dir: Path) -> None:
        self.queue, self.data_dir, self.session = queue, data_dir, queue.session
        self.path = f"/admin/sites/{queue.site_id}/import"

    def upload(
        self,
        content: bytes = DISQUS,
        name: str = "disqus.xml",
        *,
        by: BrowserClient | None = None,
        **options: Any,
    ) -> TestResponse:
        return (by or self.queue.owner).post(self.path, {"file": (io.BytesIO(content), name)}, **options)

    def work(self, **options: Any) -> None:
        self.session.rollback()
        import_runner.run_due(self.session, self.data_dir, **options)

    def press(self, button: str, *, by: BrowserClient | None = None, job: int | None = None) -> TestResponse:
        job_id = job or self.job().id
        return (by or self.queue.owner).post(f"{self.path}/{button}", {"job": job_id})

    def job(self) -> ImportJob:
        self.session.rollback()
        return self.session.scalars(select(ImportJob).execution_options(populate_existing=True)).one()

    def jobs(self) -> int:
        self.session.rollback()
        return len(self.session.scalars(select(ImportJob.id)).all())

    def files(self) -> list[Path]:
        return list((self.data_dir / import_jobs.UPLOADS).glob("*"))

    def page(self) -> str:
        return self.queue.owner.page(self.path)

    def comments(self) -> int:
        self.session.rollback()
        return len(self.session.scalars(select(Comment.id)).all())


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def it(app: Flask, settings: Settings) -> Iterator[Importer]:
    with queue_in(app) as queue:
        yield Importer(queue, settings.data_dir)


def test_the_whole_way_with_disqus(it: Importer) -> None:
    assert it.upload().status_code == 303
    (file,) = it.files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "disqus" not in file.name
    assert file.read_bytes() == DISQUS
    page = it.page()
    assert "Reading the file…" in page
    assert '<meta http-equiv="refresh"' in page
    it.work()
    page = it.page()
    assert "Dry run: nothing was changed." in page
    assert "Recognised:   disqus.xml is from Disqus" in page
    assert "Hosts in the file:" in page
    assert "Some comments as they will look:" in page
    assert 'http-equiv="refresh"' not in page
    assert it.comments() == 0
    assert it.press("start").status_code == 303
    assert "Importing…" in it.page()
    it.work()
    page = it.page()
    assert it.comments() == 7
    assert f'href="/admin/sites/{it.queue.site_id}/activity"' in page
    assert "Dry run" not in page
    assert "Choose a file" in page
    assert it.files() == []
    action = it.session.scalars(select(Action).where(Action.kind == actions.IMPORT)).one()
    assert action.moderator_id == accounts.operator(it.session).id
    it.session.rollback()
    assert (
        it.queue.owner.post(f"/admin/sites/{it.queue.site_id}/activity/{action.id}/undo").status_code == 303
    )


def test_the_whole_way_with_wordpress_and_a_second_time(it: Importer) -> None:
    content = wxr.export(
        wxr.item(wxr.comment("<b>Well</b> said.", number=1), wxr.comment("Spam?", number=2, approved="0"))
    )
    for existing in (0, 2):
        assert it.upload(content, "<b>blog</b>.xml").status_code == 303
        it.work()
        page = it.page()
        assert "is from WordPress" in page
        assert "&lt;b&gt;blog&lt;/b&gt;.xml" in page
        assert "<b>blog" not in page
        assert f"Existing:     {existing} of 2" in page
        it.press("start")
        it.work()
        assert it.comments() == 2


def test_a_file_that_is_no_export_is_refused_with_the_importers_sentence(it: Importer) -> None:
    it.upload(b"\x89PNG, say", "picture.png")
    it.work()
    page = it.page()
    assert "picture.png: this is no export that can be read. Known are WordPress, Disqus" in page
    assert "--from" not in page
    assert it.files() == []
    assert it.upload().status_code == 303


def test_a_file_that_ends_in_the_middle_says_so_before_anything_is_written(it: Importer) -> None:
    content = wxr.export(wxr.item(wxr.comment(number=1)), wxr.item(wxr.comment(number=2)))
    it.upload(content[: content.rindex(b"<wp:comment>") + 20])
    it.work()
    job = it.job()
    assert job.state is ImportState.READY
    assert job.error
    assert "What was read before that can be imported." in it.page()
    assert it.comments() == 0


def test_no_file_an_empty_one_and_two_are_refused(it: Importer) -> None:
    assert "Choose a file to import." in it.queue.owner.post(it.path, {"file": (io.BytesIO(b""), "")}).text
    empty = it.upload(b"")
    assert (empty.status_code, "This file is empty." in empty.text) == (422, True)
    two = {"file": (io.BytesIO(b"a"), "a"), "other": (io.BytesIO(b"b"), "b")}
    assert it.queue.owner.post(it.path, two).status_code == 422
    assert (it.jobs(), it.files()) == (0, [])


@pytest.mark.parametrize("over", [1, 3_000])
def test_a_larger_file_is_refused_with_a_sentence(
    it: Importer, monkeypatch: pytest.MonkeyPatch, over: int
) -> None:
    monkeypatch.setattr(import_upload, "UPLOAD_LARGEST", 100_000)
    monkeypatch.setattr(import_upload, "FORM_LARGEST", 2_000)
    answer = it.upload(b"x" * (100_000 + over))
    assert answer.status_code == 413
    assert "This file is larger than 50 MB. Compress it as .zip or .gz" in answer.text
    assert (it.jobs(), it.files()) == (0, [])
    assert it.upload(b"x" * 100_000).status_code == 303


@pytest.mark.parametrize("checked", [False, True])
def test_cancel_deletes_the_file(it: Importer, checked: bool) -> None:
    it.upload()
    if checked:
        it.work()
    assert it.press("cancel").status_code == 303
    assert (it.jobs(), it.files(), it.comments()) == (0, [], 0)


def test_cancel_stops_the_work(it: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_runner, "SHOW_EVERY", 0)
    it.upload()
    cancelled: list[int] = []

    def cancel_once() -> bool:
        if it.jobs() and it.job().claim and not cancelled:
            cancelled.append(it.press("cancel").status_code)
        return False

    with it.queue.app.app_context(), Session(it.session.get_bind()) as session:
        import_runner.run_due(session, it.data_dir, stopped=cancel_once)
    assert cancelled == [303]
    assert (it.jobs(), it.files(), it.comments()) == (0, [], 0)


def test_work_that_was_cancelled_stays_cancelled_even_if_it_fails(
    it: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    it.upload()

    def cancelled_and_failed(*_: Any, **__: Any) -> None:
        assert it.press("cancel").status_code == 303
        raise FileNotFoundError

    monkeypatch.setattr(importing, "run", cancelled_and_failed)
    with Session(it.session.get_bind()) as session:
        import_runner.run_due(session, it.data_dir)
    assert (it.jobs(), it.files()) == (0, [])


def test_long_work_shows_that_it_is_alive_also_after_the_file_is_read(
    it: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_runner, "SHOW_EVERY", 0)
    it.upload()
    it.work()
    it.press("start")
    signs: list[str] = []
    write, learn = import_runner._Claim.write, training.learn_imported
    monkeypatch.setattr(
        import_runner._Claim, "write", lambda self, **values: (signs.append("alive"), write(self, **values))
    )

    def learn_noting(*given: Any, **named: Any) -> Any:
        signs.append("learning")
        learned = learn(*given, **named)
        signs.append("learned")
        return learned

    monkeypatch.setattr(training, "learn_imported", learn_noting)
    it.work()
    assert "alive" in signs[signs.index("learning") : signs.index("learned")]


def test_a_second_upload_is_refused_until_the_first_is_finished(it: Importer) -> None:
    it.upload()
    first = it.job().id
    for do in (lambda: None, it.work, lambda: it.press("start")):
        do()
        answer = it.upload()
        assert answer.status_code == 409
        assert "Another file is being imported" in answer.text
        assert it.job().id == first
        assert len(it.files()) == 1
    assert it.press("cancel").status_code == 409
    it.work()
    assert it.press("start").status_code == 409
    assert it.upload().status_code == 303


def test_one_body_is_received_at_a_time(it: Importer, app: Flask) -> None:
    with services_of(app).upload_slot:
        assert it.upload().status_code == 429
    assert it.upload().status_code == 303


def test_an_import_continues_after_a_crash(it: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    it.upload()
    it.work()
    it.press("start")
    write, writes = importing._Import._write, []

    def write_and_crash(self: Any) -> None:
        write(self)
        writes.append(1)
        if len(writes) == 2:
            raise SystemExit

    monkeypatch.setattr(importing._Import, "_write", write_and_crash)
    with pytest.raises(SystemExit):
        it.work()
    some = it.comments()
    assert 0 < some < 7
    monkeypatch.setattr(importing._Import, "_write", write)
    it.work()
    assert it.comments() == some, "the process that had it may still be alive"
    _age(it, claimed_at=now() - import_runner.LEASE - timedelta(seconds=1))
    it.work()
    assert it.comments() == 7
    assert "the service stopped meanwhile" in it.page()
    assert it.files() == []


def test_a_file_with_which_the_service_always_stops_is_given_up(it: Importer) -> None:
    it.upload()
    _age(it, tries=import_runner.TRIES)
    it.work()
    assert it.job().state is ImportState.FAILED
    assert "stopped 3 times" in it.page()
    assert it.files() == []


def test_a_service_that_stops_in_time_leaves_the_job_to_the_next(it: Importer) -> None:
    it.upload()
    answers = iter([False])
    it.work(stopped=lambda: next(answers, True))
    job = it.job()
    assert (job.state, job.claim, job.tries) == (ImportState.CHECKING, None, 0)
    it.work()
    assert it.job().state is ImportState.READY


def test_an_unexpected_error_ends_the_job_with_a_sentence(
    it: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    it.upload()
    monkeypatch.setattr(importing, "run", lambda *_, **__: 1 / 0)
    it.work()
    assert it.job().state is ImportState.FAILED
    assert "Something went wrong on our side" in it.page()
    assert it.files() == []


def test_nobody_but_an_owner_of_this_site(it: Importer, app: Flask) -> None:
    begin_write(it.session)
    person = it.queue.person("Otto")
    begin_write(it.session)
    sites.add(it.session, "Other", ["https://other.example"], owner_id=person.id)
    it.session.commit()
    other = BrowserClient(app).sign_in(it.session, person)
    it.upload()
    it.work()
    job = it.job().id
    for client in (it.queue.moderator("Mo"), other):
        assert client.get(it.path).status_code == 404
        assert it.upload(by=client).status_code == 404
        assert it.press("start", by=client, job=job).status_code == 404
        assert it.press("cancel", by=client, job=job).status_code == 404
    assert app.test_client().get(it.path).status_code == 401
    assert it.job().state is ImportState.READY
    assert len(it.files()) == 1


def test_a_site_does_not_decide_on_anothers_import(it: Importer) -> None:
    it.upload()
    it.work()
    job = it.job().id
    begin_write(it.session)
    other = sites.add(
        it.session, "Other", ["https://other.example"], owner_id=accounts.operator(it.session).id
    )
    it.session.commit()
    for button in ("start", "cancel"):
        answer = it.queue.owner.post(f"/admin/sites/{other.id}/import/{button}", {"job": job})
        assert answer.status_code == 409
        it.session.rollback()
    assert it.job().state is ImportState.READY


def test_an_upload_needs_our_page_the_token_and_the_person(it: Importer) -> None:
    assert it.upload(origin="https://evil.example").status_code == 403
    assert it.upload(origin=None).status_code == 403
    assert it.upload(token=None).status_code == 400
    token = it.queue.owner.token()
    assert it.upload(token=token._replace(csrf_token="x")).status_code == 400
    assert it.upload(token=token._replace(made_for="0" * 64)).status_code == 409
    bearer = {"Origin": it.queue.owner.base_url, "Authorization": f"Bearer {'x' * 30}"}
    data = {"file": (io.BytesIO(DISQUS), "a.xml"), "made_for": token.made_for}
    answer = it.queue.owner.client.post(it.path, base_url=it.queue.owner.base_url, data=data, headers=bearer)
    assert answer.status_code == 400
    assert (it.jobs(), it.files()) == (0, [])


def test_an_upload_that_ends_in_the_middle_leaves_nothing(it: Importer) -> None:
    token = it.queue.owner.token()
    fields = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in token._asdict().items()
    )
    head = f'{fields}--cut\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n'
    statuses = []
    for end in ("", "\r\n--cut--\r\n"):
        answer = it.queue.owner.client.post(
            it.path,
            base_url=it.queue.owner.base_url,
            data=head.encode() + DISQUS + end.encode(),
            content_type="multipart/form-data; boundary=cut",
            headers={"Origin": it.queue.owner.base_url},
        )
        statuses.append(answer.status_code)
        assert len(it.files()) == it.jobs() == len(statuses) - 1
    assert statuses == [400, 303]


def test_a_file_that_nobody_decides_on_is_deleted_after_a_day(it: Importer) -> None:
    it.upload()
    it.work()
    _tidy(it, hours=23)
    assert (it.jobs(), len(it.files())) == (1, 1)
    _tidy(it, hours=25)
    assert (it.jobs(), it.files()) == (0, [])


def test_a_report_is_deleted_after_a_week(it: Importer) -> None:
    it.upload()
    it.work()
    it.press("start")
    it.work()
    _tidy(it, hours=24 * 6)
    assert it.jobs() == 1
    _tidy(it, hours=24 * 8)
    assert it.jobs() == 0


def test_the_file_of_a_removed_site_is_deleted(it: Importer) -> None:
    it.upload()
    it.session.rollback()
    site_removal.remove(it.session, it.queue.site_id, progress=lambda _: None)
    assert it.jobs() == 0
    _tidy(it, hours=0)
    assert len(it.files()) == 1, "it could be one that is on its way in"
    _tidy(it, hours=2)
    assert it.files() == []


def test_the_page_has_no_characters_that_reorder_it(it: Importer) -> None:
    it.upload(name="my\u202efile.xml")
    it.work()
    page = it.page()
    assert "\u202e" not in page
    assert "my file.xml is from Disqus" in page


def _tidy(it: Importer, *, hours: int) -> None:
    import_jobs.tidy(it.session, it.data_dir, at=now() + timedelta(hours=hours))


def _age(it: Importer, **values: Any) -> None:
    begin_write(it.session)
    it.session.execute(update(ImportJob).values(**values))
    it.session.commit()
