"""Where endpoints may be: public https only, unless the operator allows an origin of their own network."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commentsvc.db.session import begin_write
from commentsvc.domain.endpoints import composing, endpoint_secrets, endpoints
from commentsvc.domain.endpoints.endpoint_fields import EndpointDraft
from commentsvc.domain.endpoints.sending import EndpointSender
from commentsvc.errors import ForbiddenDestinationError, InvalidFieldsError
from commentsvc.http_client.client import Network
from commentsvc.integrations.outgoing_request import OutgoingRequest
from commentsvc.models import EndpointKind, now
from tests.conftest import SECRET
from tests.domain.endpoints.conftest import Desk
from tests.http_client.test_ssrf import CARRIERS, PRIVATE, SPECIAL

REFUSED = [
    *("", "x", "http://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "https://localhost/"),
    *(
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[::1]/",
        "https://169.254.169.254/",
    ),
    *(
        "https://user:pw@hooks.example/",
        "https://hooks.example:22/",
        "https://intranet/",
        "https://hooks.example/#a",
    ),
    *(
        "https://10.0.0.1/hook",
        "https://[::ffff:127.0.0.1]/",
        "https://hooks.example/\r\nX: y",
        "http://ntfy.lan:8081/",
    ),
    "https://" + "a" * 2000,
]


def test_no_private_address_can_be_entered(desk: Desk) -> None:
    for url in REFUSED:
        with pytest.raises(ForbiddenDestinationError):
            endpoint_secrets.require_allowed(url, ["http://ntfy.lan:8080"])
        with pytest.raises(InvalidFieldsError):
            desk.add(url=url)
        desk.session.rollback()
    endpoint_secrets.require_allowed("http://ntfy.lan:8080/topic", ["http://ntfy.lan:8080"])
    endpoint_secrets.require_allowed("https://hooks.example/a?b=c", [])
    with pytest.raises(ForbiddenDestinationError):  # hands out a machine's credentials: for nobody
        endpoint_secrets.require_allowed("http://169.254.169.254/", ["http://169.254.169.254"])


def test_a_name_that_leads_to_a_private_network_is_refused_when_it_is_used(desk: Desk) -> None:
    for address in [*PRIVATE, *SPECIAL, *CARRIERS]:

        def dial(*_: object) -> None:
            raise AssertionError("nothing may be connected")

        network = Network(resolve=lambda _, address=address: [address], connect=dial)  # type: ignore[misc, arg-type]
        sender = EndpointSender(desk.writer, [], network=network)
        outcome = sender.send(OutgoingRequest("https://hooks.example/", b"{}"), [], now())
        assert outcome.status is None
        assert outcome.answer == "This address belongs to a private or special network."


def test_a_new_address_does_not_get_the_token_of_the_former_one(desk: Desk) -> None:
    more = {"target": "!room:x.example", "token": "secret", "events": ["comment.held"]}
    endpoint = desk.add(EndpointKind.MATRIX, "", **more)

    def change(**typed: str) -> None:
        begin_write(desk.session)
        draft = EndpointDraft("Hook", target="!room:x.example", events=["comment.held"], **typed)
        arguments = (desk.session, SECRET, [desk.came.origin], endpoint, draft)
        endpoints.change(*arguments, person_id=desk.owner.id, at=now())
        desk.session.commit()

    with pytest.raises(InvalidFieldsError) as raised:
        change(url="https://evil.example")
    assert "token" in raised.value.fields
    desk.session.rollback()
    change()  # both stay
    begin_write(desk.session)
    endpoints.enqueue_test(desk.session, endpoint, at=now())
    desk.session.commit()
    desk.work(now() + timedelta(minutes=1))
    request = desk.came.requests[0]
    assert (request.method, request.headers["authorization"]) == ("PUT", "Bearer secret")


def test_a_github_workflow_is_started_as_github_documents_it(desk: Desk) -> None:
    more = {"url": "", "target": "ada/blog", "token": "github_pat_x"}
    endpoint = desk.add(EndpointKind.GITHUB, **more)
    secrets = endpoint_secrets.unseal(SECRET, endpoint)
    assert secrets is not None
    request = composing._build(endpoint, secrets)
    assert request.url == "https://api.github.com/repos/ada/blog/dispatches"
    assert request.body == b'{"event_type":"comments"}'
    assert request.headers["Authorization"] == "Bearer github_pat_x"
    assert endpoint.host == "api.github.com"
    for target in ("ada", "ada/blog/x", "../x", "ada/..", "ada/b?c", "./.."):
        with pytest.raises(InvalidFieldsError):
            desk.add(EndpointKind.GITHUB, **more | {"target": target})
        desk.session.rollback()
