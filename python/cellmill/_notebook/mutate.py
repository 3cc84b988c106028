"""Mutants of a function: small edits that should change what it computes, for showing that a comparison can fail.

Run as a script: `{"text", "function"}` as JSON on stdin; a list of `{"text", "line", "what"}` on stdout, most telling
first. Text is edited by spans, so a mutant differs from the original in one place. Pure: nothing is executed.
"""

import ast
import json
import sys

_LIMIT = 24
#: Every second item of a sequence or frame, the next number, the text with a space more; anything else as it is.
_PART = (
    "lambda value: value[::2] if hasattr(value, '__getitem__') and not isinstance(value, (dict, str)) "
    "else value + 1 if isinstance(value, (int, float)) else value + ' ' if isinstance(value, str) else value"
)
_BINARY = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*")}
_COMPARE = {ast.Lt: ("<", ">="), ast.LtE: ("<=", ">"), ast.Gt: (">", "<="), ast.GtE: (">=", "<"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "==")}


class _Text:
    def __init__(self, text):
        self.text = text
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line.encode()))
        self.bytes = text.encode()

    def offset(self, line, column):
        return self.starts[line - 1] + column

    def replaced(self, start, end, new):
        return (self.bytes[:start] + new.encode() + self.bytes[end:]).decode()

    def span(self, node):
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)


def mutants(text, function):
    target = next((node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == function), None)
    if target is None:
        return []
    source = _Text(text)
    found = []
    returns = [node for node in ast.walk(target) if isinstance(node, ast.Return)]
    statements = [node for node in target.body if not isinstance(node, (ast.Return, ast.Import, ast.ImportFrom, ast.FunctionDef))]
    for node in ast.walk(target):
        if node is target or _inside_signature(target, node):
            continue
        found.extend(_operator(source, node))
        found.extend(_constant(source, node))
    for statement in reversed(statements):
        if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant):
            start, end = source.span(statement)
            found.append((3, statement.lineno, "a statement left out", source.replaced(start, end, "pass")))
    for node in returns:
        value = node.value.elts[0] if isinstance(node.value, ast.Tuple) and node.value.elts else node.value
        if value is not None and not isinstance(value, (ast.Constant, ast.Starred)):
            start, end = source.span(value)
            text = source.bytes[start:end].decode()
            found.append((4, node.lineno, "a part of the result left out", source.replaced(start, end, f"({_PART})({text})")))
    found.sort(key=lambda entry: (entry[0], -entry[1]))
    return [{"line": line, "what": what, "text": mutated} for _, line, what, mutated in found[:_LIMIT] if _parses(mutated)]


def _inside_signature(target, node):
    line = getattr(node, "lineno", None)
    return line is None or line < target.body[0].lineno


def _operator(source, node):
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        old, new = _BINARY[type(node.op)]
        left_end = source.span(node.left)[1]
        right_start = source.span(node.right)[0]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
        old, new = _COMPARE[type(node.ops[0])]
        left_end = source.span(node.left)[1]
        right_start = source.span(node.comparators[0])[0]
    else:
        return
    at = source.bytes.find(old.encode(), left_end, right_start)
    if at >= 0:
        yield (1, node.lineno, f"{old} became {new}", source.replaced(at, at + len(old.encode()), new))


def _constant(source, node):
    if not isinstance(node, ast.Constant) or isinstance(node.value, str) or node.value is None or node.value is Ellipsis:
        return
    start, end = source.span(node)
    if isinstance(node.value, bool):
        yield (2, node.lineno, f"{node.value} became {not node.value}", source.replaced(start, end, str(not node.value)))
    elif isinstance(node.value, (int, float)):
        changed = node.value + 1
        yield (2, node.lineno, f"{node.value} became {changed}", source.replaced(start, end, repr(changed)))


def _parses(text):
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


if __name__ == "__main__":
    request = json.load(sys.stdin)
    json.dump(mutants(request["text"], request["function"]), sys.stdout)
