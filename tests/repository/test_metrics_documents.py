"""The dashboard, the alerts and the table of the metrics name only what the service says, and nothing is left out."""

from __future__ import annotations

import json
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain.maintenance import service_metrics
from commentsvc.models import now
from tests.support.documents import ROOT

EXAMPLES = ROOT / "docs" / "examples"
NAME = re.compile(r"\bcommentsvc_[a-z_]+")


@pytest.fixture
def names(session: Session) -> set[str]:
    """The names of all metrics."""
    families = service_metrics.families(session, at=now(), version="1", code="2", backup=None)
    return {family.name for family in families}


def test_the_dashboard_shows_only_metrics_that_exist(names: set[str]) -> None:
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    panels = dashboard["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    used = set(NAME.findall(" ".join(expressions)))
    assert used == names
    assert set(NAME.findall(json.dumps(dashboard["templating"]))) <= names
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells), "two panels overlap"
    assert max(x for x, _ in cells) < 24


def test_every_alert_asks_for_metrics_that_exist(names: set[str]) -> None:
    rules: list[dict[str, Any]] = [
        rule for group in _yaml(EXAMPLES / "prometheus-alerts.yml")["groups"] for rule in group["rules"]
    ]
    assert len(rules) >= 8
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert set(NAME.findall(rule["expr"])) <= names, rule
        assert NAME.search(rule["expr"]) or rule["expr"].startswith("up{"), rule
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")


def test_the_table_has_every_metric(names: set[str]) -> None:
    table = (ROOT / "docs" / "metrics.md").read_text()
    assert set(re.findall(r"^\| `(commentsvc_[a-z_]+)` \|", table, re.MULTILINE)) == names


def _yaml(path: Path) -> Any:
    if not find_spec("yaml"):
        assert not os.environ.get("CI"), "the extra docs is missing"
        pytest.skip("PyYAML is missing: pip install '.[docs]'")
    import yaml

    return yaml.safe_load(path.read_text())
