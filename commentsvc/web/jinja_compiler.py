"""How templates become Python: what needs no escaping is written as it is, and what follows each other in one go.

Jinja makes a safe text of every value first, and writes each condition's text for itself: more than a third of the
time of a page. Whether a value is safe is asked of the value each time, never of where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import CondExpr, Const, Expr, If, Node, Output, Template, TemplateData
from markupsafe import escape

from commentsvc.text.markup import SafeHtml


def generated_code(value: Any) -> str:
    """Return a value as templates write it: escaped, unless it is safe."""
    kind = type(value)
    if kind is SafeHtml:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is str and not ("&" in value or "<" in value or ">" in value or '"' in value or "'" in value):
        return value  # type: ignore[no-any-return]
    return escape(value)


class PlainCodeGenerator(CodeGenerator):
    """Compiles templates for an environment that has `written`, and SafeHtml as `safe`.

    Should Jinja know these methods no more, it escapes everything again.
    """

    def visit_Template(self, node: Template, frame: Frame | None = None) -> None:  # noqa: N802
        self._bare, self._end = False, ""
        self.writeline("written, safe = environment.written, environment.safe")
        super().visit_Template(node, frame)

    def blockvisit(self, nodes: Iterable[Node], frame: Frame) -> None:
        super().blockvisit(_in_one_go(nodes) if frame.buffer else nodes, frame)

    def visit_Const(self, node: Const, frame: Frame) -> None:  # noqa: N802
        if self._bare and type(node.value) is SafeHtml:
            self.write(repr(str(node.value)))
        else:
            super().visit_Const(node, frame)

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self._end = ""
        if not frame.eval_ctx.autoescape or frame.eval_ctx.volatile or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
            return
        self._bare = _is_text(node)
        if _is_plain(node):
            self.write("(")
        else:  # to call `written` for what is safe would take as long as all else
            self.write("(value if type(value := ")
            self._end = ") is safe else written(value)"

    def _output_child_post(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(self._end)
        self._bare = False
        super()._output_child_post(node, frame, finalize)


def _is_plain(node: Node | None) -> bool:
    """Whether it is text of the template's own, or such a constant as there is nothing to escape in."""
    if isinstance(node, CondExpr):
        return _is_plain(node.expr1) and _is_plain(node.expr2)
    if isinstance(node, Const):
        return type(node.value) is str and generated_code(node.value) is node.value
    return isinstance(node, TemplateData)


def _is_text(node: Node | None) -> bool:
    """Whether it is text of the template's own, whatever conditions it depends on."""
    if isinstance(node, CondExpr):
        return _is_text(node.expr1) and _is_text(node.expr2)
    return isinstance(node, TemplateData)


def _in_one_go(body: Iterable[Node]) -> list[Node]:
    """Return a block whose outputs that follow each other are one, those of text on a condition among them."""
    results: list[Node] = []
    for node in body:
        choice = _choice(node) if isinstance(node, If) else None
        pieces = [choice] if choice else node.nodes if isinstance(node, Output) else None
        if pieces is None:
            results.append(node)
        elif results and isinstance(results[-1], Output):
            results[-1] = Output([*results[-1].nodes, *pieces], lineno=results[-1].lineno)
        else:
            results.append(Output(pieces, lineno=node.lineno))
    return results


def _choice(node: If) -> Expr | None:
    """Return a condition as an expression, where all that depends on it is text."""
    branches = [(node.test, node.body), *((one.test, one.body) for one in node.elif_)]
    chosen = _text(node.else_)
    for test, body in reversed(branches):
        text = _text(body)
        if text is None or chosen is None:
            return None
        chosen = CondExpr(test, text, chosen, lineno=node.lineno)
    return chosen


def _text(body: list[Node]) -> Expr | None:
    """Return what a block writes, where it is text; None for any other."""
    match _in_one_go(body):
        case []:
            return TemplateData("")
        case [Output(nodes=pieces)]:
            data = [piece.data for piece in pieces if isinstance(piece, TemplateData)]
            if len(data) == len(pieces):
                return TemplateData("".join(data))
            if len(pieces) == 1 and _is_text(pieces[0]):
                return pieces[0]
    return None
