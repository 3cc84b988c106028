"""Numbers come back in the order in memory that they had, so that what is computed from them rounds the same."""

import io
import pickle

import numpy as np
import pandas as pd
import pytest

from cellmill._runner.memory_layout import frame_layout, pickler
from cellmill._runner.table_codec import read_table, write_table

RNG = np.random.default_rng(5)
ROWS = RNG.normal(size=(60, 3))


def with_column(frame):
    frame["y"] = 1.5
    frame["n"] = 1
    return frame


FRAMES = {
    "rows of one array": pd.DataFrame(ROWS, columns=list("abc")),
    "columns": pd.DataFrame({"a": ROWS[:, 0].copy(), "b": ROWS[:, 1].copy()}),
    "rows and a column added": with_column(pd.DataFrame(ROWS.copy(), columns=list("abc"))),
    "every second row": pd.DataFrame(ROWS, columns=list("abc")).iloc[::2],
    "backwards": pd.DataFrame(ROWS, columns=list("abc")).iloc[::-1],
    "some columns": pd.DataFrame(ROWS, columns=list("abc"))[["c", "a"]],
    "a slice of columns": pd.DataFrame(ROWS, columns=list("abc")).iloc[:, :2],
    "text between": pd.DataFrame(ROWS.astype("f4"), columns=list("abc")).assign(t="x", z=2.5)[["a", "t", "b", "z", "c"]],
    "no rows": pd.DataFrame(ROWS[:0], columns=list("abc")),
    "one row": pd.DataFrame(ROWS[:1], columns=list("abc")),
    "names and attrs": pd.DataFrame(ROWS, columns=list("abc"), index=pd.Index(range(5, 65), name="k")),
    "missing numbers": pd.DataFrame(np.where(ROWS > 1, np.nan, ROWS), columns=list("abc")),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_from_a_table_in_its_order(name, tmp_path):
    before = FRAMES[name]
    write_table(before, str(tmp_path / "t.parquet"))
    after = read_table([str(tmp_path / "t.parquet")], "pandas", None)
    pd.testing.assert_frame_equal(before, after, check_exact=True)
    assert frame_layout(before) == frame_layout(after)
    if before.size:
        steps = [[s for s, n in zip(f.to_numpy().strides, f.shape, strict=True) if n > 1] for f in (before, after)]
        assert steps[0] == steps[1]
        numbers = before.select_dtypes("number")
        assert numbers.mean().tolist() == after.select_dtypes("number").mean().tolist() or numbers.isna().any().any()


def test_reading_some_columns_of_such_a_table_gives_these(tmp_path):
    write_table(FRAMES["rows of one array"], str(tmp_path / "t.parquet"))
    assert list(read_table([str(tmp_path / "t.parquet")], "pandas", ["b", "a"]).columns) == ["b", "a"]


CUBE = RNG.normal(size=(4, 6, 8))
ARRAYS = {
    "rows": ROWS,
    "columns": np.asfortranarray(ROWS),
    "every second row": ROWS[::2],
    "every second column": ROWS[:, ::2],
    "backwards": ROWS[::-1],
    "backwards both ways": ROWS[::-1, ::-2],
    "axes in turn": CUBE.transpose(1, 2, 0),
    "axes in turn and a slice": CUBE.transpose(2, 0, 1)[::2, 1:],
    "one element of many": CUBE[..., 0],
    "a broadcast": np.broadcast_to(ROWS[0], (5, 3)),
    "windows": np.lib.stride_tricks.sliding_window_view(np.arange(6.0), 3),
    "a field": np.zeros(4, dtype=[("a", "i2"), ("b", "f8")])["b"],
    "integers": np.arange(12).reshape(3, 4)[:, ::2],
    "nothing": ROWS[:0, ::2],
    "one number": np.array(2.5),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back_from_a_pickle_in_its_order(name):
    before = ARRAYS[name]
    stream = io.BytesIO()
    pickler(stream).dump({"value": before, "frame": FRAMES["backwards"]})
    after = pickle.loads(stream.getvalue())["value"]
    assert type(after) is np.ndarray and after.dtype == before.dtype
    assert np.array_equal(before, after)
    order = [axis for axis in np.argsort(np.abs(before.strides), kind="stable") if before.shape[axis] > 1]
    if before.dtype.kind == "f" and name not in ("a broadcast", "windows"):
        assert order == [axis for axis in np.argsort(np.abs(after.strides), kind="stable") if before.shape[axis] > 1]
    after[...] = 0


def test_contiguous_arrays_are_pickled_as_ever():
    stream = io.BytesIO()
    value = [ROWS, np.arange(3), FRAMES["columns"]]
    pickler(stream).dump(value)
    assert stream.getvalue() == pickle.dumps(value, 5)
