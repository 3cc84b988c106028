"""Runs notebooks and the modules made from them side by side, for tests. JSON on stdin and stdout.

`facts` gives the facts of many notebooks; `compare` executes cells top to bottom, then the module's functions in order,
each in a fresh module, with inputs that went through pickle and generators seeded anew: what a process of its own sees.
"""

import ast
import builtins
import contextlib
import io
import json
import os
import pickle
import random
import sys
import tempfile
import traceback
import types
import warnings

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[".."] * 6))
sys.path.insert(0, os.path.join(ROOT, "python"))
warnings.simplefilter("ignore")
os.environ["MPLBACKEND"] = "agg"


def facts(cases):
    from cellmill._notebook.facts import notebook_facts

    return [notebook_facts(case["cells"]) for case in cases]


def seed(value):
    random.seed(value)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(value)


def generator_state():
    states = [random.getstate()]
    if "numpy" in sys.modules:
        states.append(sys.modules["numpy"].random.get_state())
    return states


def restore(states):
    random.setstate(states[0])
    if len(states) > 1:
        sys.modules["numpy"].random.set_state(states[1])


def show(value):
    inner = value[0] if isinstance(value, (list, tuple)) and value else value
    if value is not None and not type(inner).__module__.startswith("matplotlib"):
        print("SHOWN", type(value).__name__, repr(value))


def run_cell(text, namespace):
    tree = ast.parse(text)
    last = tree.body[-1] if tree.body else None
    shows = isinstance(last, ast.Expr) and not text.rstrip().endswith(";")
    body = tree.body[:-1] if shows else tree.body
    exec(compile(ast.Module(body, []), "<cell>", "exec"), namespace)
    if shows:
        show(eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace))
    close_figures()


def close_figures():
    """As ipykernel's inline backend does at the end of each cell."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def frozen(value):
    try:
        return value, pickle.dumps(value)
    except Exception:
        return value, None


def run_notebook(case):
    namespace = types.ModuleType("__main__").__dict__
    main = types.ModuleType("__main__")
    namespace = main.__dict__
    namespace["display"] = show
    saved = sys.modules["__main__"]
    sys.modules["__main__"] = main
    snapshots, out = {}, io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            for cell in case["execution"]:
                run_cell(case["texts"][str(cell)], namespace)
                snapshots[cell] = {name: copy_of(value) for name, value in namespace.items() if not name.startswith("__")}
    finally:
        sys.modules["__main__"] = saved
    return snapshots, out.getvalue()


def copy_of(value):
    if isinstance(value, (types.ModuleType, types.FunctionType, type)):
        return value
    try:
        return pickle.loads(pickle.dumps(value))
    except Exception:
        return value


def fresh_module(text, name):
    module = types.ModuleType(name)
    module.__file__ = name + ".py"
    sys.modules[name] = module
    exec(compile(text, name + ".py", "exec"), module.__dict__)
    import IPython.display  # the module's own name for it, when it has one

    if "display" in module.__dict__:
        module.__dict__["display"] = show
    for value in list(module.__dict__.values()):
        declared = getattr(value, "__cellmill__", None)
        if declared is not None and declared.kind == "setup":
            value()
    return module


def run_step(step, module, arguments):
    """The result and the function's locals when it returned."""
    function = module.__dict__[step["name"]]
    found = {}

    def profile(frame, event, _argument):
        if event == "return" and frame.f_code is function.__code__:
            found.update(frame.f_locals)

    sys.setprofile(profile)
    try:
        result = function(*arguments)
    finally:
        sys.setprofile(None)
    return result, found


def run_pipeline(case):
    assets, states, out, local = {}, {}, io.StringIO(), []
    modules = case["modules"]
    with contextlib.redirect_stdout(out):
        for number, step in enumerate(case["steps"]):
            module = fresh_module(modules[step["file"]], "graduated_module")
            seed(1000 + number)
            if step["afterRandom"] is not None:
                restore(states[step["afterRandom"]])
            arguments = []
            for given in step["inputs"]:
                if given["source"] is not None:
                    arguments.append(case["sources"][given["source"]])
                else:
                    arguments.append(pickle.loads(assets[given["asset"]]))
            result, found = run_step(step, module, arguments)
            local.append(found)
            close_figures()
            outputs = step["outputs"]
            values = [result] if len(outputs) == 1 else list(result) if outputs else []
            assert len(values) == len(outputs), step["name"]
            for output, value in zip(outputs, values):
                assets[output["asset"]] = pickle.dumps(value)
                states[output["asset"]] = generator_state()
    return assets, local, out.getvalue()


def same(a, b, depth=0):
    if depth > 20:
        return True
    module = type(a).__module__.split(".")[0]
    if isinstance(a, (types.ModuleType, types.FunctionType, type)):
        return type(a) is type(b) and getattr(a, "__name__", "") == getattr(b, "__name__", "")
    if type(a).__name__ != type(b).__name__:
        return False
    if module == "pandas":
        import pandas

        try:
            if isinstance(a, pandas.DataFrame):
                pandas.testing.assert_frame_equal(a, b, check_exact=True)
            elif isinstance(a, pandas.Series):
                pandas.testing.assert_series_equal(a, b, check_exact=True)
            else:
                return repr(a) == repr(b) or " at 0x" in repr(a)
            return True
        except AssertionError:
            return False
    if module == "matplotlib":
        return True
    if module == "numpy" and hasattr(a, "dtype"):
        import numpy

        if a.dtype == object:
            return a.shape == b.shape and same(a.tolist(), b.tolist(), depth + 1)
        return a.dtype == b.dtype and a.shape == b.shape and bool(numpy.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if type(a).__name__ in ("Generator", "RandomState"):
        return pickle.dumps(a) == pickle.dumps(b)
    if isinstance(a, dict):
        return list(map(repr, a)) == list(map(repr, b)) and all(same(x, y, depth + 1) for x, y in zip(a.values(), b.values()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, depth + 1) for x, y in zip(a, b))
    if hasattr(a, "__dict__") and type(a).__module__ in ("__main__", "graduated_module"):
        return same(vars(a), vars(b), depth + 1)
    if isinstance(a, float):
        return a == b or (a != a and b != b)
    try:
        if a == b:
            return True
    except Exception:
        pass
    return repr(a) == repr(b) if " at 0x" not in repr(a) else True


def compare(case):
    start = os.getcwd()
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    try:
        for path, text in case["files"].items():
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "w") as stream:
                stream.write(text)
        seed(case["seed"])
        try:
            snapshots, shown = run_notebook(case)
        except BaseException as error:  # noqa: BLE001
            return {"state": "notebook-fails", "detail": repr(error)}
        try:
            assets, local, printed = run_pipeline(case)
        except BaseException:  # noqa: BLE001
            return {"state": "pipeline-fails", "detail": traceback.format_exc()[-1500:]}
        wrong = []
        for step, found in zip(case["steps"], local):
            for output in step["outputs"]:
                for variable in output["variables"]:
                    want = snapshots[output["afterCell"]].get(variable)
                    got = pickle.loads(assets[output["asset"]])
                    if not same(want, got):
                        wrong.append([variable, repr(want)[:200], repr(got)[:200]])
            for variable in step["locals"]:
                want = snapshots[case["execution"][-1]]
                if variable in want and variable in found and not same(want[variable], found[variable]):
                    wrong.append([variable + " (local)", repr(want[variable])[:200], repr(found[variable])[:200]])
        if sorted(shown.splitlines()) != sorted(printed.splitlines()):
            wrong.append(["output", shown[-400:], printed[-400:]])
        return {"state": "different" if wrong else "same", "detail": wrong}
    finally:
        os.chdir(start)


MUTABLE = (list, dict, set, bytearray)


def reach(value, found, depth=0):
    """Ids of mutable objects and buffers that a value holds."""
    if depth > 6 or isinstance(value, (str, bytes, int, float, bool, type(None), types.ModuleType, types.FunctionType, type)):
        return found
    module = type(value).__module__.split(".")[0]
    if id(value) in found:
        return found
    if module == "numpy" and hasattr(value, "dtype") and hasattr(value, "base"):
        while isinstance(value.base, type(value)):
            value = value.base
        found.add(id(value))
        return found
    if not isinstance(value, tuple):
        found.add(id(value))
    if module == "pandas" and hasattr(value, "_mgr"):
        for block in value._mgr.blocks:
            reach(block.values, found, depth + 1)
        return found
    if isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = list(value)
    else:
        parts = list(getattr(value, "__dict__", {}).values())
    for part in parts[:1000]:
        reach(part, found, depth + 1)
    return found


def full_type(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def observed_value(name, value, names, groups):
    _, data = frozen(value)
    kind = "module" if isinstance(value, types.ModuleType) else "class" if isinstance(value, type) else "function" if isinstance(value, types.FunctionType) else "object" if data is not None else "unserialisable"
    if kind == "object" and iter_only(value):
        kind = "unserialisable"
    if type(value).__name__ == "DataFrame":
        import pandas

        plain = isinstance(value.index, pandas.RangeIndex) and all(isinstance(column, str) for column in value.columns)
        kind = "table" if plain else "object"
    return {
        "name": name, "type": full_type(value), "digest": None, "problem": None, "kind": kind, "kindBecause": "", "aliasGroup": groups.get(name),
        "sharesBufferWith": [], "sizeBytes": 0, "shape": "", "definedHere": (getattr(value, "__module__", "") if isinstance(value, (type, types.FunctionType)) else type(value).__module__) == "__main__",
    }


def iter_only(value):
    return hasattr(value, "__next__")


def alias_groups(user):
    reached = {name: reach(value, set()) for name, value in user.items()}
    groups, number = {}, 0
    for name in reached:
        mates = [other for other in reached if other != name and reached[name] & reached[other]]
        if mates and name not in groups:
            number += 1
            pending = [name]
            while pending:
                one = pending.pop()
                if one in groups:
                    continue
                groups[one] = number
                pending += [other for other in reached if other != one and reached[one] & reached[other]]
    return groups


def observe(case):
    start = os.getcwd()
    os.chdir(tempfile.mkdtemp())
    for path, text in case["files"].items():
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w") as stream:
            stream.write(text)
    main = types.ModuleType("__main__")
    namespace = main.__dict__
    namespace["display"] = show
    saved = sys.modules["__main__"]
    sys.modules["__main__"] = main
    seed(case["seed"])
    cells = []
    try:
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            for cell in case["execution"]:
                at = shown.tell()
                before = {name: (id(value), frozen(value)) for name, value in namespace.items()}
                state, error = "ok", None
                try:
                    run_cell(case["texts"][str(cell)], namespace)
                except BaseException as problem:  # noqa: BLE001
                    state, error = "error", {"name": type(problem).__name__, "value": str(problem), "line": None}
                user = {name: value for name, value in namespace.items() if not name.startswith("__") and name != "display"}
                groups = alias_groups(user)
                bound = [name for name, value in user.items() if name not in before or before[name][0] != id(value)]
                changed = [name for name, value in user.items() if name not in bound and before[name][1][1] != frozen(value)[1]]
                gone = [name for name in before if name not in namespace]
                cells.append({
                    "index": cell, "ms": 1, "state": state, "error": error, "bound": bound, "mutated": changed, "deleted": gone, "outputs": [{"kind": "text", "mime": "text/plain", "digest": "", "preview": ""}] if "SHOWN " in shown.getvalue()[at:] else [], "events": [], "changedTokens": [], "openFigures": 0,
                    "values": [observed_value(name, user[name], user, groups) for name in bound + changed],
                })
                if state == "error":
                    break
    finally:
        sys.modules["__main__"] = saved
        os.chdir(start)
    return {"order": case["execution"], "cells": cells, "final": [], "distributions": {}, "python": "3.11", "ms": 1}


MODES = {"facts": facts, "compare": lambda cases: [compare(case) for case in cases], "observe": lambda cases: [observe(case) for case in cases]}


def main():
    request = json.load(sys.stdin)
    out = sys.stdout
    sys.stdout = io.StringIO()
    answer = MODES[request["mode"]](request["cases"])
    json.dump(answer, out)


main()
