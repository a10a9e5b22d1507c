"""Hosts and e-mail addresses are read as browsers read them, in every script."""

from __future__ import annotations

import pytest

from commentsvc import host_names, origins
from commentsvc.domain import fields
from commentsvc.domain.bans import ban_values, bans
from commentsvc.errors import InvalidFieldsError
from commentsvc.http_client import ssrf
from commentsvc.integrations.oauth import mastodon
from commentsvc.models import BanKind
from commentsvc.text import markup
from tests.support.time_limit import within

# Each as typed and as DNS has it. The second and third have marks, the next two a joiner, which their scripts need.
VALID = {
    "fa\u00df.example": "xn--fa-hia.example",
    "\u0939\u093f\u0928\u094d\u0926\u0940.\u092d\u093e\u0930\u0924": "xn--j2bd4cyah0f.xn--h2brj9c",
    "\u0e44\u0e17\u0e22\u0e19\u0e34\u0e22\u0e21.\u0e44\u0e17\u0e22": "xn--o3ceycb1iue.xn--o3cw4h",
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3.example": "xn--10cl1a0b660p.example",
    "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com": "xn--mgba3gch31f060k.com",
    "\u0bb5\u0ba3\u0b95\u0bcd\u0b95\u0bae\u0bcd.example": "xn--clca4b6b5azlc.example",
    "STRA\u1e9eE.example": "xn--strae-oqa.example",
    "\u03b2\u03cc\u03bb\u03bf\u03c2.com": "xn--nxasmm1c.com",
    "\U0001f4a9.la": "xn--ls8h.la",
    "\uff42\u00fccher\u3002Example": "xn--bcher-kva.example",
    "\u65e5\u672c\u8a9e.jp": "xn--wgv71a119e.jp",
    "\u05e9\u05dc\u05d5\u05dd.\u05e7\u05d5\u05dd": "xn--9dbne9b.xn--9dbq2a",
}
INVALID = [
    *("a..example", "xn--a-ecp.example", "xn--.example", "xn--abc-.example", "XN--zzzzzz99999.example"),
    *(
        "\u0301a.example",
        "a\u200db.example",
        "1.\u05d0.example",
        "a\u05d0.example",
        "\u00fc" * 63 + ".example",
    ),
    *("a" * 64 + ".example", "a." * 130 + "example", "a\u2488.example", "a\ue000.example"),
]


@pytest.mark.parametrize(("typed", "in_dns"), VALID.items())
def test_every_place_reads_a_host_as_browsers_do(typed: str, in_dns: str) -> None:
    assert host_names.in_ascii(typed) == host_names.in_ascii(in_dns.upper()) == in_dns
    assert host_names.in_ascii(host_names.in_unicode(in_dns)) == in_dns
    assert origins.origin_of(f"https://{typed}/page") == f"https://{in_dns}"
    assert fields.website(typed) == f"https://{typed}"
    assert bans.hosts_of([f"https://{typed}/"]) == (in_dns,)
    assert ban_values.normal(BanKind.DOMAIN, typed) == in_dns
    assert ban_values.normal(BanKind.EMAIL, f"eve@{typed}") == f"eve@{in_dns}"
    assert mastodon.host_of(typed) == in_dns
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"]

    ssrf.find(
        f"https://{typed}/",
        schemes=frozenset({"https"}),
        allow_private=False,
        resolve=resolve,
        seconds=5,
    )
    assert asked == [in_dns]


@pytest.mark.parametrize("typed", [typed for typed in VALID if "\u3002" not in typed])
def test_a_link_to_a_host_of_any_script_is_a_link_and_no_deceit(typed: str) -> None:
    for source in (f"https://{typed}/a", f"[{typed}](https://{typed}/a)"):
        html = markup.render_markdown(source).html
        assert html.count("<a href=") == 1
        assert "(" not in html


@pytest.mark.parametrize("typed", INVALID)
def test_what_no_browser_resolves_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        host_names.in_ascii(typed)
    for check in (fields.email, fields.website):
        with pytest.raises(InvalidFieldsError):
            check(f"eve@{typed}" if check is fields.email else f"https://{typed}")
    assert "<a" not in markup.render_markdown(f"[a](https://{typed})").html


@pytest.mark.parametrize(
    "typed",
    [
        *("ada@mail.example", "Ada@Mail.Example", "ADA@MAIL.EXAMPLE", " ada@mail.example "),
        "\uff21da\uff20mail\uff0eexample",
    ],
)
def test_an_address_has_one_form(typed: str) -> None:
    assert fields.email(typed) == "ada@mail.example"


def test_an_address_keeps_the_letters_of_its_domain() -> None:
    hindi = "\u0905\u0926\u093e@\u0939\u093f\u0928\u094d\u0926\u0940.\u092d\u093e\u0930\u0924"
    assert fields.email(hindi) == hindi
    assert fields.email("\u0905\u0926\u093e@xn--j2bd4cyah0f.XN--H2BRJ9C") == hindi
    assert fields.email("stra\u00dfe@x.example") != fields.email("strasse@x.example")
    assert fields.email("e\u0301ve@x.example") == fields.email("\u00c9ve@x.example")


def test_a_host_without_end_costs_no_time() -> None:
    with within(5), pytest.raises(ValueError, match="too long"):
        host_names.in_ascii("a" + "\u0301" * 1_000_000)
