"""A server with Mastodon's API is asked for a post and its answers; nothing that it sends is believed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from commentsvc.errors import OutboundError
from commentsvc.integrations import mastodon_addresses, mastodon_posts
from commentsvc.integrations.mastodon_addresses import PostAddress
from commentsvc.integrations.mastodon_posts import MastodonReader, PausedError, PostGoneError
from tests.support.certificates import Authority
from tests.support.comment_builders import NOON
from tests.support.mastodon_server import HOST, OTHER_HOST, POST, MastodonServer, RawAnswer, mastodon_server
from tests.support.strange_server import Internet, Server

ULID = "01HF7Y9Q2B6Z8K3M4N5P6Q7R8S"
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
STATUS, CONTEXT = "/api/v1/statuses/1", "/api/v1/statuses/1/context"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MastodonServer]:
    with mastodon_server(tmp_path) as server:
        yield server


@pytest.fixture
def reader(server: MastodonServer) -> MastodonReader:
    return MastodonReader("https://comments.example", network=server.network)


@pytest.fixture
def post() -> PostAddress:
    address = mastodon_addresses.address_of(POST)
    assert address is not None
    return address


def test_the_post_that_an_address_names() -> None:
    for path, post_id in {
        "/@anna/112233": "112233",
        "/@anna/112233/?x=1#y": "112233",
        "/%40anna/112233": "112233",
        "/web/@anna/112233": "112233",
        "/deck/@anna/112233": "112233",
        "/users/anna/statuses/112233": "112233",
        "/ap/users/42/statuses/112233": "112233",
        f"/@anna/statuses/{ULID}": ULID,
        f"/users/anna/statuses/{ULID}": ULID,
        "/@anna/posts/AbCdEfGhIjKlMnOpQr": "AbCdEfGhIjKlMnOpQr",
        "/notice/AbCdEfGhIjKlMnOpQr": "AbCdEfGhIjKlMnOpQr",
        "/notes/9abcdefghij": "9abcdefghij",
        "/p/anna/112233": "112233",
    }.items():
        address = mastodon_addresses.address_of(f"https://Social.example{path}")
        assert address is not None, path
        assert (address.origin, address.id) == ("https://social.example", post_id), path
        assert address.page == f"https://social.example{path.replace('%40', '@').partition('/?')[0]}"
    for url in (
        "https://social.example/@anna@other.example/112233",
        "http://social.example/@anna/112233",
        "https://user:pw@social.example/@anna/112233",
        "https://social.example/@anna",
        "https://social.example/@anna/112233/../../admin",
        "https://social.example/@anna/1/reblogs",
        "https://blog.example/@anna/a-story-112233",
        "https://bsky.app/profile/anna.example/post/3kabc",
        "https://instagram.example/p/abc",
        "javascript:alert(1)",
        "https://[::1",
        "https://social.example/@anna/\uff11\uff12",
        "",
    ):
        assert mastodon_addresses.address_of(url) is None, url


def test_answers_come_with_all_that_a_comment_needs(
    server: MastodonServer, reader: MastodonReader, post: PostAddress
) -> None:
    server.write(
        "2", to="1", author="ben", host=OTHER_HOST, language="pt-BR", edited_at="2026-06-01T13:00:00.000Z"
    )
    server.write("3", to="2", spoiler_text="Birds", sensitive=True, account={"noindex": True, "bot": True})
    conversation = reader.conversation(post, at=NOON)
    assert (conversation.post.likes, conversation.post.boosts) == (12, 3)
    assert conversation.is_complete
    assert conversation.next_request is None
    ben, anna = conversation.answers
    assert (ben.author_handle, ben.author_name, ben.language) == (f"ben@{OTHER_HOST}", "Ben", "pt-BR")
    assert ben.uri == f"https://{OTHER_HOST}/users/ben/statuses/2"
    assert ben.picture_url == f"https://{OTHER_HOST}/avatars/ben.png"
    assert ben.edited_at == NOON + timedelta(hours=1)
    assert (anna.author_handle, anna.answered_id, anna.content_warning) == (f"anna@{HOST}", "2", "Birds")
    assert anna.noindex
    assert anna.is_bot
    assert server.requests == [HOST + STATUS, HOST + CONTEXT]
    assert server.headers_of_requests[0]["user-agent"] == "commentsvc (+https://comments.example)"


def test_oddities_of_single_posts(server: MastodonServer, reader: MastodonReader, post: PostAddress) -> None:
    link = (
        '<p><a href="https://long.example/a/b/c"><span class="invisible">https://</span>'
        '<span class="ellipsis">long.example/a</span><span class="invisible">/b/c</span></a></p>'
    )
    picture = {"type": "image", "url": "https://files.example/1.png", "description": 'A "swift" <b>'}
    server.write(
        "2",
        to="1",
        content=link,
        account={"display_name": "", "avatar_static": "https://x.example/missing.png"},
    )
    server.write(
        "3", to="1", content="", media_attachments=[picture, {"type": "x", "url": "javascript:1"}, None]
    )
    server.write(
        "4", to="1", sensitive=True, url=None, language="x-y-z-q", account={"display_name": ":verified: Anna"}
    )
    for number, fault in enumerate(
        (
            {"uri": "javascript:alert(1)"},
            {"uri": "https://x.example/" + "a" * 1000},
            {"created_at": "yesterday"},
            {"created_at": "0001-01-01T00:00:00Z"},
            {"id": 7},
            {"reblog": {"id": "9"}},
            {"content": "x" * 200_000},
            {"account": {"acct": "a b"}},
        ),
        start=5,
    ):
        server.write(str(number), to="1", **fault)  # type: ignore[arg-type]
    shortened, files, warned = reader.conversation(post, at=NOON).answers
    assert shortened.html == '<p><a href="https://long.example/a/b/c">long.example/a…</a></p>'
    assert (shortened.author_name, shortened.picture_url) == ("anna", None)
    words = "Picture: A &quot;swift&quot; &lt;b&gt;"
    assert files.html == f'<p><a href="https://files.example/1.png">{words}</a></p>'
    assert (warned.content_warning, warned.url, warned.language) == ("Sensitive content", warned.uri, "")
    assert warned.author_name == ":verified: Anna"


def test_a_long_list_may_not_be_complete(
    server: MastodonServer, reader: MastodonReader, post: PostAddress
) -> None:
    for number in range(2, 102):
        server.write(str(number), to="1")
    short = reader.conversation(post, at=NOON)
    assert (len(short.answers), short.is_complete) == (60, False)
    server.token = "a-token"
    with pytest.raises(OutboundError, match="needs a token"):
        reader.conversation(post, at=NOON)
    reader.tokens = {HOST: "wrong"}
    with pytest.raises(OutboundError, match="does not accept the token"):
        reader.conversation(post, at=NOON)
    reader.tokens = {HOST: "a-token"}
    whole = reader.conversation(post, at=NOON)
    assert (len(whole.answers), whole.is_complete) == (100, True)


def test_ten_thousand_answers_are_bounded(
    server: MastodonServer, reader: MastodonReader, post: PostAddress
) -> None:
    status = server.write("2", to="1")
    many = [
        {**status, "id": str(number), "uri": f"{status['uri']}{number}", "account": {**status["account"]}}
        for number in range(10_000)
    ]
    slim = json.dumps({"descendants": many[:4000]}, separators=(",", ":")).encode()
    server.raw[CONTEXT] = RawAnswer(200, slim)
    conversation = reader.conversation(post, at=NOON)
    assert (len(conversation.answers), conversation.is_complete) == (mastodon_posts.MOST_ANSWERS, False)
    server.raw[CONTEXT] = RawAnswer(200, json.dumps({"descendants": many * 2}).encode())
    with pytest.raises(OutboundError, match="sent too much"):
        reader.conversation(post, at=NOON)


def test_a_token_goes_to_its_server_only(
    server: MastodonServer, reader: MastodonReader, post: PostAddress
) -> None:
    reader.tokens = {HOST: "a-token"}
    server.raw[STATUS] = RawAnswer(302, headers={"Location": f"https://{OTHER_HOST}/moved"})
    with pytest.raises(OutboundError):
        reader.conversation(post, at=NOON)
    assert server.requests == [HOST + STATUS, f"{OTHER_HOST}/moved"]
    assert "authorization" not in server.headers_of_requests[1]


def test_what_is_no_answer(server: MastodonServer, reader: MastodonReader, post: PostAddress) -> None:
    good = RawAnswer(200, json.dumps(server.statuses["1"]).encode())
    deep = b'{"descendants":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for status, context, words in (
        (RawAnswer(200, b"<p>Log in", "text/html"), good, "another type"),
        (RawAnswer(200, b"{"), good, "no valid JSON"),
        (RawAnswer(200, b"[]"), good, "not a post"),
        (RawAnswer(200, b'{"id":"1","uri":' + b"9" * 5000 + b"}"), good, "no valid JSON"),
        (good, RawAnswer(200, b'{"descendants":{}}'), "not a list"),
        (good, RawAnswer(200, deep), "no valid JSON"),
        (RawAnswer(500), good, "status 500"),
        (RawAnswer(404, b"<p>Parked", "text/html"), good, "status 404"),
        (RawAnswer(302, headers={"Location": "https://10.0.0.7/"}), good, "private"),
        (RawAnswer(302, headers={"Location": f"http://{HOST}/"}), good, "from https to http"),
        (RawAnswer(302, headers={"Location": STATUS}), good, "too many redirects"),
    ):
        server.raw = {STATUS: status, CONTEXT: context}
        with pytest.raises(OutboundError, match=words) as error:
            reader.conversation(post, at=NOON)
        assert not isinstance(error.value, PostGoneError)
    server.raw = {}
    del server.statuses["1"]
    with pytest.raises(PostGoneError):
        reader.conversation(post, at=NOON)


def test_a_server_that_wants_a_pause_gets_it(
    server: MastodonServer, reader: MastodonReader, post: PostAddress
) -> None:
    reset = {"X-RateLimit-Reset": "2026-06-01T12:05:00.123Z"}
    for headers, minutes in (
        ({"Retry-After": "120"}, 2.0),
        ({"Retry-After": "Mon, 01 Jun 2026 12:10:00 GMT"}, 10.0),
        ({"Retry-After": "9" * 30}, 24 * 60.0),
        ({"Retry-After": "-1"}, 5.0),
        ({"Retry-After": "0"}, 1.0),
        ({}, 5.0),
    ):
        server.raw[STATUS] = RawAnswer(429, headers=headers)
        with pytest.raises(PausedError) as error:
            reader.conversation(post, at=NOON)
        assert error.value.until == NOON + timedelta(minutes=minutes), headers
        asked = len(server.requests)
        with pytest.raises(PausedError):
            reader.conversation(replace(post, id="99"), at=NOON)
        assert len(server.requests) == asked
        reader.pauses.clear()
    server.raw.clear()
    server.headers = {**reset, "X-RateLimit-Remaining": "0"}
    last = reader.conversation(post, at=NOON)
    assert last.next_request == NOON + timedelta(minutes=5, milliseconds=123)
    server.headers = {"Mastodon-Async-Refresh": 'id="abc:1", retry=90, result_count=2'}
    waiting = reader.conversation(post, at=NOON + timedelta(minutes=6))
    assert (waiting.is_complete, waiting.next_request) == (False, NOON + timedelta(minutes=7.5))


def test_a_deletion_is_proved(server: MastodonServer, reader: MastodonReader, post: PostAddress) -> None:
    near, far = (server.write("2", to="1")["uri"], server.write("3", to="1", host=OTHER_HOST)["uri"])
    assert not reader.is_gone(near, post, at=NOON)
    assert not reader.is_gone(far, post, at=NOON)
    for status in (401, 403, 500, 503, 302):
        for path in ("/api/v1/statuses/2", "/users/anna/statuses/3"):
            server.raw[path] = RawAnswer(status, headers={"Location": "/about"} if status == 302 else {})
        assert not reader.is_gone(near, post, at=NOON), status
        assert not reader.is_gone(far, post, at=NOON), status
    server.raw.clear()
    server.statuses.clear()
    assert reader.is_gone(near, post, at=NOON)
    assert reader.is_gone(far, post, at=NOON)
    for uri in (
        "https://10.0.0.7/users/a/statuses/1",
        "http://other.servers.example/x",
        "https://no-such.example/1",
    ):
        assert not reader.is_gone(uri, post, at=NOON), uri


def test_addresses_that_an_article_may_name_lead_to_no_private_server(
    server: MastodonServer, reader: MastodonReader
) -> None:
    for host in (
        "127.0.0.1",
        "10.0.0.7",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.7]",
        "2130706433",
        "localhost",
    ):
        address = mastodon_addresses.address_of(f"https://{host}/@anna/1")
        if address is not None:
            with pytest.raises(OutboundError):
                reader.conversation(address, at=NOON)
    assert server.requests == []


def test_endless_and_slow_bodies_end(
    tmp_path: Path, reader: MastodonReader, post: PostAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(sock: socket.socket) -> None:
        sock.sendall(JSON_HEAD)
        while True:  # until the reader closes the connection
            sock.sendall(b"[" * 65_536)

    authority = Authority()
    strange = Server(tls=authority.server(HOST, tmp_path))
    try:
        reader.network = Internet(strange, authority.client()).network
        strange.play(endless)
        with pytest.raises(OutboundError, match="sent too much"):
            reader.conversation(post, at=NOON)
        monkeypatch.setattr(mastodon_posts, "SECONDS", 1.0)
        for before in (b"HTTP/1.1 200 OK\r\nX-Slow: ", JSON_HEAD):
            strange.play(strange.drip(before, b"["))
            with pytest.raises(OutboundError, match="did not answer within 1 second"):
                reader.conversation(post, at=NOON)
    finally:
        strange.close()
