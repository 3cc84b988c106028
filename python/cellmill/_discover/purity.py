"""Which top-level statements only bind a name, so that they count just for those who read that name.

Invariant: an answer of "pure" means that running the statement changes nothing but its own name, whatever the rest of
the project does. Anything not known here is an effect, and belongs to every asset that imports the module.
"""

from __future__ import annotations

import ast
import builtins

from .names import Aliases

_DATA_CALLS = frozenset(
    """tuple list dict set frozenset int float str bool bytes complex len range sorted sum min max abs round zip
    enumerate reversed slice divmod pow repr ord chr hex oct bin any all re.compile pathlib.Path pathlib.PurePath
    pathlib.PurePosixPath decimal.Decimal fractions.Fraction datetime.date datetime.datetime datetime.time
    datetime.timedelta datetime.timezone collections.OrderedDict collections.Counter collections.deque
    json.loads tomllib.loads os.path.join os.path.dirname os.path.abspath os.path.realpath os.path.basename os.fspath types.MappingProxyType
    numpy.array numpy.dtype pandas.Timestamp pandas.Timedelta pandas.CategoricalDtype zoneinfo.ZoneInfo""".split()
)
# Harmless to call, but what they return is not plain data.
_OPAQUE_CALLS = frozenset(
    """logging.getLogger typing.TypeVar typing.NewType typing.ParamSpec collections.namedtuple dataclasses.field
    enum.auto object collections.defaultdict property staticmethod classmethod threading.Lock threading.RLock
    threading.local""".split()
)
_SAFE_DECORATORS = frozenset(
    """staticmethod classmethod property functools.wraps functools.cache functools.lru_cache functools.cached_property
    functools.total_ordering functools.singledispatch functools.singledispatchmethod dataclasses.dataclass
    contextlib.contextmanager contextlib.asynccontextmanager abc.abstractmethod abc.abstractproperty enum.unique
    typing.final typing.overload typing.no_type_check typing.runtime_checkable typing_extensions.override
    typing.override cellmill.asset cellmill.check cellmill.report cellmill.effect cellmill.setup""".split()
)
# Attributes of these modules are plain data or functions; reading them runs no code of the project.
_SAFE_MODULES = frozenset(
    "math cmath numpy string sys os datetime pandas polars pyarrow decimal typing enum re".split()
)
_METHODS_OF_DATA = frozenset(
    """split rsplit strip lstrip rstrip lower upper title format join replace items keys values get copy union
    intersection difference index count encode decode splitlines startswith endswith joinpath with_name with_suffix
    resolve absolute isoformat date read_text read_bytes""".split()
)
_BUILTINS = frozenset(dir(builtins))


class Purity:
    """Judges statements of one module in order: `data` are names known to hold plain data."""

    def __init__(self, aliases: Aliases, bound: set[str], imported: set[str]) -> None:
        self.aliases = aliases
        # Names that the module binds anywhere, which therefore are not the builtins.
        self.bound = bound
        # Names that one plain import binds and nothing else: they are what the import says.
        self.imported = imported
        # `from __future__ import annotations`: none of them is evaluated.
        self.lazy_annotations = False
        self.data: set[str] = set()
        # Names bound by pure statements so far: a name read before it is bound makes an effect.
        self.ready: set[str] = set()

    def is_data(self, node: ast.AST, local: frozenset[str] = frozenset()) -> bool:
        """Plain data, made without running code of the project."""
        every = lambda nodes: all(self.is_data(inner, local) for inner in nodes)
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in local or name in self.data or name in ("__file__", "__name__", "__package__")
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items) | ast.BoolOp(values=items):
                return every(items)
            case ast.Dict(keys=keys, values=values):
                return every([key for key in keys if key is not None]) and every(values)
            case ast.UnaryOp(operand=inner) | ast.Starred(value=inner):
                return self.is_data(inner, local)
            case ast.BinOp(left=left, right=right):
                return every([left, right])
            case ast.Compare(left=left, comparators=others):
                return every([left, *others])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return every([test, body, orelse])
            case ast.JoinedStr(values=values):
                return every(values)
            case ast.FormattedValue(value=value, format_spec=spec):
                return self.is_data(value, local) and (spec is None or self.is_data(spec, local))
            case ast.Subscript(value=value, slice=index):
                return every([value, index])
            case ast.Slice(lower=lower, upper=upper, step=step):
                return every([part for part in (lower, upper, step) if part is not None])
            case ast.Attribute():
                return self._is_safe_attribute(node, local)
            case ast.Call():
                return self._is_data_call(node, local)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._is_data_comprehension(node, local)
        return False

    def is_pure(self, node: ast.AST) -> bool:
        """Binds or refers, and runs nothing: data, references, containers of references, lambdas."""
        if self.is_data(node):
            return True
        match node:
            case ast.Name(id=name):
                return self._is_ready(name)
            case ast.Attribute():
                return self._is_reference(node)
            case ast.Lambda(args=arguments):
                return self._are_pure_defaults(arguments)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return all(self.is_pure(item) for item in items)
            case ast.Dict(keys=keys, values=values):
                # Keys and members of sets are hashed, which may run code.
                return all(key is not None and self.is_data(key) for key in keys) and all(
                    self.is_pure(value) for value in values
                )
            case ast.Call(func=function, args=arguments, keywords=keywords):
                return self._is_known(function, _OPAQUE_CALLS) and all(
                    self.is_pure(part) for part in [*arguments, *[keyword.value for keyword in keywords]]
                )
        return False

    def is_pure_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, inside: frozenset[str] = frozenset()
    ) -> bool:
        decorators = all(self._is_safe_decorator(decorator, inside) for decorator in node.decorator_list)
        if not decorators or not self._are_pure_defaults(node.args):
            return False
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        annotations = [argument.annotation for argument in arguments if argument is not None]
        return all(note is None or self.is_annotation(note) for note in [*annotations, node.returns])

    def is_pure_class(self, node: ast.ClassDef) -> bool:
        """Bases are judged where their classes are known (fingerprint/python); here only what the text shows."""
        if node.keywords or not all(self._is_safe_decorator(decorator) for decorator in node.decorator_list):
            return False
        if not all(self._is_plain_type(base) for base in node.bases):
            return False
        saved_data, saved_ready = set(self.data), set(self.ready)
        try:
            return all(self._is_pure_member(member) for member in node.body)
        finally:
            self.data, self.ready = saved_data, saved_ready

    def is_annotation(self, node: ast.AST) -> bool:
        """Evaluating it runs nothing of the project."""
        return self.lazy_annotations or self._is_plain_type(node)

    def _is_plain_type(self, node: ast.AST) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return self._is_ready(name)
            case ast.Attribute():
                return self._is_reference(node)
            case ast.Subscript(value=value, slice=index):
                return self._is_plain_type(value) and self._is_plain_type(index)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return all(self._is_plain_type(item) for item in items)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._is_plain_type(left) and self._is_plain_type(right)
            case ast.UnaryOp(operand=ast.Constant()):
                return True
        return False

    def _is_pure_member(self, member: ast.stmt) -> bool:
        match member:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                return True
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pure = self.is_pure_function(member, frozenset(self.ready))
                self.ready.add(member.name)
                return pure
            case ast.ClassDef():
                pure = not member.bases and self.is_pure_class(member)
                self.ready.add(member.name)
                return pure
            case ast.Assign(targets=targets, value=value):
                pure = self._is_plain_member(value)
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                self._bind(names, self.is_data(value))
                return pure and len(names) == len(targets)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                pure = self.is_annotation(annotation) and (value is None or self._is_plain_member(value))
                self._bind([name], value is not None and self.is_data(value))
                return pure
        return False

    def _is_plain_member(self, value: ast.AST) -> bool:
        """An object made elsewhere may have `__set_name__`, which the class calls."""
        return self.is_pure(value) and (self.is_data(value) or not isinstance(value, (ast.Name, ast.Attribute)))

    def _bind(self, names: list[str], data: bool) -> None:
        self.ready.update(names)
        self.data.difference_update(names)
        if data:
            self.data.update(names)

    def _are_pure_defaults(self, arguments: ast.arguments) -> bool:
        return all(
            default is None or self.is_pure(default) for default in [*arguments.defaults, *arguments.kw_defaults]
        )

    def _is_ready(self, name: str) -> bool:
        return name in self.ready or name in self.data or (name in _BUILTINS and name not in self.bound)

    def _is_reference(self, node: ast.Attribute) -> bool:
        """`helpers.clean`: an attribute of an imported module."""
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        return isinstance(inner, ast.Name) and inner.id in self.imported and inner.id in self.ready

    def _is_known(self, node: ast.AST, known: frozenset[str]) -> bool:
        dotted = self.aliases.dotted(node)
        if dotted is None or dotted not in known:
            return False
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            return False
        return root.id in self.ready & self.imported if root.id in self.bound else root.id in _BUILTINS

    def _is_safe_decorator(self, node: ast.AST, inside: frozenset[str] = frozenset()) -> bool:
        if isinstance(node, ast.Call):
            arguments = [*node.args, *[keyword.value for keyword in node.keywords]]
            return self._is_known(node.func, _SAFE_DECORATORS) and all(self.is_pure(item) for item in arguments)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            # `@total.setter` of a property of the same class.
            if node.value.id in inside and node.attr in ("setter", "getter", "deleter"):
                return True
        return self._is_known(node, _SAFE_DECORATORS)

    def _is_safe_attribute(self, node: ast.Attribute, local: frozenset[str]) -> bool:
        dotted = self.aliases.dotted(node)
        if dotted is not None and self._is_reference(node):
            return dotted.partition(".")[0] in _SAFE_MODULES
        return node.attr in ("parent", "parents", "name", "stem", "suffix", "parts") and self.is_data(node.value, local)

    def _is_data_call(self, node: ast.Call, local: frozenset[str]) -> bool:
        parts = [*node.args, *[keyword.value for keyword in node.keywords]]
        if not all(self.is_data(part, local) for part in parts):
            return False
        if self._is_known(node.func, _DATA_CALLS):
            return True
        function = node.func
        return (
            isinstance(function, ast.Attribute)
            and function.attr in _METHODS_OF_DATA
            and self.is_data(function.value, local)
        )

    def _is_data_comprehension(self, node: ast.AST, local: frozenset[str]) -> bool:
        inner = local
        for generator in node.generators:
            if generator.is_async or not self.is_data(generator.iter, inner):
                return False
            targets = [part for part in ast.walk(generator.target) if isinstance(part, ast.Name)]
            inner = inner | frozenset(target.id for target in targets)
            if not all(self.is_data(test, inner) for test in generator.ifs):
                return False
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return all(self.is_data(part, inner) for part in parts)
