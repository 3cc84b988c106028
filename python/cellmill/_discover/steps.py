"""Steps of one module: decorated functions with their options, signatures and parameters. Every mistake is a diagnostic.

Only literals are understood, so that what a project is can be known without running it.
"""

from __future__ import annotations

import ast
import copy

from .canonical import digest
from .literals import NotLiteral, literal, parameter
from .names import Aliases
from .source import Source
from .units import ModuleFacts, authoring_kind, without_authoring

Facts = dict[str, object]
_KINDS = ("asset", "check", "report", "effect")


class StepReader:
    def __init__(self, source: Source, tree: ast.Module, aliases: Aliases, facts: ModuleFacts) -> None:
        self.source = source
        self.tree = tree
        self.aliases = aliases
        self.facts = facts
        self.steps: list[Facts] = []
        self.setups: list[str] = []
        self.parameters: list[Facts] = []
        self.diagnostics: list[Facts] = []

    def read(self) -> None:
        understood: set[int] = set()
        for node in self.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for decorator in node.decorator_list:
                    understood.add(id(decorator))
                self._function(node)
        for name, call, annotation in self.facts.params:
            understood.add(id(call))
            self._project_parameter(name, call, annotation)
        self._strays(understood)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        ours = [(authoring_kind(item, self.aliases), item) for item in node.decorator_list]
        ours = [(kind, item) for kind, item in ours if kind is not None]
        if not ours:
            return
        kind, decorator = ours[0]
        if len(ours) > 1:
            self._problem(
                "D020",
                ours[1][1],
                f"'{node.name}' is decorated twice",
                "keep one of @asset, @check, @report, @effect, @setup",
            )
            return
        if kind == "setup":
            self.setups.append(node.name)
            return
        if kind not in _KINDS:
            self._problem("D020", decorator, f"@{kind} does not decorate functions", f"write X = {kind}(...)")
            return
        if any(step["symbol"] == node.name for step in self.steps):
            self._problem("D013", node, f"the function '{node.name}' is defined twice", "rename one of them")
            return
        self.steps.append(self._step(str(kind), decorator, node))

    def _step(self, kind: str, decorator: ast.expr, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Facts:
        inputs, parameters = self._signature(node)
        step: Facts = {
            "kind": kind,
            "symbol": node.name,
            "at": self._name_place(node),
            "inputs": inputs,
            "parameters": parameters,
            "returns": "" if node.returns is None else self.aliases.text(node.returns),
            "description": _first_paragraph(ast.get_docstring(node)),
            "digest": self._step_digest(node),
            "options": {},
            "target": None,
        }
        if isinstance(decorator, ast.Call):
            self._options(kind, decorator, step)
        elif kind == "check":
            self._problem("D043", decorator, f"the check '{node.name}' does not say what it checks", "@check(ASSET)")
        return step

    def _options(self, kind: str, call: ast.Call, step: Facts) -> None:
        positional = list(call.args)
        if kind == "check":
            if positional:
                step["target"] = self._target(positional.pop(0))
            else:
                self._problem(
                    "D043", call, f"the check '{step['symbol']}' does not say what it checks", "@check(ASSET)"
                )
        for extra in positional:
            self._problem("D020", extra, f"@{kind} takes its options by name", f'@{kind}(name="...")')
        options: dict[str, object] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                self._problem("D020", keyword.value, "options cannot come from a ** expression", "write them out")
            elif keyword.arg == "after_random" and (name := self._function_name(keyword.value)) is not None:
                options["after_random"] = {"value": name, "at": self.source.place(keyword.value)}
            else:
                try:
                    options[keyword.arg] = {"value": literal(keyword.value), "at": self.source.place(keyword.value)}
                except NotLiteral as error:
                    self._problem(
                        "D020",
                        keyword.value,
                        f"the option '{keyword.arg}' cannot be read: {error}",
                        "write the value itself there",
                    )
        step["options"] = options

    def _target(self, node: ast.expr) -> Facts | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return {"name": node.value, "function": False, "at": self.source.place(node)}
        name = self._function_name(node)
        if name is None:
            self._problem("D043", node, "what a check guards must be an asset or its name", '@check("orders_clean")')
            return None
        return {"name": name, "function": True, "at": self.source.place(node)}

    def _function_name(self, node: ast.expr) -> str | None:
        dotted = self.aliases.dotted(node)
        return None if dotted is None else dotted.rpartition(".")[2]

    def _signature(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[list[Facts], list[Facts]]:
        arguments = node.args
        if isinstance(node, ast.AsyncFunctionDef):
            self._problem(
                "D042", node, f"'{node.name}' is async", "write a plain def; use asyncio.run inside it", name=True
            )
        if any(isinstance(inner, (ast.Yield, ast.YieldFrom)) for inner in _own_nodes(node)):
            self._problem(
                "D042", node, f"'{node.name}' is a generator", "return the value instead of yielding it", name=True
            )
        for extra, sign in ((arguments.vararg, "*"), (arguments.kwarg, "**")):
            if extra is not None:
                self._problem(
                    "D042",
                    extra,
                    f"'{node.name}' takes {sign}{extra.arg}, so what it reads is not known",
                    "name each input",
                )
        if arguments.posonlyargs:
            self._problem("D042", arguments.posonlyargs[0], "inputs are passed by name", "take out the /")
        positional = [*arguments.posonlyargs, *arguments.args]
        for argument, _ in zip(reversed(positional), arguments.defaults, strict=False):
            self._problem(
                "D042",
                argument,
                f"the input '{argument.arg}' has a default",
                f"put * before it to make it a parameter: *, {argument.arg}=...",
            )
        inputs = [self._input(argument) for argument in positional]
        parameters = [
            fact
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if (fact := self._own_parameter(argument, default)) is not None
        ]
        return inputs, parameters

    def _input(self, argument: ast.arg) -> Facts:
        annotation = "" if argument.annotation is None else self.aliases.text(argument.annotation)
        return {"argument": argument.arg, "annotation": annotation, "at": self.source.place(argument)}

    def _own_parameter(self, argument: ast.arg, default: ast.expr | None) -> Facts | None:
        try:
            kind, value = parameter(default, argument.annotation, self.aliases)
        except NotLiteral as error:
            self._problem(
                "D021",
                default or argument,
                f"the default of '{argument.arg}' cannot be a parameter's: {error}",
                f'{argument.arg}: str = ""',
            )
            return None
        return {
            "name": argument.arg,
            "type": kind,
            "default": value,
            "required": default is None,
            "at": self.source.place(argument),
        }

    def _project_parameter(self, variable: str, call: ast.Call, annotation: ast.AST | None) -> None:
        name = variable.lower()
        default: ast.expr | None = call.args[0] if call.args else None
        for keyword in call.keywords:
            if keyword.arg == "default":
                default = keyword.value
            elif keyword.arg != "description":
                self._problem(
                    "D020", keyword.value, f"param() has no option '{keyword.arg}'", f"{variable} = param(0.0)"
                )
        if default is None:
            self._problem("D021", call, f"the parameter '{variable}' has no default", f"{variable} = param(0.0)")
            return
        try:
            kind, value = parameter(default, annotation, self.aliases)
        except NotLiteral as error:
            self._problem(
                "D021",
                default,
                f"the default of '{variable}' cannot be a parameter's: {error}",
                f"{variable} = param(0.0)",
            )
            return
        self.facts.units[variable].update(param=name, digest=digest(container_kind(default) or ast.Pass()))
        self.parameters.append({"name": name, "type": kind, "default": value, "at": self.source.place(call)})

    def _strays(self, understood: set[int]) -> None:
        """Authoring functions used where they cannot be read."""
        if not any(target.startswith("cellmill") for target in self.aliases.known.values()):
            return
        for node in ast.walk(self.tree):
            decorators = getattr(node, "decorator_list", [])
            for decorator in decorators:
                kind = authoring_kind(decorator, self.aliases)
                if kind is not None and id(decorator) not in understood:
                    understood.add(id(decorator))
                    self._problem(
                        "D042",
                        decorator,
                        f"@{kind} is not on a function at the top level of its module",
                        "move it there",
                    )
            if isinstance(node, ast.Call) and id(node) not in understood:
                kind = authoring_kind(node, self.aliases)
                if kind == "param":
                    self._problem(
                        "D021", node, "param() must be assigned to one name at the top level", "MIN_TOTAL = param(0.0)"
                    )
                elif kind is not None:
                    self._problem(
                        "D042", node, f"{kind}() is called, so what it makes is not known", f"use @{kind} on a function"
                    )

    def _step_digest(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Of the code as its own step: names, annotations of inputs and values of parameters are elsewhere in the recipe."""
        plain = copy.deepcopy(without_authoring(node, self.aliases))
        assert isinstance(plain, (ast.FunctionDef, ast.AsyncFunctionDef))
        mentions = any(
            isinstance(inner, ast.Name) and inner.id == node.name for part in node.body for inner in ast.walk(part)
        )
        if not mentions:
            plain.name = ""
        plain.args.kw_defaults = [default and container_kind(default) for default in plain.args.kw_defaults]
        for argument in [*plain.args.posonlyargs, *plain.args.args, *plain.args.kwonlyargs]:
            # The logical time arrives as its annotation says, and is no parameter of the recipe's own list.
            if argument.arg != "run_time":
                argument.annotation = None
        return digest(plain)

    def _name_place(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Facts:
        text = self.source.line(node.lineno)
        column = text.find(node.name, text.find("def ") + len("def "))
        return self.source.at(node.lineno, column + 1 if column >= 0 else 1, len(node.name))

    def _problem(self, code: str, node: ast.AST, message: str, fix: str, *, name: bool = False) -> None:
        place = (
            self._name_place(node)
            if name and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            else self.source.place(node)
        )
        self.diagnostics.append({"code": code, "message": message, "at": place, "fix": fix})


def container_kind(node: ast.expr) -> ast.expr | None:
    """JSON has one kind of list: whether the default is a tuple, a set or a list is code, its members are not."""
    return ast.Constant(type(node).__name__) if isinstance(node, (ast.Tuple, ast.Set, ast.List)) else None


def _own_nodes(node: ast.AST) -> list[ast.AST]:
    """Nodes of a function that are not inside another function."""
    found: list[ast.AST] = []
    stack = list(ast.iter_child_nodes(node))
    while stack:
        current = stack.pop()
        found.append(current)
        if not isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)):
            stack.extend(ast.iter_child_nodes(current))
    return found


def _first_paragraph(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())
