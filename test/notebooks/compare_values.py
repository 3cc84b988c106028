"""What a notebook's variables hold after its cells in plain IPython, against what a pipeline stored. Knows nothing of
Cellmill: values are compared by pandas' and numpy's own testing functions, by type and `==`, and by pickled state.

A request as JSON on stdin; `{"compared": [...], "differences": [...]}` on stdout. The notebook runs twice, in processes of
its own with another hash seed: what differs between the two is not compared.
"""

import io
import json
import math
import os
import pickle
import subprocess
import sys
import tempfile

NOT_HELD = "<not held>"


# -- the notebook -------------------------------------------------------------------------------------------------


def run_notebook(request, target):
    """Runs in a process of its own: copies of all values after each cell, as one pickle."""
    import matplotlib

    matplotlib.use("agg")
    from IPython.core.interactiveshell import InteractiveShell

    sys.path.insert(0, "")
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    sys.modules["__main__"].__dict__.setdefault("__builtins__", __builtins__)
    namespace = shell.user_ns
    shell.register_magic_function(lambda line: run_file(shell, line.strip()), "line", "run")
    hidden = set(namespace)
    after = {}
    real = sys.stdout
    sys.stdout = io.StringIO()
    try:
        for cell in request["order"]:
            # The backend of this process stays agg.
            source = "\n".join(line for line in request["cells"][cell].split("\n") if not line.startswith("%matplotlib"))
            result = shell.run_cell(source, store_history=True)
            after[cell] = {"error": None if result.success else repr(result.error_in_exec or result.error_before_exec)}
            names = [name for name in namespace if name not in hidden and not name.startswith("_")]
            after[cell]["values"] = {name: kept(namespace[name]) for name in names}
    finally:
        sys.stdout = real
    import cloudpickle

    with open(target, "wb") as stream:
        cloudpickle.dump(after, stream)


def run_file(shell, name):
    """`%run` as IPython does it, which for notebooks needs a package more than the project has."""
    if not name.endswith(".ipynb"):
        from IPython.core.magics.execution import ExecutionMagics

        return ExecutionMagics(shell).run(name)
    with open(name, encoding="utf-8") as stream:
        for cell in json.load(stream)["cells"]:
            if cell["cell_type"] == "code":
                shell.run_cell(cell["source"], silent=True)


def kept(value):
    import cloudpickle

    try:
        return cloudpickle.dumps(value)
    except Exception as error:  # generators, connections
        return f"{NOT_HELD} {error}"


def notebook_values(request, seed):
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in request["files"].items():
            path = os.path.join(scratch, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
        folder = os.path.join(scratch, request["folder"])
        os.makedirs(folder, exist_ok=True)
        target = os.path.join(scratch, "values.pickle-of-test")
        environment = {**os.environ, "PYTHONHASHSEED": seed, "MPLBACKEND": "agg", "IPYTHONDIR": os.path.join(scratch, ".ipython")}
        done = subprocess.run(
            [sys.executable, os.path.abspath(__file__), "notebook", target],
            input=json.dumps(request),
            text=True,
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=300,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-3000:])
        with open(target, "rb") as stream:
            return pickle.load(stream)


# -- the stored values --------------------------------------------------------------------------------------------


def stored_value(stored):
    if stored["codec"] == "parquet":
        import pandas as pd

        return pd.read_parquet(stored["files"][0])
    with open(stored["files"][0], "rb") as stream:
        return pickle.load(stream)


def members(stored, value):
    names = stored["variables"]
    if len(names) == 1:
        return {names[0]: value}
    return {name: value[name] for name in names} if isinstance(value, dict) else dict(zip(names, value, strict=True))


# -- the comparison -----------------------------------------------------------------------------------------------


def difference(a, b, depth=0):
    """In words; '' when later code could not tell them apart, as far as this looks."""
    if depth > 30:
        return ""
    if type_name(a) != type_name(b):
        return f"{type_name(a)} against {type_name(b)}"
    root = type(a).__module__.partition(".")[0]
    if root in ("pandas", "numpy"):
        found = of_arrays(a, b, depth)
        if found is not None:
            return found
    if isinstance(a, float):
        return "" if (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b)) else f"{a!r} against {b!r}"
    if isinstance(a, (int, str, bytes, bool, complex, type(None))):
        return "" if a == b else f"{short(a)} against {short(b)}"
    if isinstance(a, dict):
        if list(map(repr, a)) != list(map(repr, b)):
            return f"keys {short(list(a))} against {short(list(b))}"
        return first(f"[{short(k)}] " + d for k, d in ((k, difference(v, w, depth + 1)) for (k, v), w in zip(a.items(), b.values())) if d)
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{len(a)} items against {len(b)}"
        return first(f"[{i}] " + d for i, d in ((i, difference(v, w, depth + 1)) for i, (v, w) in enumerate(zip(a, b))) if d)
    if isinstance(a, (set, frozenset)):
        return "" if sorted(map(repr, a)) == sorted(map(repr, b)) else f"{short(a)} against {short(b)}"
    if callable(a) and hasattr(a, "__code__"):
        return "" if a.__code__.co_code == b.__code__.co_code else "other code"
    if isinstance(a, type) or type(a).__name__ == "builtin_function_or_method":
        return "" if a.__qualname__ == b.__qualname__ else f"{short(a)} against {short(b)}"
    state_a, state_b = state(a), state(b)
    if state_a is None:
        return "" if repr(a) == repr(b) or " at 0x" in repr(a) else f"{short(a)} against {short(b)}"
    return difference(state_a, state_b, depth + 1)


def of_arrays(a, b, depth):
    import numpy as np
    import pandas as pd

    try:
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b, check_exact=True, check_freq=True, check_flags=True)
            found = difference(list(a.columns), list(b.columns), depth + 1)
            for position in range(a.shape[1]):
                if not found and a.dtypes.iloc[position] == object:
                    found = difference(list(a.iloc[:, position]), list(b.iloc[:, position]), depth + 1)
            return found or difference(dict(a.attrs), dict(b.attrs), depth + 1)
        if isinstance(a, pd.Series):
            pd.testing.assert_series_equal(a, b, check_exact=True)
            return difference(list(a), list(b), depth + 1) if a.dtype == object else ""
        if isinstance(a, pd.Index):
            pd.testing.assert_index_equal(a, b, exact=True, check_exact=True)
            return ""
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or a.shape != b.shape:
                return f"{a.dtype}{a.shape} against {b.dtype}{b.shape}"
            if a.dtype == object:
                return difference(a.ravel().tolist(), b.ravel().tolist(), depth + 1)
            np.testing.assert_array_equal(a, b)
            return "" if a.flags.writeable == b.flags.writeable else "one is read-only"
        if isinstance(a, np.generic):
            same = a.dtype == b.dtype and (a == b or (a != a and b != b))
            return "" if same else f"{a!r} against {b!r}"
    except AssertionError as error:
        return str(error)[:400]
    return None


def state(value):
    found = {}
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot):
                found[slot] = getattr(value, slot)
    found.update(getattr(value, "__dict__", {}))
    if not found:
        try:
            reduced = value.__reduce_ex__(2)
        except Exception:
            return None
        return None if isinstance(reduced, str) else [part for part in reduced[1:3]]
    return dict(sorted(found.items()))


def type_name(value):
    kind = type(value)
    # The notebook's own classes live in the module that was written.
    module = "" if kind.__module__ in MAIN else kind.__module__
    return f"{module}.{kind.__qualname__}"


MAIN = {"__main__"}


def short(value):
    text = repr(value)
    return text if len(text) < 120 else text[:120] + "..."


def first(texts):
    return next(iter(texts), "")


def main():
    request = json.load(sys.stdin)
    if len(sys.argv) > 1:
        return run_notebook(request, sys.argv[2])
    one, two = notebook_values(request, "1"), notebook_values(request, "2")
    for module in request["modules"]:
        sys.path[:0] = [request["root"], os.path.join(request["root"], os.path.dirname(module))]
        MAIN.update({os.path.basename(module)[:-3], module[:-3].replace("/", ".")})
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
    os.chdir(request["root"])
    compared, differences = [], []
    for stored in request["stored"]:
        held = members(stored, stored_value(stored))
        for name, value in held.items():
            key = stored["afterCell"]
            wanted, again = (values[key]["values"].get(name, NOT_HELD) for values in (one, two))
            if isinstance(wanted, str) or isinstance(again, str):
                differences.append(f"{stored['asset']}.{name}: the notebook has no such value after cell {key}: {wanted}")
                continue
            wanted, again = pickle.loads(wanted), pickle.loads(again)
            if difference(wanted, again):
                continue
            compared.append(name)
            found = difference(wanted, value)
            if found:
                differences.append(f"{stored['asset']}.{name}: {found}")
    json.dump({"compared": compared, "differences": differences}, sys.stdout)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # Threads that DuckDB still has abort an interpreter that is taken down around them.
    os._exit(0)
