"""Only `text/markup.py` can say that a text is safe HTML; everything else that a template shows is escaped."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, nodes

import commentsvc

PACKAGE = Path(commentsvc.__file__).parent
OWNER = "text/markup.py"
MARKING = {"safe", "tojson", "xmlattr", "urlize", "forceescape"}
"""Filters of Jinja whose result is not escaped again."""
LABELLED = {
    "account/delete.html": "a field's label",
    "admin/api_tokens.html": "labels of scopes",
    "admin/elsewhere.html": "names of networks",
    "admin/export.html": "labels of formats",
    "admin/mail.html": "labels of kinds of mail",
    "admin/parts.html": "a field's label",
    "admin/team.html": "labels of roles",
    "thread/report_form.html": "reasons of reports",
}
"""Templates that translate texts of ours from a table in Python."""
WORDS_OF_SCRIPTS = {"admin/base.html", "thread/words.html"}
"""They have our words as JSON in a script element; `tojson` escapes what could end it."""
TRUSTING = {
    "domain/accounts/profiles.py": "stored HTML of comments, on their author's page",
    "domain/admin/queue_edits.py": "stored HTML of edits that wait, in the admin view",
    "domain/admin/queue_entries.py": "stored HTML of comments, in the admin view",
    "domain/reading/conversations.py": "stored HTML of comments, in a thread",
    "web/inline_files.py": "our own style sheets and scripts, in a page",
    "web/mail_decisions.py": "stored HTML of the comment that a link in a moderator's mail is about",
    "web/own_edits.py": "HTML that was rendered this moment, as the preview of an edit",
    "web/templating.py": "times, written here",
    "web/thread/preview.py": "HTML that was rendered this moment",
    "web/thread/thread_fragments.py": "JSON without <, > and &, in a data block",
}
"""Who hands the owner HTML that came out of it. A further file is a decision, not an accident."""
HOSTILE = "<script>alert(1)</script>'\"&"


def modules() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")
    }


def names_in(tree: ast.Module) -> set[str]:
    """Every name, attribute, import and definition."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found |= {node.name.rpartition(".")[2], node.asname or ""}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Constant) and node.value == "__html__":
            found.add("__html__")
    return found


@pytest.mark.parametrize("name", ["Markup", "__html__"])
def test_no_other_module_can_mark_a_text(name: str) -> None:
    assert {file for file, tree in modules().items() if name in names_in(tree)} <= {OWNER}


def test_no_other_module_makes_the_safe_type(app: Flask) -> None:
    """Others name it, as the type of what the owner returned."""
    for file, tree in modules().items():
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        made = [
            call
            for call in calls
            if isinstance(call, ast.Name | ast.Attribute) and "SafeHtml" in ast.dump(call)
        ]
        assert made == [] or file == OWNER, file


def test_who_trusts_stored_html_is_written_down() -> None:
    assert {
        file for file, tree in modules().items() if "trusted" in names_in(tree) and file != "web/access.py"
    } == {
        OWNER,
        *TRUSTING,
    }


def test_no_template_marks_a_text_or_stops_escaping(app: Flask) -> None:
    environment = app.jinja_env
    names = environment.list_templates(extensions=["html"])
    assert len(names) > 50
    for name in names:
        source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        tree = environment.parse(source, name)
        used = {one.name for one in tree.find_all(nodes.Filter)}
        assert used & MARKING == ({"tojson"} if name in WORDS_OF_SCRIPTS else set()), name
        assert list(tree.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier))) == [], name
        assert list(tree.find_all((nodes.MarkSafe, nodes.MarkSafeIfAutoescape))) == [], name
        assert callable(environment.autoescape)
        assert environment.autoescape(name), name


def test_filters_and_globals_of_ours_mark_nothing_that_is_given_to_them(app: Flask) -> None:
    """A filter may refuse a text; what it makes of one is escaped."""
    environment = app.jinja_env
    ours = {
        name: function
        for name, function in {**environment.filters, **environment.globals}.items()
        if getattr(function, "__module__", "").startswith("commentsvc") and name not in Environment().filters
    }
    assert {"date", "initial", "asset"} <= set(ours)
    for name, function in ours.items():
        with app.test_request_context():
            try:
                made = function(HOSTILE)
            except (AttributeError, KeyError, TypeError, ValueError):
                continue  # it takes no text
            assert HOSTILE not in environment.from_string("{{ made }}").render(made=made), name


def test_the_inspection_finds_what_it_is_for() -> None:
    for source in ("from markupsafe import Markup", "x.__html__()", "class A:\n def __html__(self): pass"):
        assert names_in(ast.parse(source)) & {"Markup", "__html__"}, source
    environment = Environment(autoescape=True)
    assert {one.name for one in environment.parse("{{ a|safe }}").find_all(nodes.Filter)} & MARKING
    tree = environment.parse("{% autoescape false %}{% endautoescape %}")
    assert list(tree.find_all(nodes.ScopedEvalContextModifier))


def test_only_our_own_words_are_translated_in_templates(app: Flask) -> None:
    """What a template translates is shown as HTML, so it must be a text of ours."""
    environment = app.jinja_env
    others = set()
    for name in environment.list_templates(extensions=["html"]):
        source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
        for call in environment.parse(source, name).find_all(nodes.Call):
            is_translation = isinstance(call.node, nodes.Name) and call.node.name in {
                "_",
                "gettext",
                "pgettext",
            }
            if is_translation and not all(isinstance(argument, nodes.Const) for argument in call.args):
                others.add(name)
    assert others == set(LABELLED)
