"""Bluesky's AppView as it is documented, with every oddity; and answers that nobody documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from commentsvc.errors import OutboundError
from commentsvc.http_client.refusals import AskedTooOftenError, GoneError
from commentsvc.integrations.bluesky_posts import ASKED_AT_ONCE, MOST_ANSWERS, AppView, BlueskyThread
from commentsvc.integrations.bluesky_records import BlueskyPost, LinkedBytes, parse_address
from tests.support.appview import DEFS, StandInAppView, appview, did_of
from tests.support.receiver import Reply

AT = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def bluesky() -> Iterator[StandInAppView]:
    with appview() as view:
        yield view


def read(bluesky: StandInAppView, uri: str) -> BlueskyThread:
    address = parse_address(uri)
    assert address
    return AppView("https://us.example", bluesky.origin).thread(address, at=AT)


def texts(thread: BlueskyThread) -> list[str]:
    return [answer.post.text for answer in thread.answers]


def only(bluesky: StandInAppView, uri: str) -> BlueskyPost:
    (answer,) = read(bluesky, uri).answers
    return answer.post


def test_addresses() -> None:
    did = did_of("ada")
    for author in ("ada.example", did, "did:web:ada.example"):
        address = parse_address(f"https://bsky.app/profile/{author}/post/3kabc?ref=x")
        assert address
        assert address == parse_address(address.uri) == parse_address(address.page)
        assert address.is_resolved == author.startswith("did:")
    for wrong in (
        "https://bsky.app/profile/ada.example",
        "https://bsky.app.evil.example/profile/ada.example/post/3k",
        "http://bsky.app/profile/ada.example/post/3k",
        "https://bsky.app/profile/ada.example/post/3k/../../x",
        "https://bsky.app/profile/localhost/post/3k",
        f"at://{did}/app.bsky.feed.like/3k",
        "at://did:plc:short/app.bsky.feed.post/3k",
        "javascript:alert(1)//https://bsky.app/profile/ada.example/post/3k",
        f"https://bsky.app/profile/{'a.' * 400}b/post/3k",
        "",
    ):
        assert parse_address(wrong) is None, wrong


def test_a_handle_is_resolved_to_the_did_that_stays(bluesky: StandInAppView) -> None:
    uri = bluesky.post("Ada", "My article")
    address = parse_address(f"https://bsky.app/profile/ada.bsky.example/post/{uri.rpartition('/')[2]}")
    assert address
    server = AppView("https://us.example", bluesky.origin)
    resolved = server.resolved(address, at=AT)
    assert resolved.uri == uri
    assert server.resolved(resolved, at=AT) == resolved
    assert bluesky.asked == ["resolveHandle"]
    bluesky.handles.clear()
    with pytest.raises(GoneError):
        server.resolved(address, at=AT)
    bluesky.replies = [Reply(200, JSON, b'{"did": "https://evil.example"}')]
    with pytest.raises(OutboundError):
        server.resolved(address, at=AT)


def test_a_thread_with_what_the_network_puts_among_its_answers(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article", likeCount=7, repostCount=True)
    first = bluesky.post("Bob", "First", top)
    deeper = bluesky.post("Cy", "Deeper", first)
    deleted, blocked = bluesky.post("Dee", "Deleted", top), bluesky.post("Eve", "Blocked", top)
    bluesky.deleted, bluesky.blocked = {deleted}, {blocked}
    bluesky.post("Fay", "Below the blocked", blocked)
    bluesky.oddities = [None, 5, [], {}, {"$type": f"{DEFS}newKindOfPost", "post": bluesky.posts[first]}]
    bluesky.oddities += [{"$type": f"{DEFS}threadViewPost", "post": bluesky.posts[first]}]  # again
    stolen = {**bluesky.posts[first], "uri": f"at://{did_of('eve')}/app.bsky.feed.post/3kx"}
    bluesky.oddities += [{"$type": f"{DEFS}threadViewPost", "post": stolen, "replies": "none"}]
    thread = read(bluesky, top)
    assert [(answer.post.address.uri, answer.parent) for answer in thread.answers] == [
        (first, None),
        (deeper, first),
    ]
    assert (thread.likes, thread.reposts, thread.hidden) == (7, 0, {blocked})


def test_what_must_not_be_shown_to_everybody_is_hidden_and_answers_to_it_keep_their_place(
    bluesky: StandInAppView,
) -> None:
    top = bluesky.post("Ada", "My article", author={"labels": [{"val": "!no-unauthenticated"}]})
    shown = bluesky.post("Bob", "Shown", top)
    private = {"labels": [{"val": "!no-unauthenticated", "src": did_of("cy")}]}
    hidden = [
        bluesky.post("Cy", "Only for members", shown, author=private),
        bluesky.post("Dee", "Hidden", top, labels=[{"val": "!hide"}]),
        bluesky.post("Eve", "By its author's label", top, record={"labels": {"values": [{"val": "spam"}]}}),
    ]
    below = bluesky.post("Fay", "Below it", hidden[0])
    gated = bluesky.post("Gus", "The author hid this", top)
    below_gated = bluesky.post("Hal", "And this with it", gated)
    withdrawn = [{"val": "!hide", "neg": True}, {"val": "!hide", "exp": "2026-01-01T00:00:00Z"}, "spam", None]
    free = bluesky.post("Ida", "Free again", top, labels=withdrawn)
    bluesky.hidden_by_author = [gated]
    thread = read(bluesky, top)
    assert {answer.post.address.uri: answer.parent for answer in thread.answers} == {
        shown: None,
        free: None,
        below: shown,
    }
    assert thread.hidden == {*hidden, gated, below_gated}
    # The gate may be at the post instead.
    bluesky.hidden_by_author = []
    bluesky.posts[top]["threadgate"] = {"record": {"hiddenReplies": [gated, 5]}}
    assert "The author hid this" not in texts(read(bluesky, top))


def test_warnings(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    labels = [{"val": "porn"}, {"val": "graphic-media"}, {"val": "gore"}, {"val": "unknown-label"}]
    bluesky.post("Bob", "Look", top, labels=labels)
    assert only(bluesky, top).warning == "Adult content, Graphic media"


def test_facets_count_bytes_and_wrong_ones_are_text(bluesky: StandInAppView) -> None:
    text = "Zoë 👋🏽 reads https://a.example, #tägs and @bob.example"

    def facet(part: str, kind: str, **feature: object) -> dict[str, object]:
        start = text.encode().index(part.encode())
        index = {"byteStart": start, "byteEnd": start + len(part.encode())}
        return {"index": index, "features": [{"$type": f"app.bsky.richtext.facet#{kind}", **feature}]}

    def at_bytes(start: object, end: object, uri: object = "https://evil.example") -> dict[str, object]:
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
        return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}

    wrong = [
        at_bytes(0, 3),  # through the ë
        at_bytes(3, 4),
        at_bytes(0, 10_000),
        at_bytes(-5, 2),
        at_bytes(2, 2),
        at_bytes(4, 1),
        at_bytes("0", 1),
        at_bytes(False, True),
        at_bytes(0.0, 1.0),
        *[
            at_bytes(0, 2, uri)
            for uri in ("javascript:alert(1)", "//evil.example", "https:///x", "", None, 5)
        ],
        at_bytes(0, 2, 'https://evil.example/"onclick="x'),
        at_bytes(0, 2, "https://bank.example@evil.example/"),
        facet("Zo", "mention", did="did:plc:../../evil"),
        facet("Zo", "tag", tag=""),
        facet("Zo", "newKind", uri="https://evil.example"),
        {"index": None, "features": None},
        "facet",
    ]
    links = [
        facet("@bob.example", "mention", did=did_of("bob")),
        facet("#tägs", "tag", tag="tägs/?x"),
        facet("https://a.example", "link", uri="https://a.example/?a=1&b=2"),
        facet("a.example", "link", uri="https://evil.example"),  # within the one before
    ]
    top = bluesky.post("Ada", "My article")
    bluesky.post("Bob", text, top, record={"facets": wrong + links})
    post = only(bluesky, top)
    data = text.encode()
    assert [(data[link.start : link.end].decode(), link.address) for link in post.links] == [
        ("https://a.example", "https://a.example/?a=1&b=2"),
        ("#tägs", "https://bsky.app/hashtag/t%C3%A4gs%2F%3Fx"),
        ("@bob.example", f"https://bsky.app/profile/{did_of('bob')}"),
    ]


def test_half_of_a_character_counts_three_bytes_as_in_browsers(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example"}
    facet = {"index": {"byteStart": 3, "byteEnd": 5}, "features": [feature]}
    bluesky.post("Bob", "\ud83dhi", top, record={"facets": [facet]}, author={"displayName": "\udc4b"})
    post = only(bluesky, top)
    assert (post.text, post.name, post.links) == (
        "\ufffdhi",
        "\ufffd",
        (LinkedBytes(3, 5, "https://a.example"),),
    )


def test_times_are_not_the_authors_word_alone(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    for created, indexed in (
        ("2030-01-01T00:00:00Z", "2026-11-30T09:00:00.123456789Z"),
        ("2026-11-30T10:00:00.000+01:00", "2026-11-30T09:30:00Z"),
        ("yesterday", "2026-11-30T09:00:00"),
        (None, 5),
        ("0001-01-01T00:00:00+23:00", "2026-11-30T09:00:00Z"),
        ("0001-01-01T00:00:00Z", "2026-11-30T09:00:00Z"),
    ):
        bluesky.post("Bob", "Hi", top, record={"createdAt": created}, indexedAt=indexed)
    times = [answer.post.posted_at.isoformat()[:19] for answer in read(bluesky, top).answers]
    nine, noon = "2026-11-30T09:00:00", "2026-11-30T12:00:00"
    assert times == [nine, nine, nine, noon, nine, nine]


def test_authors_and_what_is_attached(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    external = {"$type": "app.bsky.embed.external", "external": {"uri": "https://a.example/", "title": "A"}}
    images = {"$type": "app.bsky.embed.images", "images": [{"alt": "A  swift"}, {"alt": None}]}
    quoted = {"record": {"record": {"uri": top}}, "media": images, "$type": "app.bsky.embed.recordWithMedia"}
    author = {
        "handle": "handle.invalid",
        "displayName": " \n",
        "avatar": "http://127.0.0.1/picture",
    }
    bluesky.post("Bob", "", top, record={"embed": external, "langs": [5, "pt-BR"]}, author=author)
    bluesky.post("Cy", "", top, record={"embed": quoted}, author={"avatar": "https://cdn.bsky.app/img/1"})
    bluesky.post("Dee", "", top, record={"embed": {"$type": "app.bsky.embed.record", "record": {"uri": top}}})
    one, two, three = (answer.post for answer in read(bluesky, top).answers)
    assert (one.handle, one.name, one.picture, one.language) == ("", "", None, "pt-BR")
    assert one.attached == ("https://a.example/",)
    page = f"https://bsky.app/profile/{did_of('ada')}/post/{top.rpartition('/')[2]}"
    assert (two.attached, two.pictures) == ((page,), ("A swift", ""))
    assert three.attached == (page,)
    assert (two.handle, two.picture) == ("cy.bsky.example", "https://cdn.bsky.app/img/1")


def test_posts_that_exist(bluesky: StandInAppView) -> None:
    uris = [bluesky.post("Bob", f"No. {number}") for number in range(ASKED_AT_ONCE)]
    bluesky.deleted = {uris[3]}
    posts = AppView("https://us.example", bluesky.origin).posts(uris, at=AT)
    assert set(posts) == set(uris) - {uris[3]}


def test_no_error_proves_that_a_post_is_gone(bluesky: StandInAppView) -> None:
    server, uri = AppView("https://us.example", bluesky.origin), bluesky.post("Bob", "Here")
    for reply in (
        Reply(502, JSON, b"{}"),
        Reply(200, JSON, b"{}"),
        Reply(200, JSON, b"[]"),
        Reply(200, JSON, b'{"posts": [{}]}'),
        Reply(200, JSON, b'{"posts": '),
        Reply(200, JSON, b'{"posts":' + b"[" * 100_000),
        Reply(200, {"Content-Type": "text/html"}, b'{"posts": []}'),
        Reply(302, {"Location": "/other"}, b""),
        Reply(200, {**JSON, "Content-Length": "99999999"}, b""),
    ):
        bluesky.replies = [reply]
        with pytest.raises(OutboundError) as caught:
            server.posts([uri], at=AT)
        assert not isinstance(caught.value, GoneError), reply


def test_a_post_that_is_not_there(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    not_found = {"thread": {"$type": f"{DEFS}notFoundPost", "uri": top, "notFound": True}}
    bluesky.replies = [Reply(200, JSON, json.dumps(not_found).encode())]
    with pytest.raises(GoneError):
        read(bluesky, top)
    bluesky.deleted = {top}
    with pytest.raises(GoneError):
        read(bluesky, top)
    for thread in ({"$type": f"{DEFS}blockedPost", "uri": top}, {}, None, []):
        bluesky.replies = [Reply(200, JSON, json.dumps({"thread": thread}).encode())]
        with pytest.raises(OutboundError) as caught:
            read(bluesky, top)
        assert not isinstance(caught.value, GoneError)


def test_asked_too_often(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    for headers, seconds in (
        ({"Retry-After": "120"}, 120),
        ({"RateLimit-Reset": str(int(AT.timestamp()) + 1_000)}, 1_000),
        ({"Retry-After": "tomorrow"}, 300),
        ({"Retry-After": "0"}, 60),
        ({"Retry-After": "999999999"}, 86_400),
        ({}, 300),
    ):
        bluesky.replies = [Reply(429, headers, b"slow down")]
        with pytest.raises(AskedTooOftenError) as caught:
            read(bluesky, top)
        assert caught.value.until == AT + timedelta(seconds=seconds)


def test_a_pause_holds_for_all_posts_until_it_is_over(bluesky: StandInAppView) -> None:
    server, uri = AppView("https://us.example", bluesky.origin), bluesky.post("Ada", "My article")
    bluesky.replies = [Reply(429, {"Retry-After": "120"}, b"")]
    for seconds in (0, 119):
        with pytest.raises(AskedTooOftenError):
            server.posts([uri], at=AT + timedelta(seconds=seconds))
    assert bluesky.asked == []
    assert uri in server.posts([uri], at=AT + timedelta(seconds=120))


def test_ten_thousand_answers_are_bounded_and_the_nearest_come_first(bluesky: StandInAppView) -> None:
    top = bluesky.post("Ada", "My article")
    parents = [bluesky.post("Bob", f"Near {number}", top) for number in range(500)]
    for number in range(9_500):
        bluesky.post("Cy", f"Far {number}", parents[number % 500])
    thread = read(bluesky, top)
    assert len(thread.answers) == MOST_ANSWERS
    assert texts(thread)[:500] == [f"Near {number}" for number in range(500)]
