"""From a module's syntax tree to the facts that closures are computed from: units, and everything else in order.

A unit is a `def`, a class or an assignment that only binds its name. The rest of the top level is a sequence of effects
and imports, kept in order. Invariant: every statement that runs at import is in exactly one unit or in the sequence.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections import Counter
from dataclasses import dataclass, field

from .canonical import digest, is_text_statement
from .names import Aliases, Target, bindings_of, bound_names, chain_of, global_names, imports_in
from .paths import Paths
from .purity import Purity
from .source import Source
from .statements import (
    eager_parts,
    exports_after,
    first_line,
    is_future,
    is_star_of_cellmill,
    module_imports,
    modules_of,
    optional_imports,
    plain_targets,
    quoted_types,
    rebound_names,
)
from .uses import Uses

Facts = dict[str, object]
AUTHORING = ("asset", "check", "report", "effect", "setup", "param")
_MAX_CHAIN = 5


def module_aliases(tree: ast.Module) -> Aliases:
    imports = module_imports(tree)
    aliases = Aliases().with_imports(imports)
    for node in imports:
        if is_star_of_cellmill(node):
            for name in AUTHORING:
                aliases.known.setdefault(name, f"cellmill.{name}")
    return aliases


def authoring_kind(node: ast.AST, aliases: Aliases) -> str | None:
    """`asset` for `@asset`, `@asset(...)` and `@cellmill.asset`."""
    dotted = aliases.dotted(node.func if isinstance(node, ast.Call) else node) or ""
    package, _, name = dotted.rpartition(".")
    return name if package == "cellmill" and name in AUTHORING else None


@dataclass
class ModuleFacts:
    units: dict[str, Facts] = field(default_factory=dict)
    sequence: list[Facts] = field(default_factory=list)
    bindings: dict[str, list[Target]] = field(default_factory=dict)
    effect_names: set[str] = field(default_factory=set)
    exports: list[str] | str | None = None
    # Units that are project parameters, with the call that declares them.
    params: list[tuple[str, ast.Call, ast.AST | None]] = field(default_factory=list)

    def json(self) -> Facts:
        return {
            "units": self.units,
            "sequence": self.sequence,
            "bindings": self.bindings,
            "effectNames": sorted(self.effect_names),
            "exports": self.exports,
        }


class UnitReader:
    def __init__(self, source: Source, tree: ast.Module, aliases: Aliases) -> None:
        self.source = source
        self.tree = tree
        self.aliases = aliases
        self.facts = ModuleFacts()
        bound = [(node, bound_names(node)) for node in tree.body]
        self.modules = {str(t[0]).partition(".")[0] for node in imports_in(tree) for t in modules_of(node) if t[1] == 0}
        self.rebound = rebound_names(bound)
        imported = {name for node, names in bound if isinstance(node, (ast.Import, ast.ImportFrom)) for name in names}
        every = {name for _, names in bound for name in names}
        if any(is_star_of_cellmill(node) for node in tree.body):
            imported.update(name for name in AUTHORING if name not in every)
            every.update(AUTHORING)
        self.purity = Purity(aliases, every, imported - self.rebound)
        self.optional = optional_imports(tree)
        # How many statements begin or end on each line.
        self.lines_taken = Counter(line for each in tree.body for line in {first_line(each), each.end_lineno})

    def read(self) -> ModuleFacts:
        for node in self.tree.body:
            if is_text_statement(node) or isinstance(node, ast.Pass) or self._never_runs(node):
                continue
            self._statement(node)
            self.purity.ready.update(bound_names(node))
            if is_star_of_cellmill(node):
                self.purity.ready.update(AUTHORING)
        return self.facts

    def _statement(self, node: ast.stmt) -> None:
        self.facts.exports = exports_after(node, self.facts.exports)
        match node:
            case ast.ImportFrom(module="__future__"):
                self.purity.lazy_annotations |= any(alias.name == "annotations" for alias in node.names)
                self._effect(node)
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pure = node.name not in self.rebound and self.purity.is_pure_function(node)
                if pure:
                    self.facts.units[node.name] = self._unit(node, "def")
                else:
                    self._effect(node)
            case ast.ClassDef():
                if node.name not in self.rebound and self.purity.is_pure_class(node):
                    self._class(node)
                else:
                    self._effect(node)
            case ast.Assign() | ast.AnnAssign():
                self._assignment(node)
            case _:
                self._effect(node)

    def _never_runs(self, node: ast.stmt) -> bool:
        """`if TYPE_CHECKING:` and `if __name__ == "__main__":` without an else: not when a step imports the module."""
        if not isinstance(node, ast.If) or node.orelse:
            return False
        if self.aliases.dotted(node.test) in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"):
            return True
        match node.test:
            case ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
            ):
                return "__name__" not in self.purity.bound
        return False

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        item: Facts = {"imports": [self._import_fact(node)]}
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            item["star"] = [node.module or "", node.level]
        for name, target in bindings_of(node):
            known = self.facts.bindings.setdefault(name, [])
            if target not in known:
                known.append(target)
            if name in self.rebound:
                self.facts.effect_names.add(name)
                item["effect"] = digest(node)
        # Where it stands matters to names that are bound when the module runs.
        item["names"] = sorted({name for name, _ in bindings_of(node)})
        self.facts.sequence.append(item)

    def _import_fact(self, node: ast.Import | ast.ImportFrom) -> Facts:
        if isinstance(node, ast.Import):
            modules = [[alias.name, 0, None] for alias in node.names]
        else:
            modules = [[node.module or "", node.level, alias.name] for alias in node.names]
        fact: Facts = {"modules": modules, "at": self.source.place(node)}
        if id(node) in self.optional:
            fact["optional"] = True
        return fact

    def _class(self, node: ast.ClassDef) -> None:
        unit = self._unit(node, "class")
        hooks = {"__init_subclass__", "__set_name__", "__class_getitem__"}
        if any(isinstance(inner, ast.FunctionDef) and inner.name in hooks for inner in ast.walk(node)):
            unit["hooks"] = True
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
        unit["bases"] = [".".join(chain_of(base) or ["?"]) for base in bases]
        self.facts.units[node.name] = unit
        if bases:
            self.facts.sequence.append({"unit": node.name})

    def _assignment(self, node: ast.Assign | ast.AnnAssign) -> None:
        if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name):
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = plain_targets(targets)
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        value = node.value
        fits = bool(names) and not any(name in self.rebound for name in names)
        fits = fits and (annotation is None or self.purity.is_annotation(annotation)) and value is not None
        if fits and isinstance(value, ast.Call) and authoring_kind(value, self.aliases) == "param" and len(names) == 1:
            self.facts.units[names[0]] = {**self._unit(ast.Pass(), "param"), "at": len(self.facts.sequence)}
            self.facts.params.append((names[0], value, annotation))
            return
        unpacks = any(not isinstance(target, ast.Name) for target in targets)
        data = fits and self.purity.is_data(value)
        if fits and (data if unpacks else self.purity.is_pure(value)):
            unit = self._unit(node, "value")
            for name in names:
                self.facts.units[name] = unit
            if data and annotation is None or data:
                self.purity.data.update(names)
            return
        self._effect(node)

    def _effect(self, node: ast.stmt) -> None:
        item: Facts = {**self._unit(node, "effect")}
        item["effect"] = item.pop("digest")
        item.pop("at")
        own = module_imports(ast.Module([node], []))
        for inner in own:
            for name, target in bindings_of(inner):
                known = self.facts.bindings.setdefault(name, [])
                if target not in known:
                    known.append(target)
            if isinstance(inner, ast.ImportFrom) and any(alias.name == "*" for alias in inner.names):
                item["star"] = [inner.module or "", inner.level]
        names = bound_names(node)
        self.facts.effect_names.update(names)
        self.purity.data.difference_update(names)
        self.facts.sequence.append(item)

    def _unit(self, node: ast.stmt, kind: str) -> Facts:
        plain = without_authoring(node, self.aliases)
        nodes = list(ast.walk(plain))
        inner = [found for found in nodes if isinstance(found, (ast.Import, ast.ImportFrom)) and not is_future(found)]
        aliases = self.aliases.with_imports(inner) if inner else self.aliases
        names = self._global_names(node, plain)
        local: dict[str, list[Target]] = {}
        for found in inner:
            for name, target in bindings_of(found):
                local.setdefault(name, []).append(target)
        reachable = names | set(local)
        uses = Uses(self.source, aliases, reachable, self.modules)
        uses.visit(nodes)
        facts: Facts = {"kind": kind, "digest": digest(plain), "at": len(self.facts.sequence)}
        facts["reads"] = sorted(
            _chains(plain, reachable, aliases)
            | uses.reads
            | quoted_types(nodes)
            | (names - {each.id for each in nodes if isinstance(each, ast.Name)})
        )
        imports = [self._import_fact(found) for found in inner]
        imports += [{"modules": [[name, 0, None]], "at": self.source.place(node)} for name in uses.imports]
        paths = Paths(aliases, reachable, plain)
        optional: Facts = {
            "imports": imports,
            "local": local,
            "computed": uses.computed,
            "dynamic": uses.dynamic,
            "volatile": uses.volatile,
            "draws": uses.draws,
            "eager": sorted(self._eager(node)) if kind != "effect" else [],
            "data": [path for path in paths.found(plain) if not self._is_builtin(path)],
        }
        facts.update({key: value for key, value in optional.items() if value})
        value = paths.value(node.value) if isinstance(node, ast.Assign) else None
        if value is not None:
            facts["path"] = value.json()
        return facts

    def _eager(self, node: ast.stmt) -> set[str]:
        """Attributes of imported modules that are read when the module runs: it fails where one of them is missing."""
        found = {".".join(chain[:2]) for part in eager_parts(node) if (chain := chain_of(part)) and len(chain) > 1}
        return {chain for chain in found if chain.partition(".")[0] in self.purity.imported}

    def _is_builtin(self, path: list[object]) -> bool:
        name = str(path[0]).removeprefix("name:")
        return name in dir(builtins) and name not in self.purity.bound

    def _global_names(self, node: ast.stmt, plain: ast.stmt) -> set[str]:
        """From the statement's own lines where it has them for itself: quicker than writing the tree anew."""
        if plain is node and hasattr(node, "lineno") and node.col_offset == 0:
            first = first_line(node)
            if self.lines_taken[first] == self.lines_taken[node.end_lineno or first] == 1:
                try:
                    return global_names("\n".join(self.source.lines[first - 1 : node.end_lineno]))
                except (SyntaxError, ValueError):
                    # Not a whole statement by itself after all.
                    pass
        return global_names(ast.unparse(plain))


def without_authoring(node: ast.stmt, aliases: Aliases) -> ast.stmt:
    """The definition without our decorators: options are elsewhere in the recipe."""
    decorators = getattr(node, "decorator_list", [])
    kept = [decorator for decorator in decorators if authoring_kind(decorator, aliases) is None]
    if len(kept) == len(decorators):
        return node
    plain = copy.copy(node)
    plain.decorator_list = kept  # type: ignore[attr-defined]
    return plain


def _chains(node: ast.AST, names: set[str], aliases: Aliases) -> set[str]:
    found: set[str] = set()
    stack: list[ast.AST] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.Call) and aliases.dotted(current.func) == "logging.getLogger":
            # A logger's name is not a result.
            stack.append(current.func)
            stack.extend(part for part in current.args if not (isinstance(part, ast.Name) and part.id == "__name__"))
            continue
        chain = chain_of(current) if isinstance(current, (ast.Name, ast.Attribute)) else None
        if chain is None:
            stack.extend(ast.iter_child_nodes(current))
        elif chain[0] in names or chain[0].startswith("__"):
            if not (isinstance(current, ast.Name) and not isinstance(current.ctx, ast.Load)):
                found.add(".".join(chain[:_MAX_CHAIN]))
    return found
