"""One article has one thread, however its address is written; threads of old addresses are found as before."""

from __future__ import annotations

import random
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain import article_urls
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import merging, moving, remapping, renaming
from commentsvc.domain.threads import comment_counts, duplicates, threads
from commentsvc.errors import BadAddressError, InvalidFieldsError, KeyTakenError
from commentsvc.ignored_parameters import KINDS, checked
from commentsvc.integrations import migrations
from commentsvc.models import Comment, Site, Thread, ThreadAlias
from tests.conftest import BASE_URL, BLOG
from tests.support import wxr
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import NOON, Pen, article
from tests.support.guest_client import GuestClient, add_site

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

IGNORED = [
    "ref=hn", "utm_source=x", "UTM_Campaign=y", "fbclid=1", "gclid=1", "msclkid=2", "gbraid=3", "mc_cid=4", "_hsenc=5",
    "from=timeline", "from=singlemessage", "isappinstalled=0", "scene=21", "nsukey=a%2Bb", "amp", "amp=1", "usqp=mq331",
    "outputType=amp", "amp_js_v=0.1", "cpage=2", "replytocom=17", "unapproved=4&moderation-hash=abc", "mtm_source=x",
    "_x_tr_sl=en", "doing_wp_cron=1.5", "share=twitter",
]  # fmt: skip
TELLING = [
    "p=16", "page_id=2", "id=1", "lang=de", "page=2", "paged=2", "q=x", "s=x", "v=abc", "from=berlin",
    "from=2020-01-01", "scene=balcony", "amp=volts", "share=17", "m=202001", "cat=3", "source=x",
    "t=4", "cid=9", "sid=8", "_=7", "n=%ff",
]  # fmt: skip
SAME = [
    "https://blog.example/a/",
    "https://blog.example//a",
    "https://blog.example/./x/../a",
    "https://blog.example/a?",
    "https://blog.example/a#comment-4",
    "https://blog.example/a#:~:text=words",
    "https://blog.example./a",
    "https://BLOG.example:443/%61",
    "https://blog.example/a/index.html",
    "https://blog.example/a/comment-page-2/",
    "https://blog.example/a/comment-page-12#comments",
    "https://blog.example/a;jsessionid=0F2",
    *(f"https://blog.example/a?{one}" for one in IGNORED),
]
OTHER = [
    "https://blog.example/b",
    "https://blog.example/A",
    "https://blog.example/a/amp/x",
    "https://blog.example/a/amp",
    "https://blog.example/a/page/2/",
    "https://blog.example/a/index.php",
    "https://blog.example/a%2Fb",
    "https://blog.example/a/comment-page-x",
    *(f"https://blog.example/a?{one}" for one in TELLING),
]


def found(session: Session, url: str, **more: str) -> int | None:
    """The thread that a page leads to; its comments must be those that are counted."""
    located = threads.locate(session, url=url, **more)
    thread = threads.find(session, located)
    counted = comment_counts.counts(session, [located])
    assert counted == [thread.approved_count if thread else 0]
    return thread.id if thread else None


def store(session: Session, site: Site, key: str) -> Thread:
    """A thread as an earlier release stored it."""
    thread = Thread(site_id=site.id, key=key, url=f"https://{key}", created_at=NOON, approved_count=1)
    session.add(thread)
    session.flush()
    return thread


@pytest.mark.parametrize("url", SAME)
def test_one_article_has_one_thread(session: Session, site: Site, url: str) -> None:
    pen = article(session, site, "/a")
    pen.write()
    assert found(session, url) == pen.thread.id
    assert Pen(session, threads.locate(session, url=url)).write("Again").thread_id == pen.thread.id
    assert session.scalar(select(func.count()).select_from(Thread)) == 1


@pytest.mark.parametrize("url", SAME)
def test_a_thread_that_is_begun_at_another_address_is_the_articles(
    session: Session, site: Site, url: str
) -> None:
    Pen(session, threads.locate(session, url=url)).write()
    thread = session.scalars(select(Thread)).one()
    assert found(session, f"{BLOG}/a") == thread.id
    assert "?" not in thread.url
    assert "comment-page" not in thread.url


@pytest.mark.parametrize("url", OTHER)
def test_what_tells_articles_apart_stays(session: Session, site: Site, url: str) -> None:
    pen = article(session, site, "/a")
    pen.write()
    assert found(session, url) is None


def test_any_order_and_any_mixture_lead_to_one_thread(session: Session, site: Site) -> None:
    chance = random.Random(13)
    pen = Pen(session, threads.locate(session, url=f"{BLOG}/a?p=16&lang=de&tag=x&tag=y"))
    number = pen.write().thread_id
    for _ in range(60):
        parts = ["p=16", "lang=de", "tag=x", "tag=y", *chance.sample(IGNORED, chance.randrange(6))]
        chance.shuffle(parts)
        url = f"{BLOG}/a?{'&'.join(parts)}"
        assert found(session, url) == number, url
        form = article_urls.match_key(article_urls.thread_key(article_urls.canonical(url)))
        assert article_urls.match_key(form) == form
    assert pen.thread.key == "blog.example/a?p=16&lang=de&tag=x&tag=y"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/caf%C3%A9", "/cafe%CC%81"),
        ("/caf%c3%a9", "/caf\u00e9"),
        ("/%7Euser", "/~user"),
        ("/x_%28y%29", "/x_(y)"),
        ("/%e4", "/%E4"),
        ("/a?q=%C3%A9", "/a?q=e%CC%81"),
        ("/a?x=1&y", "/a?y=&x=1"),
    ],
)
def test_escapes_and_accents_are_written_in_one_way(
    session: Session, site: Site, one: str, other: str
) -> None:
    number = article(session, site, one).write().thread_id
    assert found(session, BLOG + other) == number


def test_a_host_is_one_in_letters_and_as_dns_has_it(session: Session, site: Site) -> None:
    sites.set_origins(session, site, ["https://b\u00fccher.example"])
    session.flush()
    number = Pen(session, threads.locate(session, url="https://b\u00fccher.example/a")).write().thread_id
    assert found(session, "https://xn--bcher-kva.example./a") == number


def test_www_is_the_same_only_where_both_are_the_sites(session: Session, site: Site) -> None:
    store(session, site, "www.blog.example/a")
    assert found(session, f"{BLOG}/a") is None
    sites.set_origins(session, site, [BLOG, "https://www.blog.example", "http://blog.example"])
    session.flush()
    number = found(session, "https://www.blog.example/a")
    assert number == found(session, f"{BLOG}/a") == found(session, "http://blog.example/a/") is not None


def test_www_of_another_site_is_another_article(session: Session, site: Site) -> None:
    other = sites.add(session, "Other", ["https://www.blog.example"], owner_id=accounts.operator(session).id)
    article(session, site, "/a").write()
    assert found(session, "https://www.blog.example/a") is None
    assert Pen(session, threads.address_on(other, "https://www.blog.example/a")).write().site_id == other.id


def test_an_address_that_is_long_for_what_hangs_on_it_has_a_thread(app: Flask) -> None:
    add_site(app)
    long = f"{BLOG}/article?fbclid={'x' * 3000}&p=1&utm_term={'y' * 2000}#:~:text={'z' * 1000}"
    number = GuestClient(app, long).posted("Hello there")
    assert f'id="comment-{number}"' in GuestClient(app, f"{BLOG}/article?p=1").get().text
    assert f'id="comment-{number}"' in GuestClient(app, f"{BLOG}/x", canonical=long).get("/thread").text
    assert GuestClient(app, f"{BLOG}/article?p={'x' * 3000}").get().status_code == 400
    assert GuestClient(app, f"{BLOG}/article?fbclid={'x' * 20_000}").get().status_code in {400, 414}


def test_what_is_no_address_is_refused_however_long(session: Session, site: Site) -> None:
    for tail in ("\n", " ", "\\", "\x00"):
        with pytest.raises(BadAddressError):
            threads.locate(session, url=f"{BLOG}/a?utm_source={'x' * 3000}{tail}")


def test_wordpress_own_canonical_on_a_page_of_comments_finds_them(session: Session, site: Site) -> None:
    number = article(session, site, "/2020/05/post/").write().thread_id
    canonical = f"{BLOG}/2020/05/post/comment-page-2/"
    assert found(session, f"{BLOG}/2020/05/post/?cpage=2", canonical=canonical) == number
    number = article(session, site, "/?p=16").write().thread_id
    assert found(session, f"{BLOG}/?p=16&cpage=3") == number
    assert found(session, f"{BLOG}/?p=17&cpage=3") is None


def test_two_threads_of_one_article_are_found_where_they_were(session: Session, site: Site) -> None:
    plain, other = store(session, site, "blog.example/a"), store(session, site, "blog.example/a?ref=hn")
    assert found(session, f"{BLOG}/a") == plain.id
    assert found(session, f"{BLOG}/a?ref=hn") == other.id
    assert found(session, f"{BLOG}/a?ref=x&fbclid=1") == plain.id
    assert Pen(session, threads.locate(session, url=f"{BLOG}/a?ref=hn")).write().thread_id == other.id
    merging.merge(session, other, plain, moderator_id=None, at=NOON)
    assert found(session, f"{BLOG}/a?ref=hn") == plain.id


def test_a_thread_alone_is_found_at_its_old_address_and_at_the_articles(session: Session, site: Site) -> None:
    for key in (
        "blog.example/a?ref=hn",
        "blog.example//b",
        "blog.example/c/comment-page-2",
        "blog.example/d?y=1&x=2",
    ):
        thread = store(session, site, key)
        assert found(session, f"https://{key}") == thread.id
    assert found(session, f"{BLOG}/a") == found(session, f"{BLOG}/a?ref=hn") is not None
    assert found(session, f"{BLOG}/b") == found(session, f"{BLOG}//b") is not None
    assert found(session, f"{BLOG}/c/") == found(session, f"{BLOG}/c/comment-page-7/") is not None
    assert found(session, f"{BLOG}/d?x=2&y=1") == found(session, f"{BLOG}/d?y=1&x=2") is not None


def test_a_thread_that_the_release_before_wrote_meanwhile_is_found(session: Session, site: Site) -> None:
    thread = store(session, site, "blog.example/a")
    session.execute(text("UPDATE thread SET match_key = NULL"))
    assert found(session, f"{BLOG}/a?ref=x") == thread.id
    article(session, site, "/a").write()
    session.refresh(thread)
    assert thread.match_key == "blog.example/a"


class TestASitesOwnList:
    def test_threads_are_found_by_both_forms(self, session: Session, site: Site) -> None:
        old = store(session, site, "blog.example/a?partner=7")
        new = store(session, site, "blog.example/b?partner=7")
        plain = store(session, site, "blog.example/b")
        use(session, site, "partner, ad_*")
        for query in ("", "?partner=7", "?partner=8&ad_x=1"):
            assert found(session, f"{BLOG}/a{query}") == old.id
        assert found(session, f"{BLOG}/b?partner=7") == new.id
        assert found(session, f"{BLOG}/b") == plain.id
        use(session, site, "")
        assert found(session, f"{BLOG}/a?partner=7") == old.id
        assert found(session, f"{BLOG}/a") is None

    def test_what_a_site_says_counts_does(self, session: Session, site: Site) -> None:
        one, two = (
            store(session, site, "blog.example/job?ref=1"),
            store(session, site, "blog.example/job?ref=2"),
        )
        use(session, site, "!ref")
        assert found(session, f"{BLOG}/job?ref=1&fbclid=2") == one.id
        assert found(session, f"{BLOG}/job?ref=2") == two.id
        assert found(session, f"{BLOG}/job?ref=3") is None
        assert Pen(session, threads.locate(session, url=f"{BLOG}/job?ref=3")).write().thread_id not in {
            one.id,
            two.id,
        }

    @pytest.mark.parametrize(
        "typed", ["*", "!", "a=1", "a?b", "x" * 61, "p*q", " ".join(f"a{n}" for n in range(101))]
    )
    def test_odd_names_are_refused_in_words(self, session: Session, site: Site, typed: str) -> None:
        with pytest.raises(ValueError, match=r"(?i)please|most|stand"):
            checked(typed)

    def test_an_owner_changes_it_in_the_settings(self, app: Flask) -> None:
        site_id = add_site(app)
        first = GuestClient(app, f"{BLOG}/a").posted("The first")
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            visitor = BrowserClient(app).sign_in(session, accounts.operator(session))
        path = f"/admin/sites/{site_id}"
        form = {
            "name": "Blog", "heading": "Leave a Reply", "origins": BLOG, "guests": "y",
            "order": "oldest", "name_field": "required", "email_field": "required",
            "website_field": "optional", "close_after_days": "",
        }  # fmt: skip
        partner = GuestClient(app, f"{BLOG}/a?partner=7")
        assert f'id="comment-{first}"' not in partner.get().text
        answer = visitor.post(path, {**form, "ignored_parameters": "partner=7"})
        assert answer.status_code == 422
        assert "not the name of a parameter" in answer.text
        assert visitor.post(path, {**form, "ignored_parameters": "Partner\nad_*"}).status_code == 303
        assert "partner\nad_*</textarea>" in visitor.page(path).replace("\r", "")
        assert f'id="comment-{first}"' in partner.get().text


def use(session: Session, site: Site, listed: str) -> None:
    from commentsvc.domain.sites import site_settings

    wanted = site_settings.SiteSettings(
        name=site.name,
        heading=site.heading,
        origins=[one.origin for one in site.origins],
        policy=site.policy,
        guests=site.guests,
        comment_mail=site.comment_mail,
        edit_window=site.edit_window,
        order=site.order,
        name_field=site.name_field,
        email_field=site.email_field,
        website_field=site.website_field,
        close_after_days=None,
        ignored_parameters=listed,
    )
    site_settings.change(session, site, wanted, base_url=BASE_URL)
    session.flush()
    session.expire_all()


class TestThreadsThatMove:
    def test_an_old_address_leads_on_however_it_is_written(self, session: Session, site: Site) -> None:
        pen = article(session, site, "/a")
        number = pen.write().thread_id
        renaming.rename(session, pen.thread, url=f"{BLOG}/b", moderator_id=None, at=NOON)
        for path in ("/a", "/a?ref=x", "/b?fbclid=1", "/b/comment-page-2/"):
            assert found(session, BLOG + path) == number
        taken = article(session, site, "/c")
        taken.write()
        with pytest.raises(KeyTakenError):
            renaming.rename(session, taken.thread, url=f"{BLOG}/b?ref=x", moderator_id=None, at=NOON)

    def test_a_site_moves_with_all_its_threads(self, session: Session, site: Site) -> None:
        sites.set_origins(session, site, [BLOG, "https://new.example"])
        session.flush()
        plain, double = store(session, site, "blog.example/a"), store(session, site, "blog.example/a?ref=hn")
        taken = store(session, site, "blog.example/b?x=1&y=2")
        store(session, site, "new.example/b?y=2&x=1")
        planned = remapping.plan(session, site, old=BLOG, new="https://new.example")
        assert {one.id for one in planned.changes if one.taken} == {taken.id}
        action = remapping.apply(session, site, planned, moderator_id=None, at=NOON)
        for host in ("new", "blog"):
            assert found(session, f"https://{host}.example/a?gclid=1") == plain.id
            assert found(session, f"https://{host}.example/a?ref=hn") == double.id
        assert remapping.undo(session, action, at=NOON) == 2
        assert found(session, f"{BLOG}/a?gclid=1") == plain.id
        assert found(session, "https://new.example/a") is None

    def test_a_merge_is_undone_to_both_addresses(self, session: Session, site: Site) -> None:
        plain, double = store(session, site, "blog.example/a"), store(session, site, "blog.example/a?ref=hn")
        action = merging.merge(session, plain, double, moderator_id=None, at=NOON)
        assert found(session, f"{BLOG}/a") == found(session, f"{BLOG}/a?gclid=1") == double.id
        again = merging.unmerge(session, action, at=NOON)
        assert found(session, f"{BLOG}/a") == again.id
        assert found(session, f"{BLOG}/a?ref=hn") == double.id

    def test_a_thread_goes_to_no_site_that_has_the_article(self, session: Session, site: Site) -> None:
        other = sites.add(session, "Other", ["https://o.example"], owner_id=accounts.operator(session).id)
        plain, double = store(session, site, "blog.example/a"), store(session, site, "blog.example/a?ref=hn")
        action = moving.move(session, plain, other, moderator_id=None, at=NOON)
        with pytest.raises(InvalidFieldsError):
            moving.move(session, double, other, moderator_id=None, at=NOON)
        assert moving.undo(session, action, at=NOON).site_id == site.id

    def test_an_import_hangs_its_answers_into_the_thread_there_is(self, session: Session, site: Site) -> None:
        thread = store(session, site, "blog.example/hello?ref=x")
        session.commit()
        begin_write(session)
        question = wxr.comment("A question", number=1)
        answer = wxr.comment("An answer", number=2, parent=1)
        assert wxr.load(session, site, wxr.item(question), dry_run=True).threads_existing == 1
        wxr.load(session, site, wxr.item(question))
        report = wxr.load(session, site, wxr.item(question, answer))
        assert report.already_there == 1
        first, second = session.scalars(select(Comment).order_by(Comment.id))
        assert first.thread_id == second.thread_id == thread.id
        assert second.parent_id == first.id


def test_split_threads_of_every_kind_are_found(session: Session, site: Site) -> None:
    tails = [
        "?ref=hn", "?from=timeline", "?amp=1", "/amp", "/index.php", "?x=1", "/comment-page-2", "?cpage=2", "//",
        "?utm_x=1&fbclid=2", ";jsessionid=1", "?m=1",
    ]  # fmt: skip
    pairs = [(store(session, site, f"blog.example/p{n}/a"), store(session, site, f"blog.example/p{n}/a{tail}"))
             for n, tail in enumerate(tails)]  # fmt: skip
    pairs.append((store(session, site, "blog.example/w"), store(session, site, "www.blog.example/w")))
    pairs.append(
        (store(session, site, "blog.example/o?x=1&y=2"), store(session, site, "blog.example/o?y=2&x=1"))
    )
    groups = [{one.id for one in group.members} for group in duplicates.find(session, site.id)]
    assert all({one.id, other.id} in groups for one, other in pairs)


def test_many_articles_of_one_page_are_no_split_threads(session: Session, site: Site) -> None:
    for number in range(12):
        store(session, site, f"blog.example/?p={number}")
    double = store(session, site, "blog.example/?p=3&ref=x")
    groups = [[one.url for one in group.members] for group in duplicates.find(session, site.id)]
    assert groups == [["https://blog.example/?p=3", double.url]]


def test_every_address_of_a_thread_shows_a_change_at_once(app: Flask) -> None:
    add_site(app)
    variants = ["", "?ref=x", "?fbclid=1&ref=y", "/comment-page-2/", "//"]
    readers = [GuestClient(app, f"{BLOG}/a{one}") for one in variants]
    for reader in readers:
        assert 'id="comment-' not in reader.get().text
    for reader in readers:
        number = reader.posted(f"From {reader.asked['url']}")
        for other in readers:
            assert f'id="comment-{number}"' in other.get().text
    counts = app.test_client().get(f"/counts?{urlencode([('url', one.asked['url']) for one in readers])}")
    assert set(dict(counts.json or {}).values()) == {len(variants)}


def test_a_form_of_one_address_is_good_for_another_only_by_itself(app: Flask) -> None:
    add_site(app)
    one, other = GuestClient(app, f"{BLOG}/a?x=1&y=2"), GuestClient(app, f"{BLOG}/b")
    assert one.post("Hello", token=other.token()).status_code != 200
    assert one.post("Hello").status_code == 200


def test_the_migration_finds_old_threads_and_lists_doubles(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        with Session(db.engine) as session:
            begin_write(session)
            owner = accounts.operator(session).id
            site = sites.add(session, "Blog", [BLOG], owner_id=owner)
            keys = ["blog.example/a", "blog.example/a?ref=x", "blog.example/b?y=1&x=2", "id:7"]
            numbers = [store(session, site, key).id for key in keys]
            session.add(ThreadAlias(site_id=site.id, key="blog.example//once", thread_id=numbers[3]))
            session.commit()
        try:
            migrations.register()
            downgrade(directory=str(migrations.directory()), revision="0010")
            with caplog.at_level("WARNING", logger="commentsvc.upgrade"):
                upgrade(directory=str(migrations.directory()))
        finally:
            migrations.bring_up_to_date()
        assert "blog.example/a (2)" in caplog.text
        assert "blog.example/b" not in caplog.text
        with Session(db.engine) as session:
            assert session.scalars(select(Thread.key).order_by(Thread.id)).all() == keys
            assert found(session, f"{BLOG}/b?x=2&y=1") == numbers[2]
            assert found(session, f"{BLOG}/once?ref=x") == numbers[3]
            assert found(session, f"{BLOG}/z", page_id="7") == numbers[3]
            assert found(session, f"{BLOG}/a?ref=x") == numbers[1]


def test_the_list_says_of_each_kind_why(engine_name: str) -> None:
    names = [name for kind in KINDS if not kind.values for name in kind.names.split()]
    assert len(names) == len(set(names))
    assert all(kind.why.endswith(".") and kind.names == kind.names.lower() for kind in KINDS)
    assert quote("".join(names), safe="*") == "".join(names)
