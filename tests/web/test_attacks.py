"""Every hostile string through every field, posted for real; then everything a reader can be shown is taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from flask import Flask

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.domain import fields
from commentsvc.errors import InvalidFieldsError
from commentsvc.integrations import migrations
from commentsvc.models import FieldRule, Policy
from commentsvc.text import markup
from commentsvc.web import static_files
from tests.conftest import BASE_URL, BLOG, dispose, environment
from tests.support.attacks import ATTACKS, Attack
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site
from tests.support.time_limit import within

KEY = "k" * 43
FIELDS = ("text", "name", "email", "website", "title", "id", "url", "canonical")
BATCH = 50

# Elements that templates write, beside those a comment may hold.
OURS = frozenset(
    """
    article aside bdi body button code details div fieldset footer form h1 h2 h3 head header html input label legend
    li link main meta nav ol p path pre rect circle script section small span strong style summary svg template
    textarea time title ul use g line polyline
    """.split()  # noqa: SIM905
)
ATTRIBUTES = frozenset(
    """
    action aria-controls aria-current aria-describedby aria-expanded aria-haspopup aria-hidden aria-invalid aria-label
    aria-labelledby aria-live aria-selected autocomplete charset class content cx cy d datetime dir disabled fill for
    height hidden href id inputmode lang maxlength media method minlength name novalidate open placeholder r rel
    required role rows spellcheck src start stroke stroke-linecap stroke-linejoin stroke-width tabindex target title
    type value viewbox width x x1 x2 y y1 y2 checked enctype referrerpolicy loading decoding alt formaction translate
    """.split()  # noqa: SIM905
)


def batches() -> Iterator[list[Attack]]:
    for start in range(0, len(ATTACKS), BATCH):
        yield list(ATTACKS[start : start + BATCH])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One service for all of them: what an earlier attack left behind is still there for the later ones."""
    limits = {f"COMMENTSVC_{who}_LIMIT": "100000/minute" for who in ("POST", "PERSON", "THREAD")}
    settings = environment(tmp_path_factory.mktemp("attacks"), **limits)
    app = create_app(Settings.from_env(settings))
    with app.app_context():
        migrations.bring_up_to_date()
    add_site(app, name_field=FieldRule.OPTIONAL, email_field=FieldRule.OPTIONAL, most_links=1000, valve=False)
    yield app
    dispose(app)


SHEET = f"<style>{(static_files.FOLDER / 'frame.css').read_text()}</style>"
SCRIPT = f"<script>{(static_files.FOLDER / 'frame/first_paint.js').read_text()}</script>"


def objections(page: str) -> list[str]:
    """Everything in an HTML text that neither our templates nor a comment could have written."""
    for ours in (SHEET, SCRIPT):
        page = page.replace(ours, "", 1)
    page = re.sub(r'<script type="application/json" id="words">[^<>&\']*</script>', "", page, count=1)
    elements = Elements(page)
    wrong = [f"<!--{comment}-->" for comment in elements.comments]
    for tag, attributes in elements.found:
        if tag not in OURS and tag not in markup.TAGS:
            wrong.append(f"<{tag}>")
        for name, value in attributes.items():
            if name not in ATTRIBUTES and not re.fullmatch(r"data-[a-z-]+", name):
                wrong.append(f"<{tag} {name}>")
            ours = tag == "link" and (value or "").startswith("data:image/svg+xml,%3Csvg ")
            if name in {"href", "src", "action", "formaction"} and not ours and not _is_safe(value or ""):
                wrong.append(f"<{tag} {name}={value!r}>")
        if tag == "script" and urlsplit(attributes.get("src") or "x:").netloc:
            wrong.append(f"<script {attributes}>")
        if tag == "script" and not (attributes.get("src") or "").startswith("/static/"):
            wrong.append(f"<script {attributes}>")
        if tag in {"form", "button"} and not (attributes.get("action") or "/").startswith("/"):
            wrong.append(f"<{tag} {attributes}>")
    return wrong


def _is_safe(url: str) -> bool:
    if "\\" in url or re.search(r"[\x00-\x20\x7f]", url.strip()):
        return False
    if url.startswith(("/", "#", "?")) and not url.startswith("//"):
        return True
    return re.match(r"(https?://[^/]|mailto:)", url, re.IGNORECASE) is not None


def check(page: str, about: str) -> None:
    assert objections(page) == [], about


def ids_are_ours(page: str) -> bool:
    """Whether every id is one that templates write, and none twice."""
    ids = Elements(page).ids()
    return len(ids) == len(set(ids)) and all(re.fullmatch(r"comment-\d+|[a-z-]+", one) for one in ids)


def test_the_inspection_finds_what_it_is_for() -> None:
    for bad in (
        "<img src=x>",
        "<p onclick=x>",
        "<a href='javascript:alert(1)'>",
        "<a href='//evil.test'>",
        "<a href='/\\evil.test'>",
        "<script>x</script>",
        "<script src='https://evil.test/x.js'></script>",
        "<form action='https://evil.test/'>",
        "<!-- x -->",
        "<p style=x>",
        "<iframe>",
        "<svg/onload=alert(1)>",
        "<base href='https://evil.test'>",
    ):
        assert objections(bad) != [], bad
    assert objections(GuestClient.__doc__ or "") == []


every_attack = pytest.mark.parametrize(
    "attacks", list(batches()), ids=lambda batch: f"{batch[0].id}-and-after"
)


def valid(attack: Attack) -> dict[str, str]:
    """Those of the fields that take the attack; what refuses it is posted in the next test."""
    results = {}
    for field, judge in (
        ("text", lambda text: fields.text(text, longest=10_000)),
        ("name", fields.name),
        ("email", fields.email),
        ("website", fields.website),
    ):
        with suppress(InvalidFieldsError):
            judge(attack.text)
            results[field] = attack.text
    return results


@every_attack
def test_nothing_that_is_taken_gets_out_of_its_place(app: Flask, attacks: list[Attack]) -> None:
    """Each attack has a thread of its own: that thread's name and title, its comment, its writer's details."""
    for attack in attacks:
        if len(attack.text) > 30_000:
            continue
        reader = GuestClient(app, id=attack.text.replace("\0", "\ufffd"))  # as browsers read it in our page
        if reader.get("/embed/own").status_code != 200:
            reader = GuestClient(app, f"{ARTICLE}/{attack.id}")
        text = {"text": f"About {attack.id}"}
        hidden = dict.fromkeys(("title", "key", "order", "canonical"), attack.text)
        form = text | valid(attack) | hidden | {"author_key": KEY}
        with within(20):
            answer = reader.send(reader.asked | form | {"token": reader.token()})
        if answer.status_code == 422 and "text" in (answer.json or {})["errors"]:
            answer = reader.send(reader.asked | form | text | {"token": reader.token()})
        assert answer.status_code == 200, (attack.id, answer.text)
        check((answer.json or {})["html"], attack.id)
        page = reader.get("/thread").text
        check(page, attack.id)
        assert ids_are_ours(page), attack.id
        # Some look like spam, and wait.
        assert page.count("<article") == (0 if (answer.json or {})["held"] else 1), attack.id
        assert page.rstrip().endswith("</html>"), attack.id
    latest, feed = (
        app.test_client().get(path, query_string={"origin": BLOG, "number": "20"}, base_url=BASE_URL)
        for path in ("/latest", "/feeds/site.atom")
    )
    check(latest.text, "the list of the latest comments")
    contents = list(ElementTree.fromstring(feed.data).iter("{http://www.w3.org/2005/Atom}content"))
    assert contents
    for content in contents:
        check(content.text or "", "the feed")


@every_attack
def test_nothing_that_is_refused_gets_out_of_its_place(app: Flask, attacks: list[Attack]) -> None:
    """A form that is too old comes back with everything that was typed in it."""
    for attack in attacks:
        form = dict.fromkeys((*FIELDS, "order", "parent", "key", "author_key", "token"), attack.text)
        answer = GuestClient(app).send(form | {"url": ARTICLE, "id": ""}, json=False)
        if len(attack.text) > 30_000:
            assert answer.status_code in {413, 422}
            continue
        assert answer.status_code == 422, attack.id
        check(answer.text, attack.id)
        assert ids_are_ours(answer.text), attack.id
        assert answer.text.rstrip().endswith("</html>"), attack.id


def test_what_waits_shows_its_author_nothing_else(app: Flask) -> None:
    add_site(app, "Held", "https://held.example", policy=Policy.HOLD_ALL, valve=False)
    reader = GuestClient(app, "https://held.example/")
    token = reader.token()
    taken = [attack for attack in ATTACKS[::7] if "text" in valid(attack)]
    for attack in taken:
        form = reader.form(f"{attack.text}\n\n{attack.id}", token=token, author_key=f"{attack.id}{KEY}")
        if len(attack.text) < 9_900 and reader.send(form).status_code == 200:
            held = reader.own(f"{attack.id}{KEY}")["held"]
            assert len(held) == 1
            check(held[0]["html"], attack.id)


ARGUMENTS = ({"canonical": "", "order": "", "fragment": "", "as": ""}, {"after": ""}, {"comment": ""},
             {"reply": ""}, {"replies": ""}, {"url": ""})  # fmt: skip


@every_attack
def test_no_argument_gets_out_of_its_place(app: Flask, attacks: list[Attack]) -> None:
    client = GuestClient(app).client
    for number, attack in enumerate(attacks):
        if len(attack.text) > 8_000:
            continue
        for names in (ARGUMENTS[0], ARGUMENTS[1 + number % (len(ARGUMENTS) - 1)]):
            query = {"url": f"{ARTICLE}/none"} | dict.fromkeys(names, attack.text)
            answer = client.get("/embed", query_string=query, base_url=BASE_URL)
            assert answer.status_code in {200, 400, 404}, attack.id
            check(answer.text, f"{attack.id} as {'+'.join(names)}")


@every_attack
def test_no_address_of_an_article_gets_out_of_its_place(app: Flask, attacks: list[Attack]) -> None:
    for attack in attacks:
        for door, url in (("/thread", f"{BLOG}/{attack.text}"), ("/embed", f"https://{attack.text}/")):
            answer = GuestClient(app, url).get(door)
            assert answer.status_code in {200, 400, 404}, (attack.id, door)
            check(answer.text, f"{attack.id} as address")
            ancestors = answer.headers["Content-Security-Policy"].rpartition("frame-ancestors ")[2]
            assert ancestors in {BLOG, "*", "'none'"}
