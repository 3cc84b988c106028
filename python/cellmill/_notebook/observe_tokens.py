"""State outside variables as tokens: random generators, options, working folder, environment, filters, loggers.

Each token is a digest of state that is read without running user code and without importing anything. A library's first
state is taken as its import ends, so that `import numpy; numpy.random.seed(0)` in one cell is a change.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.abc
import importlib.machinery
import locale
import logging
import os
import random
import sys
import types
import warnings
from typing import Any, Callable

from . import encode

#: IPython and the kernel put their own into builtins while a cell runs.
_TRAPPED = ("_", "get_ipython", "display", "exit", "quit", "input")
_BACKEND = ("backend", "backend_fallback", "interactive")


def _text(value: Any) -> str:
    return hashlib.sha256(str(value).encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> str:
    """Digest of option values: callables and unknown objects count by type and name."""
    try:
        return encode.digest(value)
    except Exception:  # any object can stand in an option; a type and a name still tell most changes
        return f"{type(value).__module__}.{type(value).__qualname__}:{getattr(value, '__qualname__', '')}"


# -- generators --------------------------------------------------------------------------------------------------


def numpy_state(module: Any) -> tuple[Any, ...]:
    """Plain values, as the step runner stores them (`_runner/randomness.py`)."""
    name, keys, position, has_gauss, cached = module.get_state()
    return name, keys.astype("<u4").tobytes(), int(position), int(has_gauss), float(cached)


def generator_states() -> dict[str, Any]:
    """The states in the form that `_runner/randomness.Generators.restore` reads."""
    states: dict[str, Any] = {"python": random.getstate()}
    module = sys.modules.get("numpy.random")
    if module is not None and hasattr(module, "get_state"):
        states["numpy"] = numpy_state(module)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state().numpy().tobytes()
    return states


def _rng_py() -> str:
    return _text(random.getstate())


def _rng_np() -> str | None:
    module = sys.modules.get("numpy.random")
    return _text(numpy_state(module)) if module is not None and hasattr(module, "get_state") else None


def _rng_torch() -> str | None:
    torch = sys.modules.get("torch")
    return _text(torch.get_rng_state().numpy().tobytes()) if torch is not None and hasattr(torch, "get_rng_state") else None


# -- configuration -----------------------------------------------------------------------------------------------


def _pandas() -> str | None:
    module = sys.modules.get("pandas._config.config")
    if module is None or not hasattr(module, "_global_config"):
        return None
    found: list[str] = []

    def walk(prefix: str, tree: dict[str, Any]) -> None:
        for name, value in sorted(tree.items()):
            if isinstance(value, dict):
                walk(f"{prefix}{name}.", value)
            else:
                found.append(f"{prefix}{name}={_plain(value)}")

    walk("", module._global_config)
    return _text(found)


def _matplotlib() -> str | None:
    module = sys.modules.get("matplotlib")
    parameters = getattr(module, "rcParams", None)
    if not isinstance(parameters, dict):
        return None
    return _text(sorted(f"{key}={_plain(value)}" for key, value in dict.items(parameters) if key not in _BACKEND))


def _numpy() -> str | None:
    module = sys.modules.get("numpy")
    if module is None or not hasattr(module, "geterr"):
        return None
    return _text((sorted(module.geterr().items()), _plain(module.get_printoptions())))


def _sklearn() -> str | None:
    module = sys.modules.get("sklearn")
    return _plain(module.get_config()) if module is not None and hasattr(module, "get_config") else None


def _warnings() -> str:
    parts = []
    for action, message, category, module, line in list(warnings.filters):
        patterns = [getattr(pattern, "pattern", pattern) for pattern in (message, module)]
        parts.append(f"{action}|{patterns}|{category.__module__}.{category.__qualname__}|{line}")
    return _text(parts)


def _logging() -> str:
    root = logging.getLogger()
    levels = sorted(
        (name, logger.level)
        for name, logger in root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and logger.level != logging.NOTSET
    )
    handlers = [f"{type(handler).__qualname__}:{handler.level}" for handler in root.handlers]
    return _text((root.level, root.disabled, root.manager.disable, handlers, levels))


def _decimal() -> str | None:
    module = sys.modules.get("decimal")
    if module is None:
        return None
    context = module.getcontext()
    traps = sorted(signal.__name__ for signal, on in context.traps.items() if on)
    return _text((context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps))


def _locale() -> str:
    return _text(locale.setlocale(locale.LC_ALL))


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed under the notebook
        return ""


def _environ() -> str:
    return _text(sorted(os.environ.items()))


def _builtins() -> str:
    return _text(sorted((name, id(value)) for name, value in vars(builtins).items() if name not in _TRAPPED))


_TOKENS: dict[str, Callable[[], str | None]] = {
    "rng:py": _rng_py,
    "rng:np": _rng_np,
    "rng:torch": _rng_torch,
    "cfg:pandas": _pandas,
    "cfg:matplotlib": _matplotlib,
    "cfg:numpy": _numpy,
    "cfg:sklearn": _sklearn,
    "cfg:warnings": _warnings,
    "cfg:logging": _logging,
    "cfg:decimal": _decimal,
    "cfg:locale": _locale,
    "cfg:cwd": _cwd,
    "cfg:environ": _environ,
    "cfg:syspath": lambda: _text(sys.path),
    "cfg:recursion": lambda: str(sys.getrecursionlimit()),
    "cfg:builtins": _builtins,
}
_FIRST: dict[str, tuple[str, ...]] = {
    "numpy.random": ("rng:np",),
    "numpy": ("cfg:numpy",),
    "torch": ("rng:torch",),
    "pandas": ("cfg:pandas",),
    "matplotlib": ("cfg:matplotlib",),
    "sklearn": ("cfg:sklearn",),
}


class Tokens(importlib.abc.MetaPathFinder):
    """The digests of all tokens, as they were last seen; also the finder that sees a library's first state."""

    def __init__(self, project: str) -> None:
        self._project = project.rstrip(os.sep) + os.sep
        self._last: dict[str, str | None] = {}
        self._waiting = set(_FIRST)
        #: Tokens that could not be read, with why: said in the observation.
        self.problems: dict[str, str] = {}

    def start(self) -> None:
        self._last = self._read()
        sys.meta_path.insert(0, self)

    def changed(self) -> list[str]:
        """Tokens that differ from the last call, which becomes the new base."""
        now = self._read()
        names = [name for name in now if now[name] != self._last.get(name) and now[name] is not None]
        changed = [name for name in names if name in self._last]
        self._last = now
        return sorted(changed)

    def _read(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for name, read in _TOKENS.items():
            try:
                value = read()
            except Exception as error:  # a library in an odd state must not end the observation
                self.problems[name] = f"{type(error).__name__}: {error}"
                continue
            if value is not None or name in self._last:
                found[name] = value
        found.update(self._local_modules())
        return found

    def _local_modules(self) -> dict[str, str | None]:
        """Globals of the project's own modules: `settings.THRESHOLD = 3` is state too."""
        found: dict[str, str | None] = {}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) if type(module) is types.ModuleType else None
            if not isinstance(file, str) or not file.startswith(self._project):
                continue
            state = {
                key: value
                for key, value in vars(module).items()
                if not (key.startswith("__") and key.endswith("__")) and not isinstance(value, types.ModuleType)
            }
            found[f"cfg:{name}"] = _text(sorted((key, _plain(value)) for key, value in state.items()))
        return found

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in self._waiting:
            return None
        self._waiting.discard(fullname)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            run(module)
            for token in _FIRST[fullname]:
                try:
                    self._last[token] = _TOKENS[token]()
                except Exception as error:  # as in _read
                    self.problems[token] = f"{type(error).__name__}: {error}"

        spec.loader.exec_module = exec_module
        return spec
