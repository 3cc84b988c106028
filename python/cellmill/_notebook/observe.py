"""The observer inside the kernel: what each cell bound, changed, read and showed, as ObservedCell (notebook/observation.ts).

Stands outside the user's namespace and hooks IPython's own events. The analysis runs between cells, on request. Invariant:
values are only read; nothing a later cell could see is changed (tested by comparing with a run that watches only the end).
"""

from __future__ import annotations

import json
import pickle
import sys
import tempfile
import time
import types
import weakref
from typing import Any

from . import observe_values
from .capture import Captures
from .observe_audit import Audit
from .observe_display import Displays
from .observe_files import Files
from .observe_modules import Modules
from .observe_names import Reach, UserNames, alias_groups, is_cell_frame, reachable, shared_buffers, walk_value
from .observe_quiet import quiet
from .observe_shell import refuse_installs
from .observe_tokens import Tokens, generator_states

REQUEST = "cellmill_request"
REPLY = "cellmill_reply"


class Known:
    """What was last seen of one name. Holds no reference to the value, which would change when it is freed."""

    __slots__ = ("key", "ref", "digest", "problem", "size", "reach")

    def __init__(self, value: Any, digest: str | None, problem: str | None, size: int, reach: Reach) -> None:
        self.key = id(value)
        try:
            self.ref = weakref.ref(value)
        except TypeError:
            self.ref = None
        self.digest, self.problem, self.size, self.reach = digest, problem, size, reach

    def is_same_object(self, value: Any) -> bool:
        return self.key == id(value) and (self.ref is None or self.ref() is value)


class Observer:
    def __init__(self, config: dict[str, Any], app: Any) -> None:
        self._config = config
        self._app = app
        self._shell = app.shell
        self._instrumented = config["mode"] == "instrumented"
        self._namespace: dict[str, Any] = app.shell.user_ns
        self._names = UserNames(self._namespace, app.shell.user_ns_hidden)
        tools = config.get("toolsSitePackages")
        ignored = [*config["ignored"], config["folder"], config["codeRoot"], sys.prefix, sys.base_prefix, tools or ""]
        self.audit = Audit(self._namespace, config["project"], ignored, config["allowedHosts"])
        self._tokens = Tokens(config["project"])
        self._modules = Modules(tools)
        self._displays = Displays(app.shell)
        self._files = Files(config["project"]) if self._instrumented else None
        folder = config.get("captureFolder")
        limits = config["limits"]
        if not self._instrumented:
            folder = None
        self._captures = Captures(folder, limits["captureValueBytes"], limits["captureTotalBytes"]) if folder else None
        self._known: dict[str, Known] = {}
        self._groups: dict[str, int] = {}
        self._shares: dict[str, set[str]] = {}
        self._code: list[types.CodeType] = []
        self._started = 0.0
        self._is_first = True
        #: The cell that is running, as IPython knows it; `%%capture` and its kin run cells inside cells.
        self._running: Any = None
        self._cell: int | None = None
        self._ran: dict[str, Any] = {}

    def install(self) -> None:
        events = self._shell.events
        events.register("pre_run_cell", self._before)
        events.register("post_run_cell", self._after)
        self._app.kernel.shell_handlers[REQUEST] = self._handle
        self._displays.install()
        self._modules.start()
        if self._instrumented:
            self._record_code()
            self._tokens.start()
        refuse_installs(self._shell, lambda command: self.audit.note("process", f"{command} (not executed)"))
        self.audit.install()
        # The first file that IPython makes for a cell would look for a temporary folder inside the cell.
        tempfile.gettempdir()

    # -- around a cell -------------------------------------------------------------------------------------------

    def _record_code(self) -> None:
        """Keeps the code objects that IPython runs for the cell: compiling again would warn again."""
        run_code = self._shell.run_code

        def recorded(code_obj: Any, *args: Any, **options: Any) -> Any:
            self._code.append(code_obj)
            return run_code(code_obj, *args, **options)

        self._shell.run_code = recorded

    def _before(self, info: Any) -> None:
        cell = self._cell_index()
        if self._running is not None and cell == self._cell:
            return
        self._running, self._cell = info, cell
        self._code.clear()
        if self._is_first and self._instrumented:
            # The kernel's greeting draws from the global generator.
            self._tokens.changed()
            self._is_first = False
        if self._captures is not None and cell is not None:
            self._captures.before_cell(cell, generator_states(), time.time())
        self._ran = {"ok": False, "ms": 0.0, "line": None}
        self._started = time.perf_counter()
        if self._files is not None:
            self._files.before_cell()
        self.audit.active = True

    def _after(self, result: Any) -> None:
        if result is not None and result.info is not self._running:
            return
        self._running = None
        self.audit.active = False
        self._ran["ms"] = (time.perf_counter() - self._started) * 1000
        error = result.error_before_exec or result.error_in_exec if result is not None else None
        self._ran["ok"] = error is None and result is not None
        self._ran["line"] = self._error_line(error)
        self._modules.note_loaded()

    def _cell_index(self) -> int | None:
        kernel = self._app.kernel
        parent = kernel.get_parent("shell") if hasattr(kernel, "get_parent") else self._shell.parent_header
        index = parent.get("metadata", {}).get("cellmill", {}).get("cell") if isinstance(parent, dict) else None
        return index if isinstance(index, int) else None

    def _error_line(self, error: Any) -> int | None:
        if isinstance(error, SyntaxError) and not hasattr(error, "__traceback__"):
            return error.lineno
        trace = getattr(error, "__traceback__", None)
        line = None
        while trace is not None:
            if is_cell_frame(trace.tb_frame, self._namespace):
                line = trace.tb_lineno
            trace = trace.tb_next
        return error.lineno if line is None and isinstance(error, SyntaxError) else line

    # -- requests ------------------------------------------------------------------------------------------------

    def _handle(self, stream: Any, ident: Any, parent: Any) -> None:
        asked = parent["content"]
        try:
            with quiet():
                content = self._observe(asked["cell"]) if asked["op"] == "observe" else self._finish(asked)
        except Exception as error:  # reported to the one who asked: an observation that failed is no observation
            content = {"problem": f"{type(error).__name__}: {error}"}
        # As ASCII text: a name may hold what cannot be written as UTF-8, and then nothing would be answered.
        self._app.kernel.session.send(stream, REPLY, {"json": json.dumps(content)}, parent, ident=ident)

    def _observe(self, cell: int) -> dict[str, Any]:
        facts = {
            "ms": self._ran.get("ms", 0.0),
            "line": self._ran.get("line"),
            "events": self._events(),
            "figures": self._displays.take(),
            "openFigures": _open_figures(),
            "peakMemoryBytes": _peak_memory(),
        }
        if not self._instrumented:
            return facts
        # Before the values: reading them may import what writes Parquet.
        facts["changedTokens"] = self._tokens.changed()
        facts.update(self._changes(cell))
        self._modules.forget_loaded()
        return facts

    def _events(self) -> list[dict[str, Any]]:
        """Audit events, then what C libraries read and wrote without raising one."""
        events = self.audit.take()
        if self._files is None:
            return events
        seen = {(event["kind"], event["what"]) for event in events}
        for kind, path in self._files.after_cell():
            if (kind, path) not in seen and (kind == "open-write" or ("open-write", path) not in seen):
                events.append({"kind": kind, "what": path, "line": None})
        return events

    def _changes(self, cell: int) -> dict[str, Any]:
        current = self._names.current()
        # A cell that failed may have failed before it bound a name again.
        static = set(self._config["binds"].get(str(cell), ())) if self._ran.get("ok") else set()
        bound = [name for name, value in current.items() if self._is_bound(name, value) or name in static]
        deleted = [name for name in self._known if name not in current]
        for name in deleted:
            del self._known[name]
        candidates = self._candidates(current, bound)
        walks, changed = self._walk(current, candidates)
        mutated = [name for name in changed if name not in bound]
        self._group(current, walks, candidates)
        touched = sorted({*bound, *mutated})
        values = {name: self._value(name, current[name]) for name in touched}
        if self._captures is not None:
            self._capture(cell, current, values, deleted)
        return {
            "bound": sorted(bound),
            "mutated": sorted(mutated),
            "deleted": sorted(deleted),
            "values": list(values.values()),
        }

    def _is_bound(self, name: str, value: Any) -> bool:
        known = self._known.get(name)
        return known is None or not known.is_same_object(value)

    def _candidates(self, current: dict[str, Any], bound: list[str]) -> set[str]:
        """Names whose value may have changed: reachable from the code, and whatever shares state with those."""
        if self._config["full"]:
            return set(current)
        reaches = {name: known.reach for name, known in self._known.items()}
        found = reachable(self._code or None, current, reaches) | set(bound)
        pending = list(found)
        while pending:
            name = pending.pop()
            group = self._groups.get(name)
            others = {other for other, number in self._groups.items() if group is not None and number == group}
            for other in (others | self._shares.get(name, set())) - found:
                if other in current:
                    found.add(other)
                    pending.append(other)
        return found

    def _walk(self, current: dict[str, Any], names: set[str]) -> tuple[list[Any], list[str]]:
        """Encodes `names`; the walks stay alive until aliases are known, so that their ids stay their own."""
        walks, changed = [], []
        for name in sorted(names):
            before = self._known.get(name)
            walk, problem, size = walk_value(current[name])
            digest = walk.sink.hexdigest() if problem is None else None
            walks.append(walk)
            reach = Reach(current[name], walk, problem, self._namespace)
            self._known[name] = Known(current[name], digest, problem, size, reach)
            # What cannot be encoded, and could be reached, may have been changed.
            if before is None or before.digest != digest or digest is None:
                changed.append(name)
        return walks, changed

    def _group(self, current: dict[str, Any], walks: list[Any], fresh: set[str]) -> None:
        """Alias groups of all names. An id known from an earlier cell may belong to something newer since: where such a
        name seems to share with a fresh one, it is walked once more, while both are alive."""
        groups, shares = self._aliases(current)
        named = {name for group in groups if fresh.intersection(group) for name in group if name not in fresh}
        named |= {name for name, others in shares.items() if name not in fresh and fresh & others}
        for name in sorted(named):
            walk, problem, _ = walk_value(current[name])
            walks.append(walk)
            self._known[name].reach = Reach(current[name], walk, problem, self._namespace)
        if named:
            groups, shares = self._aliases(current)
        self._groups = {name: number for number, group in enumerate(groups) for name in group}
        self._shares = shares

    def _aliases(self, current: dict[str, Any]) -> tuple[list[list[str]], dict[str, set[str]]]:
        reaches = {name: self._known[name].reach for name in current if name in self._known}
        return alias_groups(reaches), shared_buffers(reaches)

    def _value(self, name: str, value: Any) -> dict[str, Any]:
        known = self._known[name]
        kind, because = observe_values.kind_of(value, known.problem, known.size, known.reach.streams or _cannot_be_kept(value, known.problem))
        group = self._groups.get(name)
        shares = {other for other in self._shares.get(name, ()) if group is None or self._groups.get(other) != group}
        return {
            "name": name,
            "type": observe_values.type_name(value),
            "digest": known.digest,
            "problem": known.problem,
            "kind": kind,
            "kindBecause": because,
            "aliasGroup": group,
            "sharesBufferWith": sorted(shares),
            "sizeBytes": known.size,
            "shape": observe_values.shape_of(value),
            "definedHere": observe_values.is_defined_here(value, self._namespace),
            "holdsDefinitions": list(known.reach.definitions),
        }

    def _capture(self, cell: int, current: dict[str, Any], values: dict[str, dict], deleted: list[str]) -> None:
        numbers = {self._groups[name] for name in values if name in self._groups}
        groups = {
            number: {name: current[name] for name, other in self._groups.items() if other == number and name in current}
            for number in sorted(numbers)
        }
        facts = {
            name: {"digest": fact["digest"], "kind": fact["kind"], "problem": fact["problem"], "group": fact["aliasGroup"]}
            for name, fact in values.items()
        }
        self._captures.deleted(sorted(deleted))
        problems = {
            number: {name: why for name in members if (why := self._why_not_kept(name)) is not None}
            for number, members in groups.items()
        }
        self._captures.after_cell(cell, {name: current[name] for name in values}, facts, groups, problems)
        self._captures.save()

    def _why_not_kept(self, name: str) -> str | None:
        known = self._known[name]
        return "it can be read only once" if known.reach.streams else known.problem

    def _finish(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Everything once more: a difference that no cell was seen to make is `unclaimed`."""
        current = self._names.current()
        before = {name: known.digest for name, known in self._known.items()}
        distributions = self._modules.distributions(asked.get("imports", []))
        walks, changed = self._walk(current, set(current))
        self._group(current, walks, set(current))
        unclaimed = [name for name in changed if self._known[name].digest not in (None, before.get(name))]
        return {
            "values": [self._value(name, value) for name, value in sorted(current.items())],
            "unclaimed": sorted(unclaimed) if self._instrumented else [],
            "distributions": distributions,
            "python": sys.version.split()[0],
            "problems": self._problems(),
            "clock": self._config["clock"],
        }


    def _problems(self) -> list[str]:
        """What this run could not watch."""
        tokens = [f"{token} could not be read: {why}" for token, why in sorted(self._tokens.problems.items())]
        return tokens + (self._files.problems if self._files is not None else [])


_WINDOWS = (memoryview, type({}.keys()), type({}.values()), type({}.items()))
"""Known by what is seen through them, and bound to what they look at."""


def _cannot_be_kept(value: Any, problem: str | None) -> bool:
    if problem is None:
        return type(value) in _WINDOWS
    if "only once" in problem:
        return True
    try:
        pickle.dumps(value, 5)
    except BaseException:  # any refusal means the same, of the value or of a part of it
        return True
    return False


def _open_figures() -> int:
    module = sys.modules.get("matplotlib._pylab_helpers")
    return len(module.Gcf.figs) if module is not None and hasattr(module, "Gcf") else 0


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
