"""What one call does: to its receiver, its arguments, external state, and names that its strings mention.

Invariant: a callee of which nothing is known may change its receiver and every mutable argument (`certain: false`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cellmill._notebook.facts_alias import sources_of
from cellmill._notebook.facts_definitions import record_lambda
from cellmill._notebook.facts_effects import Effect
from cellmill._notebook.facts_text import is_literal, source_of, words_of
from cellmill._notebook.facts_tokens import record_tokens, writes_in_memory
from cellmill._notebook.facts_values import ClassInfo, FunctionInfo, Value, access_path, passes_true, root_name

if TYPE_CHECKING:
    from cellmill._notebook.facts_walk import Walker

_DYNAMIC = {"exec": "exec", "eval": "eval", "globals": "globals", "locals": "locals", "vars": "vars", "compile": "compile", "__import__": "__import__", "breakpoint": "breakpoint", "input": "input", "exit": "exit", "quit": "exit", "get_ipython": "get_ipython"}
# As a statement these are pointless unless they change their receiver.
_ONLY_FOR_EFFECT = {"append", "extend", "add", "update", "sort", "insert", "remove", "clear", "reverse", "discard"}
_GOES_THROUGH = {"list", "tuple", "enumerate", "iter", "zip", "map", "filter"}
_DYNAMIC_DOTTED = {"importlib.import_module": "importlib", "importlib.reload": "importlib", "sys.exit": "exit", "os._exit": "exit", "IPython.get_ipython": "get_ipython", "IPython.core.getipython.get_ipython": "get_ipython", "sys._getframe": "frames"}


def record_call(walker: Walker, node: ast.Call, is_statement: bool = False) -> None:
    sorts = isinstance(node.func, ast.Name) and node.func.id in ("sorted", "set", "len", "natsorted", "min", "max", "sum", "any", "all")
    walker.in_sorted += sorts
    _visit_callee(walker, node.func)
    callbacks = _visit_arguments(walker, node)
    walker.in_sorted -= sorts
    dotted = walker.knowledge.dotted(node.func, walker.env)
    walker.record.add(walker.record.calls, _call_fact(walker, node, dotted))
    _record_outdated_call(walker, node, dotted)
    _record_dynamic(walker, node, dotted)
    effects = walker.knowledge.effects(node, walker.env)
    if any(info is not None and info.mutates for info in callbacks):
        _change_everything(walker, node, "callback")
    if _apply_user_code(walker, node):
        return
    for effect in effects:
        if effect is not None:
            _apply_effect(walker, node, effect, all(other is not None and other.mutates for other in effects))
    if None in effects:
        _apply_unknown(walker, node, dotted, is_statement)


def _visit_callee(walker: Walker, function: ast.expr) -> None:
    if isinstance(function, ast.Attribute):
        if walker.knowledge.dotted(function, walker.env):
            walker.expression(function)
        else:
            walker.expression(function.value)
    else:
        walker.expression(function)


def _visit_arguments(walker: Walker, node: ast.Call) -> list[FunctionInfo | None]:
    callbacks: list[FunctionInfo | None] = []
    for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
        if isinstance(argument, ast.Lambda):
            callbacks.append(record_lambda(walker, argument, "<lambda>", immediate=True))
            continue
        walker.expression(argument)
        if isinstance(argument, ast.Name):
            value = walker.env.get(argument.id)
            callbacks.append(value.function if value else None)
    return callbacks


def chain_root(node: ast.expr) -> ast.Name | None:
    """The name a method chain starts from: `df` for `df.groupby(k)["x"].sum`."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None


def _call_fact(walker: Walker, node: ast.Call, dotted: str | None) -> dict:
    callee, receiver = dotted or "", None
    if not callee and isinstance(node.func, ast.Name):
        callee = node.func.id
    elif not callee and isinstance(node.func, ast.Attribute):
        types = walker.knowledge.types(node.func.value, walker.env)
        callee = f"{types[0] if types and not types[0].startswith('(') else ''}.{node.func.attr}"
        root = chain_root(node.func.value)
        if root is not None and not walker.knowledge.dotted(root, walker.env):
            receiver = root.id
    literals, names = {}, {}
    named = [(str(position), argument) for position, argument in enumerate(node.args)]
    named += [(keyword.arg or "**", keyword.value) for keyword in node.keywords]
    for key, argument in named[:60]:
        if isinstance(argument, ast.Name):
            names[key] = argument.id
        elif is_literal(argument):
            literals[key] = source_of(argument)
    return {"callee": callee, "receiver": receiver, "span": walker.span(node), "literals": literals, "names": names}


def _record_outdated_call(walker: Walker, node: ast.Call, dotted: str | None) -> None:
    """Methods of known types, and keywords: the catalogue writes those as `callee(keyword)`."""
    removed = walker.knowledge.catalogue.removed
    names = [dotted] if dotted else []
    if not dotted and isinstance(node.func, ast.Attribute):
        names = [f"{name}.{node.func.attr}" for name in walker.knowledge.types(node.func.value, walker.env)]
    for name in names:
        if name in removed:
            walker.record.outdate(name, removed[name], walker.span(node))
        for keyword in node.keywords:
            if f"{name}({keyword.arg})" in removed:
                walker.record.outdate(f"{name}({keyword.arg})", removed[f"{name}({keyword.arg})"], walker.span(node))


def _record_dynamic(walker: Walker, node: ast.Call, dotted: str | None) -> None:
    if dotted in _DYNAMIC_DOTTED:
        walker.record.note(_DYNAMIC_DOTTED[dotted])
    elif dotted is not None and dotted.startswith("inspect.get"):
        walker.record.note("inspect")
    if not isinstance(node.func, ast.Name) or not walker.knowledge.is_builtin(node.func.id, walker.env) or walker.is_local(node.func.id):
        return
    name = node.func.id
    if name in _GOES_THROUGH and not walker.in_sorted and any(walker.knowledge.types(part, walker.env) in (("set",), ("frozenset",)) for part in node.args):
        walker.record.habit("set-iteration", walker.span(node))
    if name in ("setattr", "delattr") and node.args and walker.knowledge.dotted(node.args[0], walker.env):
        walker.record.note("setattr-module")
        walker.record.token(f"cfg:{(walker.knowledge.dotted(node.args[0], walker.env) or '').partition('.')[0]}", "write", name, walker.span(node))
    elif name == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
        walker.record.note("getattr-computed")
    elif name in _DYNAMIC and not (name == "vars" and node.args):
        walker.record.note(_DYNAMIC[name])
        if name in ("exec", "eval") and node.args and _comes_from_outside(node.args[0]):
            walker.record.habit("code-from-input", walker.span(node))
        if name in ("exec", "eval") and node.args:
            _read_code(walker, node.args[0])


def _comes_from_outside(argument: ast.expr) -> bool:
    called = [part.func for part in ast.walk(argument) if isinstance(part, ast.Call)]
    names = {function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "") for function in called}
    return bool(names & {"input", "raw_input", "read", "readline", "text", "get", "urlopen"})


def _read_code(walker: Walker, argument: ast.expr) -> None:
    """`eval("a + b")` and `exec("a = b")`: what a literal text reads and binds."""
    text = walker.knowledge.constant(argument, walker.env)
    try:
        tree = ast.parse(text or "")
    except (SyntaxError, ValueError, RecursionError):
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            walker.read_by_text(part.id, argument)
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            walker.bind(part.id, Value())


def argument_of(node: ast.Call, position: int | None, keyword: str | None) -> ast.expr | None:
    for part in node.keywords:
        if keyword is not None and part.arg == keyword:
            return part.value
    if position is not None and position < len(node.args) and not any(isinstance(part, ast.Starred) for part in node.args[: position + 1]):
        return node.args[position]
    return None


def _change(walker: Walker, node: ast.expr, how: str, certain: bool) -> None:
    """The value of this expression is changed: so is all it may share memory with."""
    if walker.knowledge.dotted(node, walker.env):
        return
    root = root_name(node)
    for name, kind in sources_of(walker, node).items():
        direct = root is not None and name == root.id
        walker.mutate(name, access_path(node) if direct else [], node, how, certain and kind != "maybe")
    if root is not None and root.id not in sources_of(walker, node):
        walker.mutate(root.id, access_path(node), root, how, False) if not walker.knowledge.types(node, walker.env) else None


def _change_everything(walker: Walker, node: ast.Call, how: str) -> None:
    if isinstance(node.func, ast.Attribute):
        _change(walker, node.func.value, how, False)
    for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
        _change(walker, argument, how, False)


def _apply_user_code(walker: Walker, node: ast.Call) -> bool:
    """Functions and classes of the notebook; True when they answered for the call."""
    function = node.func
    if isinstance(function, ast.Name):
        value = walker.env.get(function.id)
        if value is None:
            return False
        if value.klass is not None:
            _apply_function(walker, node, value.klass.methods.get("__init__"), function.id, 1)
            return value.klass.closed
        if value.function is not None:
            info = value.function.called_with(node, lambda part: walker.knowledge.types(part, walker.env))
            _apply_function(walker, node, info, function.id, 0)
            return True
        return False
    if not isinstance(function, ast.Attribute):
        return False
    types = walker.knowledge.types(function.value, walker.env)
    classes = [_class_of(walker, name) for name in types]
    if not types or any(klass is None for klass in classes):
        return False
    known = True
    for klass in classes:
        info = klass.methods.get(function.attr) if klass else None
        if info is None:
            known = False
            continue
        if 0 in info.mutates or 0 in info.may_mutate:
            _change(walker, function.value, f"method:{function.attr}", 0 in info.mutates)
        _apply_function(walker, node, info, function.attr, 1)
    return known


def _class_of(walker: Walker, type_name: str) -> ClassInfo | None:
    if not type_name.startswith("user:"):
        return None
    value = walker.env.get(type_name[5:])
    return value.klass if value else None


def _apply_function(walker: Walker, node: ast.Call, info: FunctionInfo | None, name: str, skipped: int) -> None:
    if info is None:
        return
    if not info.plain or any(isinstance(part, ast.Starred) for part in node.args):
        for argument in node.args:
            _change(walker, argument, f"argument:{name}", False)
        return
    for position in sorted(info.mutates | info.may_mutate):
        keyword = info.parameters[position] if position < len(info.parameters) else None
        argument = argument_of(node, position - skipped if position >= skipped else None, keyword)
        if argument is not None:
            _change(walker, argument, f"argument:{name}", position in info.mutates)


def _apply_effect(walker: Walker, node: ast.Call, effect: Effect, certain: bool) -> None:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    for what in effect.mutates:
        if what == "receiver" and isinstance(function, ast.Attribute):
            _change(walker, function.value, f"method:{name}", certain)
        elif isinstance(what, int):
            argument = argument_of(node, what, None)
            if argument is not None:
                _change(walker, argument, f"argument:{walker.knowledge.dotted(function, walker.env) or name}", certain)
    if effect.inplace and passes_true(node, "inplace") and isinstance(function, ast.Attribute):
        literal = any(part.arg == "inplace" and isinstance(part.value, ast.Constant) for part in node.keywords)
        _change(walker, function.value, "inplace", literal)
    record_tokens(walker, node, effect)
    if effect.world and not writes_in_memory(walker, node):
        walker.record.token("world", "write", effect.world, walker.span(node))
    if effect.names:
        _read_names_in_strings(walker, node)
    if effect.dynamic:
        walker.record.note(effect.dynamic)


def _read_names_in_strings(walker: Walker, node: ast.Call) -> None:
    """Names that a query or formula mentions: `@name` where the method says so, else any bound name."""
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    only_marked = method in ("query", "eval") and not walker.knowledge.dotted(node.func, walker.env)
    for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
        text = walker.knowledge.constant(argument, walker.env)
        if text is None:
            continue
        words = {part[1:] for part in _marked(text)} if only_marked else words_of(text)
        for word in sorted(words):
            if only_marked or walker.env.get(word) is not None:
                walker.read_by_text(word, argument)


def _marked(text: str) -> list[str]:
    import re

    return re.findall(r"@[^\W\d]\w*", text)


def _apply_unknown(walker: Walker, node: ast.Call, dotted: str | None, is_statement: bool) -> None:
    function = node.func
    if dotted is not None:
        for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
            _change(walker, argument, f"argument:{dotted}", False)
        if is_statement:
            walker.record.token(f"cfg:{dotted.partition('.')[0]}", "write", f"calls {dotted}, of which nothing is known", walker.span(node))
        return
    if isinstance(function, ast.Name):
        if not walker.knowledge.is_builtin(function.id, walker.env):
            _change_everything(walker, node, "unknown-call")
            if walker.env.get(function.id) is not None and not walker.knowledge.types(function, walker.env):
                walker.mutate(function.id, [], function, "unknown-call", False)
        return
    if not isinstance(function, ast.Attribute):
        _change_everything(walker, node, "unknown-call")
        return
    verdict, _ = walker.knowledge.catalogue.named_method(function.attr)
    if verdict == "mutates" or (is_statement and function.attr in _ONLY_FOR_EFFECT):
        _change(walker, function.value, f"method:{function.attr}", is_statement)
        return
    _change(walker, function.value, "unknown-call", False)
    if verdict != "pure":
        for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
            _change(walker, argument, "unknown-call", False)
