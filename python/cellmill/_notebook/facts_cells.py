"""One cell: IPython syntax taken out, parsed, and each top-level statement walked into its facts.

Invariant: a cell that cannot be read becomes a `syntaxError`, never an exception; names it would have bound are unknown.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass

from cellmill._notebook.facts_ipython import transformer
from cellmill._notebook.facts_magic_effects import apply_magic
from cellmill._notebook.facts_magics import BINDS_NOTHING, MagicUse, PlainCell, plain_cell
from cellmill._notebook.facts_record import Record
from cellmill._notebook.facts_text import Places, source_of
from cellmill._notebook.facts_values import Env
from cellmill._notebook.facts_names import Context
from cellmill._notebook.facts_walk import Walker

_KINDS = {
    ast.Import: "import", ast.ImportFrom: "import", ast.FunctionDef: "def", ast.AsyncFunctionDef: "def", ast.ClassDef: "class",
    ast.Assign: "assign", ast.AugAssign: "augassign", ast.AnnAssign: "annassign", ast.Expr: "expr", ast.Delete: "del",
    ast.For: "for", ast.AsyncFor: "for", ast.While: "while", ast.If: "if", ast.With: "with", ast.AsyncWith: "with",
    ast.Try: "try", ast.TryStar: "try", ast.Match: "match", ast.Global: "global", ast.Assert: "assert", ast.Raise: "raise", ast.Pass: "pass",
}
_PYTHON2 = [
    re.compile(r"^\s*print\s+[^(=\s.\[,]", re.M), re.compile(r"^\s*print\s*\(.*\)\s*%", re.M), re.compile(r"\bprint\s*>>"),
    re.compile(r"^\s*except\s+[\w.()]+\s*,\s*\w+\s*:", re.M), re.compile(r"^\s*raise\s+\w+\s*,", re.M), re.compile(r"^\s*exec\s+['\"\w]", re.M),
    re.compile(r"<>"), re.compile(r"\bur['\"]"), re.compile(r"(?<![\w.])0\d+(?![\d.xobeEjJ])"), re.compile(r"\b\d+[lL]\b"),
]
_DATE_CALLS = {"datetime.date", "datetime.datetime", "pandas.Timestamp", "pandas.to_datetime", "numpy.datetime64"}
# Longer cells are data, and would take the time of all others.
MAX_CELL = 2_000_000
_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass
class ParsedCell:
    index: int
    source: str
    plain: PlainCell
    tree: ast.Module | None
    error: dict | None


class CellReader:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.env = Env()

    def parse(self, index: int, source: str) -> ParsedCell:
        if len(source) > MAX_CELL:
            error = {"message": "longer than 2,000,000 characters", "line": 1, "column": 0, "python2": False}
            return ParsedCell(index, source, PlainCell([], []), None, error)
        plain = plain_cell(source)
        tree, error = _parse(plain.text, source)
        if error is not None and not error["python2"]:
            other = _as_ipython_reads_it(source)
            if other is not None:
                plain, tree, error = other
        return ParsedCell(index, source, plain, tree, error)

    def facts(self, cell: ParsedCell) -> dict:
        statements: list[dict] = []
        error = cell.error
        if cell.tree is not None:
            try:
                statements = self._statements(cell, cell.tree)
            except RecursionError:
                statements = []
                error = {"message": "nested too deeply to be analysed", "line": 1, "column": 0, "python2": False}
        return {
            "index": cell.index,
            "transformed": cell.plain.text,
            "magics": [_magic_fact(magic) for magic in cell.plain.magics],
            "syntaxError": error,
            "statements": statements,
        }

    def _statements(self, cell: ParsedCell, tree: ast.Module) -> list[dict]:
        places = Places(cell.plain.lines, cell.plain.shifts)
        result: list[dict] = []
        pending = list(tree.body)
        wrapper = cell.plain.wrapper
        if wrapper is not None:
            result.append(self._magic_statement(wrapper, len(result), places, None))
        for position, node in enumerate(pending):
            magic = cell.plain.placeholders.get(node.lineno) if _is_placeholder(node) else None
            if magic is not None:
                result.append(self._magic_statement(magic, len(result), places, node))
                continue
            facts = self._statement(node, len(result), places, cell.plain.placeholders)
            if position == len(pending) - 1:
                facts["displays"] = self._displays(node, cell.plain.text)
            if wrapper is not None and wrapper.name in BINDS_NOTHING:
                facts["binds"], facts["mayBind"] = [], []
            result.append(facts)
        return result

    def _displays(self, node: ast.stmt, text: str) -> bool:
        """What Jupyter would show: the last expression, unless it is None or ends in a semicolon."""
        if not isinstance(node, ast.Expr) or _ends_with_semicolon(text):
            return False
        return self.context.knowledge.types(node.value, self.env) != ("none",)

    def _statement(self, node: ast.stmt, index: int, places: Places, placeholders: dict[int, MagicUse]) -> dict:
        record = Record()
        walker = Walker(self.context, places, record, self.env)
        walker.statement(node)
        for inner in ast.walk(node) if placeholders else ():
            # A magic inside a loop or condition.
            if isinstance(inner, (ast.Pass, ast.Assign)) and inner.lineno in placeholders and _is_placeholder(inner):
                apply_magic(walker, placeholders[inner.lineno], inner)
        return statement_facts(walker, node, index)

    def _magic_statement(self, magic: MagicUse, index: int, places: Places, node: ast.stmt | None) -> dict:
        record = Record()
        walker = Walker(self.context, places, record, self.env)
        payload = _payload(magic)
        if payload is not None:
            walker.places = Places(magic.payload.split("\n") if magic.payload else [], [0] * 100_000, magic.payload_at[0] - 1, magic.payload_at[1])
            walker.body(payload.body)
            walker.places = places
        if node is not None and isinstance(node, ast.Assign):
            walker.statement(node)
        stand_in = node or ast.Pass(lineno=magic.line, col_offset=0, end_lineno=magic.line, end_col_offset=0)
        apply_magic(walker, magic, stand_in)
        facts = statement_facts(walker, stand_in, index)
        facts["kind"] = "magic"
        facts["span"] = {"line": magic.line, "column": magic.column, "endLine": magic.end_line if node is not None else magic.line, "endColumn": magic.end_column}
        facts["scalar"] = None
        if magic.name in BINDS_NOTHING:
            facts["binds"], facts["mayBind"] = [], []
        return facts


def statement_facts(walker: Walker, node: ast.stmt, index: int) -> dict:
    record = walker.record
    return {
        "index": index,
        "span": _whole_span(walker.places, node),
        "kind": _KINDS.get(type(node), "other"),
        "binds": [name for name in record.bound if name in walker.definite and not walker.dead],
        "mayBind": [name for name in record.bound if name not in walker.definite or walker.dead],
        "deletes": record.deletes,
        "bindTypes": _bind_types(walker),
        "resources": _resources(walker),
        "reads": record.reads,
        "mutations": record.mutations,
        "aliases": record.aliases,
        "calls": record.calls,
        "tokens": record.tokens,
        "imports": record.imports,
        "definitions": record.definitions,
        "literals": record.literals,
        "namesInStrings": list(record.words),
        "dynamic": record.dynamic + (["cut"] if record.cut else []),
        "outdated": record.outdated,
        "habits": record.habits,
        "displays": False,
        "scalar": _scalar(walker, node),
    }


def _bind_types(walker: Walker) -> dict[str, list[str]]:
    known = {name: walker.env.get(name) for name in walker.record.bound}
    return {name: list(value.types) for name, value in known.items() if value is not None and value.types}


def _resources(walker: Walker) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, types in _bind_types(walker).items():
        entries = [walker.knowledge.catalogue.types.get(type_name) for type_name in types]
        if entries and all(entry is not None and entry.resource for entry in entries):
            found[name] = entries[0].resource if entries[0] else ""
    return found


def _whole_span(places: Places, node: ast.stmt) -> dict:
    """Decorators belong to the statement, though `ast` starts it at `def`."""
    span = places.span(node)
    decorators = getattr(node, "decorator_list", None)
    if decorators:
        first = places.span(decorators[0])
        span["line"], span["column"] = first["line"], max(0, first["column"] - 1)
    return span


def _is_placeholder(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is None)


def _parse(text: str, source: str) -> tuple[ast.Module | None, dict | None]:
    try:
        tree = ast.parse(text)
        compile(tree, "<cell>", "exec", _FLAGS, dont_inherit=True)
        return tree, None
    except SyntaxError as error:
        message = str(error.msg or "invalid syntax")
        python2 = any(pattern.search(source) for pattern in _PYTHON2) or "Missing parentheses" in message
        return None, {"message": message, "line": error.lineno or 1, "column": max(0, (error.offset or 1) - 1), "python2": python2}
    except (ValueError, UnicodeError) as error:
        return None, {"message": str(error)[:300], "line": 1, "column": 0, "python2": False}
    except (RecursionError, MemoryError):
        return None, {"message": "nested too deeply to be parsed", "line": 1, "column": 0, "python2": False}


def _as_ipython_reads_it(source: str) -> tuple[PlainCell, ast.Module, None] | None:
    """A cell that only IPython's own transformer can read: its calls are then opaque, and lines are its own."""
    transform = transformer()
    if transform is None or "\0" in source:
        return None
    try:
        text = transform(source)
    except Exception:  # noqa: BLE001  IPython's transformer raises many kinds on broken input
        return None
    tree, error = _parse(text, source)
    if tree is None or error is not None or text.strip() == source.strip():
        return None
    lines = text.split("\n")
    return PlainCell(lines, [0] * len(lines)), tree, None


def _payload(magic: MagicUse) -> ast.Module | None:
    if not magic.payload:
        return None
    try:
        return ast.parse(magic.payload)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _magic_fact(magic: MagicUse) -> dict:
    return {
        "kind": magic.kind,
        "name": magic.name,
        "argument": magic.argument,
        "body": magic.body,
        "assignedTo": magic.assigned_to,
        "reads": magic.reads,
        "span": {"line": magic.line, "column": magic.column, "endLine": magic.end_line, "endColumn": magic.end_column},
    }


def _ends_with_semicolon(text: str) -> bool:
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.DEDENT, tokenize.INDENT):
                last = token.string
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return text.rstrip().endswith(";")
    return last == ";"


def _scalar(walker: Walker, node: ast.stmt) -> dict | None:
    if isinstance(node, ast.AnnAssign):
        target, value = node.target, node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    else:
        return None
    if not isinstance(target, ast.Name) or value is None:
        return None
    kind = _scalar_type(walker, value)
    return None if kind is None else {"name": target.id, "type": kind, "source": source_of(value)}


def _scalar_type(walker: Walker, value: ast.expr) -> str | None:
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, (ast.USub, ast.UAdd)):
        value = value.operand
        if not isinstance(value, ast.Constant) or isinstance(value.value, (str, bool)):
            return None
    if isinstance(value, ast.Constant):
        name = type(value.value).__name__
        return name if name in ("int", "float", "bool", "str") else None
    if isinstance(value, ast.Call) and walker.knowledge.dotted(value.func, walker.env) in _DATE_CALLS:
        arguments = [*value.args, *[keyword.value for keyword in value.keywords]]
        return "date" if arguments and all(isinstance(argument, ast.Constant) for argument in arguments) else None
    return None
