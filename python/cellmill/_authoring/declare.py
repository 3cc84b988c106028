"""The decorators. They note what the author declared in `__cellmill__` and give back the very same function.

Discovery reads the declarations from the text, without running it: arguments must be literals. What is wrong beyond
their types is found there, with the place in the file, so only types are looked at here.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence

from .._types import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])

_KINDS = ("table", "object", "file")
_NUMBER = (int, float)
_DURATION = (int, float, str, types.NoneType)
_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str, types.NoneType),
    "kind": (str, types.NoneType),
    "outputs": (tuple, list, dict, types.NoneType),
    "reads": (dict, types.NoneType),
    "partitions": (str, dict, tuple, list, types.NoneType),
    "refresh": _DURATION,
    "random": (str, types.NoneType),
    "after_random": (str, types.FunctionType, types.NoneType),
    "exact": (bool,),
    "threads": (int,),
    "retries": (int,),
    "timeout": _DURATION,
    "memory": (int, str, types.NoneType),
    "network": (bool, str, tuple, list, types.NoneType),
    "secrets": (tuple, list),
    "engine": (str, types.NoneType),
    "export": (str, types.NoneType),
    "tags": (tuple, list),
    "description": (str, types.NoneType),
    "owner": (str, types.NoneType),
}


class Declaration:
    """What a decorator noted: `kind` is `asset`, `check`, `report`, `effect` or `setup`; `options` as written."""

    __slots__ = ("kind", "options")

    def __init__(self, kind: str, options: Mapping[str, Any]) -> None:
        self.kind = kind
        self.options = options

    def __repr__(self) -> str:
        return f"Declaration({self.kind!r}, {dict(self.options)!r})"


def asset(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    kind: str | None = None,
    outputs: Sequence[str] | Mapping[str, str] | None = None,
    reads: Mapping[str, Sequence[str]] | None = None,
    partitions: Any = None,
    refresh: str | float | None = None,
    random: str | None = None,
    after_random: Any = None,
    exact: bool = True,
    threads: int = 1,
    retries: int = 0,
    timeout: str | float | None = None,
    memory: str | int | None = None,
    network: Any = None,
    secrets: Sequence[str] = (),
    engine: str | None = None,
    export: str | None = None,
    tags: Sequence[str] = (),
    description: str | None = None,
    owner: str | None = None,
) -> Any:
    """Declares that the function makes an asset: a table, a file or any Python value.

    Positional arguments are the assets and sources it reads, keyword-only arguments its own parameters. Calling the
    function calls it, as if it were not decorated.

    - `name`: name of the asset. Default: the function's.
    - `kind`: `"table"` (kept as Parquet), `"object"` (kept as a pickle) or `"file"`. Default: a frame that survives
      Parquet unchanged is a table, anything else an object.
    - `outputs`: names, where one function makes several assets; it returns a tuple in that order, a dictionary, or
      an object with attributes of these names.
    - `reads`: the columns it uses, for each argument: `{"orders": ["id", "total"]}`. It is handed only those.
    - `partitions`: the slices by time or key that it is built in.
    - `refresh`: how long a result that depends on the clock or the network stays good: `"always"`, `"never"`, or a
      duration such as `"1h"`.
    - `random`: `"fresh"` draws anew each time. Default: global generators are seeded from the asset's identity.
    - `after_random`: asset whose generator states this one goes on from.
    - `exact`: `False` lets floating-point sums differ in their last digits between runs. Default: `True`.
    - `threads`: threads that numeric libraries may use. Default: 1.
    - `retries`: further attempts after a failure. Default: 0.
    - `timeout`, `memory`: limits, such as `"10m"` or seconds, `"2GB"` or bytes.
    - `network`: hosts it may reach. Default: none.
    - `secrets`: names of secrets, which arrive as environment variables.
    - `engine`: engine of a query. `export`: path at which a file is put at each publish.
    - `tags`, `description` (default: the docstring), `owner`: for people.

        @asset
        def orders_clean(orders: pd.DataFrame, *, currency: str = "EUR") -> pd.DataFrame:
            return orders[orders.currency == currency]
    """
    options = {key: value for key, value in locals().items() if key != "function"}
    return _declare("asset", function, options)


def check(target: Any = None, /, *, severity: str = "error", **options: Any) -> Callable[[Function], Function]:
    """Declares an assertion on `target`, an asset's function or name.

    The function returns True or False, or the rows that break the rule: no rows, or a failed `assert`, decide too.

    - `severity`: `"error"` keeps the asset from being published, `"warn"` only tells. Default: `"error"`.
    - Any option of `asset` that bounds a step: `reads`, `timeout`, `memory`, `tags`, `description`, `owner`.

        @check(orders_clean, severity="error")
        def no_negative_totals(orders_clean: pd.DataFrame):
            return orders_clean[orders_clean.total < 0]
    """
    if not isinstance(target, (types.FunctionType, str)) or severity not in ("error", "warn"):
        raise TypeError('write @check(asset) or @check("asset", severity="error" or "warn")')
    declared = {"target": target, "severity": severity, **_checked("check", options)}
    return lambda function: _attach("check", function, declared)


def report(function: Function | None = None, /, **options: Any) -> Any:
    """Declares a leaf that shows: figures, printed text, returned tables, text or a dictionary of metrics.

    Figures left open when it returns belong to it. Takes the options of `asset` except those about its outputs.
    """
    return _declare("report", function, options)


def effect(function: Function | None = None, /, **options: Any) -> Any:
    """Declares a leaf that acts on the world, once for each published release.

    `CELLMILL_IDEMPOTENCY_KEY` in its environment is the same for every attempt: hand it to the other side. Its result
    is ignored. Takes the options of `asset` except those about its outputs.
    """
    return _declare("effect", function, options)


def setup(function: Function | None = None, /) -> Any:
    """Declares a function without arguments that runs before each asset of its module, in the order of the text."""
    return _declare("setup", function, {})


def _declare(kind: str, function: Any, options: dict[str, Any]) -> Any:
    declared = _checked(kind, options)
    if function is None:
        return lambda decorated: _attach(kind, decorated, declared)
    return _attach(kind, function, declared)


def _checked(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    for name, value in options.items():
        allowed = _TYPES.get(name)
        if allowed is None:
            raise TypeError(f"@{kind} has no option '{name}'; it takes {', '.join(sorted(_TYPES))}")
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            wanted = " or ".join(sorted(part.__name__ for part in allowed if part is not types.NoneType))
            raise TypeError(f"@{kind}: {name} is {type(value).__name__}, it takes {wanted}")
    if options.get("kind") not in (None, *_KINDS):
        raise ValueError(f"@{kind}: kind is {options['kind']!r}, it takes {', '.join(_KINDS)}")
    if options.get("random") not in (None, "seeded", "fresh"):
        raise ValueError(f"@{kind}: random is {options['random']!r}, it takes 'fresh'")
    return options


def _attach(kind: str, function: Any, options: dict[str, Any]) -> Any:
    if not isinstance(function, types.FunctionType):
        raise TypeError(f"@{kind} decorates a function, not {type(function).__name__}")
    function.__cellmill__ = Declaration(kind, options)  # type: ignore[attr-defined]
    return function
