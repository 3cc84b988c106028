"""One attempt of one Python step, from `work.json` to `outputs/result.json`, in this process.

`result.json` (a StepReport of runtimes/runtime.ts) is written last and atomically; a failure leaves `error.json` instead.
Nothing of the author's runs before the generators, the working directory and the watch are set.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import sys
import time
import types
import warnings
from .._types import Any

from .._authoring import param
from . import cells, check_verdict, project_code, read_inputs, record_locals
from .contract import ContractError
from .figures import Figures
from .randomness import Generators
from .report_parts import Shown
from .watch import Watch
from .write_outputs import Outputs

#: Monotonic clock before it is watched.
_now = time.perf_counter


class Step:
    def __init__(self, folder: str) -> None:
        with open(os.path.join(folder, "work.json"), encoding="utf-8") as stream:
            self.work: dict[str, Any] = json.load(stream)
        self.definition: dict[str, Any] = self.work["definition"]
        self.outputs = os.path.join(folder, "outputs")
        self.work_folder = os.path.join(folder, "work")
        self.code_root: str = self.work["codeRoot"]
        self.cells = cells.CellMap(self.work["lines"])
        self.warnings: list[str] = []
        self.inputs: dict[str, tuple[str, Any]] = {}
        readable = [given["folder"] for given in self.work["inputs"]]
        readable += [
            folder,
            sys.prefix,
            sys.base_prefix,
            os.path.dirname(os.path.dirname(__file__)),
            os.environ.get("TMPDIR", "/tmp"),
        ]
        self.watch = Watch(self.code_root, readable + self.work.get("readable", []), set(os.environ))
        fresh = self.definition["options"]["random"] == "fresh"
        self.generators = Generators(None if fresh else self.work["seed"])
        self.shown: Shown | None = None
        self.user_ms = 0.0
        #: Proofs: the function's variables at its return.
        self.locals: dict[str, Any] = {}
        #: Of the step's function, where its variables are to be recorded.
        self.code: types.CodeType | None = None

    @property
    def _is_report(self) -> bool:
        return bool(self.definition["kind"] == "report")

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """The StepReport. Whatever the author's code raises comes through."""
        os.chdir(self.work_folder)
        finder = project_code.prepare(self.code_root, self.definition["file"])
        self._collect_warnings()
        self.generators.start(finder)
        if self._is_report or self.work.get("recordLocals"):
            self.shown = Shown(os.path.join(self.outputs, "0.report" if self._is_report else "shown.report"))
            self.shown.start(finder)
        figures = Figures(self.shown.add_figure if self.shown is not None else None)
        figures.start(finder)
        param.provide(self.work["projectParameters"])
        finder.after_import("numpy.random", self._start_numpy)
        finder.after_import("duckdb", self._start_duckdb)
        self.watch.start()
        started = _now()
        module = project_code.import_module(self.code_root, self.definition["file"])
        function = self._function(module)
        self._run_setups(module)
        self.user_ms = (_now() - started) * 1000
        arguments = self._read_inputs()
        parameters = self._parameters(function)
        if self.work["randomState"] is not None:
            self.generators.restore(self.work["randomState"])
        started = _now()
        try:
            value = self._call(function, arguments, parameters, figures)
            if self.shown is not None and self._is_report:
                self.shown.add_returned(value)
            figures.end_all()
        except AssertionError as error:
            if self.definition["kind"] != "check":
                raise
            value = (False, str(error) or f"an assertion of {self.definition['symbol']} failed")
        finally:
            self.user_ms += (_now() - started) * 1000
        state, drew = self.generators.finish(self.outputs)
        self._find_clock_reads(function)
        self.watch.active = False
        return self._report(value, state, drew)

    def _start_numpy(self, module: Any) -> None:
        self.generators.start_numpy(module)
        self.watch.watch_numpy(module)

    def _start_duckdb(self, module: Any) -> None:
        """As many threads as declared: with two, floating-point sums differ from run to run. No variable sets this."""
        threads, connect = self.definition["options"].get("threads", 1), module.connect

        @functools.wraps(connect)
        def connect_with_threads(
            database: Any = ":memory:", read_only: bool = False, config: Any = None, **more: Any
        ) -> Any:
            return connect(database, read_only, {"threads": threads, **(config or {})}, **more)

        module.connect = connect_with_threads
        module.default_connection().execute(f"SET threads = {int(threads)}")

    def _function(self, module: types.ModuleType) -> Any:
        function = getattr(module, self.definition["symbol"], None)
        if not callable(function):
            raise ContractError(f"{self.definition['file']} has no function '{self.definition['symbol']}'")
        return function

    def _run_setups(self, module: types.ModuleType) -> None:
        for value in list(vars(module).values()):
            declaration = getattr(value, "__cellmill__", None)
            if getattr(declaration, "kind", None) == "setup" and getattr(value, "__module__", None) == module.__name__:
                value()

    def _read_inputs(self) -> list[Any]:
        values = []
        for given in self.work["inputs"]:
            value = read_inputs.read_input(given, self.work_folder)
            self.inputs[given["argument"]] = (read_inputs.describe(given["argument"], value), value)
            values.append(value)
        return values

    def _parameters(self, function: Any) -> dict[str, Any]:
        """Keyword-only arguments by their declared types; `run_time` is the run's logical time."""
        types_of = {entry["name"]: entry["type"] for entry in self.definition["parameters"]}
        given = dict(self.work["parameters"])
        plain = _unwrapped(function)
        if given.get("run_time") is None and "run_time" in _keyword_only(plain):
            given["run_time"] = self.work["runTime"]
            types_of["run_time"] = (
                "str" if getattr(plain, "__annotations__", {}).get("run_time") in (str, "str") else "datetime"
            )
        return {name: _typed(value, types_of.get(name)) for name, value in given.items()}

    def _call(self, function: Any, arguments: list[Any], parameters: dict[str, Any], figures: Figures) -> Any:
        named = dict(zip((given["argument"] for given in self.work["inputs"]), arguments, strict=True))

        def call() -> Any:
            value = function(**named, **parameters)
            return _awaited(value) if isinstance(value, types.CoroutineType) else value

        code = getattr(_unwrapped(function), "__code__", None)
        if self.work.get("recordLocals") and code is not None:
            self.code = code
            return record_locals.call_recording(lambda: self._call_by_cells(call, code, figures), code, self.locals)
        return self._call_by_cells(call, code, figures)

    def _call_by_cells(self, call: Any, code: types.CodeType | None, figures: Figures) -> Any:
        origin = self.cells.of_function(self.definition["file"], code) if code is not None else {}
        follows = self.shown is not None or "matplotlib.pyplot" in sys.modules
        if code is None or not origin or not follows:
            return call()

        def entered(cell: int) -> None:
            figures.end_all()
            if self.shown is not None:
                self.shown.end_text()
                self.shown.cell = cell

        return cells.call_by_cells(call, code, origin, entered)

    # -- reporting -------------------------------------------------------------------------------------------------

    def _report(self, value: Any, state: str | None, drew: bool) -> dict[str, Any]:
        # Before the outputs are written: a codec may change what they refer to.
        recorded = record_locals.digests(self.locals, self.code) if self.code is not None else None
        record_locals.keep(self.locals, self.work.get("keepLocals") or (), self.outputs)
        kind, verdict, outputs = self.definition["kind"], None, []
        if kind == "check":
            verdict, outputs = check_verdict.judge(value, self.definition["symbol"], self.outputs)
        elif kind == "report":
            outputs = [self._shown_output()]
        elif kind == "asset":
            if self.shown is not None:
                self.shown.finish()
            writer = Outputs(self.definition, self.outputs)
            outputs = writer.write(value)
            self.warnings += writer.warnings
        return {
            "outputs": outputs,
            "check": verdict,
            "undeclared": self.watch.found(),
            "randomState": state,
            "drewRandom": drew,
            "warnings": self.warnings,
            "userMs": round(self.user_ms, 3),
            "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            **({} if recorded is None else {"locals": recorded}),
        }

    def _shown_output(self) -> dict[str, Any]:
        assert self.shown is not None
        summary = self.shown.finish()
        if summary["parts"] == 0:
            self.warnings.append(f"{self.definition['symbol']} showed nothing: no text, figure or returned value")
        output = self.definition["outputs"][0]["output"] if self.definition["outputs"] else ""
        return {
            "output": output,
            "kind": "report",
            "codec": "report",
            "entry": "0.report",
            "rows": None,
            "summary": summary,
        }

    def _collect_warnings(self) -> None:
        print_warning = warnings.showwarning

        def showwarning(
            message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None
        ) -> None:
            if len(self.warnings) < 100:
                place = filename.removeprefix(self.code_root.rstrip(os.sep) + os.sep)
                self.warnings.append(f"{place}:{lineno}: {category.__name__}: {str(message)[:500]}")
            print_warning(message, category, filename, lineno, file, line)

        warnings.showwarning = showwarning

    def _find_clock_reads(self, function: Any) -> None:
        plain = _unwrapped(function)
        if "datetime" in sys.modules and isinstance(plain, types.FunctionType):
            from . import clock_reads

            for what, where in clock_reads.clock_reads(plain, self.code_root):
                self.watch.note_clock(what, where)

    def failed(self, error: BaseException) -> None:
        """Prints the traceback for the log and leaves `error.json`."""
        self.watch.active = False
        # A module of the project may be called like one of the standard library that is first needed here.
        sys.path[:] = [path for path in sys.path if not path.startswith(self.code_root)]
        from . import failure, hints

        failures = failure.Failures(self.code_root, self.cells)
        try:
            failures.print(error)
        except (OSError, ValueError):
            pass  # a closed stderr: the failure itself is told below
        options = self.definition["options"]
        facts = hints.StepFacts(
            self.definition["symbol"], self.code_root, bool(options["network"]), self.watch.hosts, options["secrets"]
        )
        try:
            told = failures.describe(error, self.inputs, facts)
        except Exception:  # values that break when they are looked at must not hide what went wrong
            told = {
                "kind": "exception",
                "type": type(error).__name__,
                "message": "",
                "frames": [],
                "inputs": [],
                "hint": None,
            }
        told = {"error": told, "undeclared": self.watch.found()}
        _write(os.path.join(self.outputs, "error.json"), told)


def _typed(value: Any, kind: str | None) -> Any:
    if value is None:
        return None
    if kind == "date":
        import datetime

        return datetime.date.fromisoformat(value)
    if kind == "datetime":
        return param.parse_datetime(value)
    if kind == "float" and type(value) is int:
        return float(value)
    return value


def _unwrapped(function: Any) -> Any:
    """The author's own function below decorators that name what they wrap."""
    for _ in range(100):
        if not hasattr(function, "__wrapped__"):
            break
        function = function.__wrapped__
    return function


def _keyword_only(function: Any) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return () if code is None else code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def _awaited(value: Any) -> Any:
    import asyncio

    return asyncio.run(value)


def _write(path: str, value: dict[str, Any]) -> None:
    text = json.dumps(value, allow_nan=False)
    with open(path + ".tmp", "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)
    os.replace(path + ".tmp", path)


def main(folder: str) -> None:
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    step = Step(os.path.abspath(folder))
    code = 0
    try:
        _write(os.path.join(step.outputs, "result.json"), step.run())
    except BaseException as error:  # the one boundary: whatever user code raises, SystemExit too
        step.failed(error)
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # closed by user code: there is nothing left to say on it
    # The result is on disk: threads that are still alive, and exit handlers, have no say in it.
    os._exit(code)
