"""The OpenAPI document: accepted by others, the same as the URL map, and true for whatever a machine thinks up."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, strategies
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.exceptions import NotFound

from commentsvc.domain.fields import LARGEST_ROW, LARGEST_SITE
from commentsvc.domain.transfer import export_formats
from commentsvc.web.api import document, exports, surface
from commentsvc.web.api.operations import PREFIX
from commentsvc.web.api.shapes import records_in
from tests.conftest import BASE_URL, BLOG
from tests.support.api_client import ApiSite, Program
from tests.support.documents import ROOT

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
]
REFUSED = ["400", "401", "404", "412", "413", "415", "422", "428"]
EXPECTED = {
    "negative_data_rejection": {"expected-statuses": REFUSED},
    # What the shape allows the validator may still refuse, and a thread or a comment may not exist.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "304", "404", "409", "412", "422"]},
}
EXAMPLES = 4
"""Calls of each operation and kind; whoever wants more raises the number for an hour."""
RULE = re.compile(r"<(?:int|site):(\w+)>")


def test_an_independent_validator_accepts_it(anybody: Program) -> None:
    answer = anybody.call("GET", "/api/openapi.json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json is not None
    validate(answer.json, cls=OpenAPIV31SpecValidator)
    assert answer.json["servers"] == [{"url": BASE_URL}]
    assert document.DEPRECATION in answer.json["info"]["description"]
    assert document.DEPRECATION in " ".join((ROOT / "docs" / "api.md").read_text().split())


def test_it_has_every_route_and_no_other(app: Flask, anybody: Program) -> None:
    described = {
        (method.upper(), path)
        for path, methods in anybody.get("/api/openapi.json")["paths"].items()
        for method in methods
    }
    served = {
        (method, RULE.sub(r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{PREFIX}/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served
    assert len(described) == len(surface.OPERATIONS)


def test_ids_in_paths_have_the_limits_of_the_routes(app: Flask, anybody: Program) -> None:
    described = anybody.get("/api/openapi.json")["paths"]
    routes = app.url_map.bind("")
    for path, largest in (("/threads/{thread_id}", LARGEST_ROW), ("/sites/{site_id}/bans", LARGEST_SITE)):
        (parameter,) = (one for one in described[PREFIX + path]["get"]["parameters"] if one["in"] == "path")
        assert parameter["schema"]["maximum"] == largest
        named = re.sub(r"{\w+}", "%s", PREFIX + path)
        routes.match(named % largest)
        with pytest.raises(NotFound):
            routes.match(named % (largest + 1))


def test_every_name_means_one_shape(anybody: Program) -> None:
    for operation in surface.OPERATIONS:
        for shape in (operation.answer, operation.body):
            for name, record in records_in(shape).items():
                described = anybody.get("/api/openapi.json")["components"]["schemas"][name]
                assert described == record.definition(), name
    assert exports.FORMATS == export_formats.NAMES
    assert set(exports.MEDIA_TYPES) == {one.media_type for one in export_formats.FORMATS}


def test_no_call_that_a_machine_thinks_up_is_answered_unexpectedly(
    app: Flask, blog: ApiSite, robot: Program
) -> None:
    config = SchemathesisConfig.from_dict({"checks": EXPECTED})

    def closing(environ: Any, start: Any) -> list[bytes]:
        """Close every response, as a server does: a second export waits for the end of the first."""
        response = app(environ, start)
        body = b"".join(response)
        close = getattr(response, "close", None)
        if close:
            close()
        return [body]

    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", closing, config=config, base_url=BASE_URL)
    named = {
        "list_threads": {"site": BLOG},
        "latest_comments": {"site": BLOG},
        "find_thread": {"url": BLOG, "thread_id": "a"},
    }
    tried: dict[str, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        name = str(operation.definition.raw["operationId"])
        known: dict[str, Any] = (
            {"path_parameters": ids_of(operation.path, blog)} if "{" in operation.path else {}
        )
        for mode in GenerationMode:
            query = {"query": named[name]} if mode is GenerationMode.POSITIVE and name in named else {}
            cases = operation.as_strategy(generation_mode=mode, **query)
            if known:
                cases = strategies.one_of(
                    cases, operation.as_strategy(generation_mode=mode, **known, **query)
                )
            tried[name] = tried.get(name, 0) + check_all(cases, robot)
    assert set(tried) == {operation.name for operation in surface.OPERATIONS}
    assert min(tried.values()) >= EXAMPLES


def ids_of(path: str, blog: ApiSite) -> dict[str, int]:
    """Return what stands in a path on what the site has."""
    return {name: blog.ids[name] for name in re.findall(r"{(\w+)}", path)}


def check_all(cases: Any, robot: Program) -> int:
    """Send some cases, always the same; return how many. Any unexpected answer raises."""
    number = 0

    @seed(20261130)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: Any) -> None:
        nonlocal number
        number += 1
        response = case.call(headers={"Authorization": f"Bearer {robot.token}"})
        case.validate_response(response, checks=CHECKS)

    with suppress(Unsatisfiable):  # nothing can be wrong with the call
        check()
    return number
