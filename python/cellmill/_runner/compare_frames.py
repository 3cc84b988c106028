"""Exact comparison of a frame with what Parquet gave back: index, columns, types and every value.

Object cells are compared by type and value: None, NaN, NaT and NA differ, so do 1, True and 1.0. The first difference is
named, with the column and the value, since a person has to decide about it.
"""

from __future__ import annotations

from .._types import Any

_PLAIN = (str, bytes, bool, int, type(None))


class NotLossless(Exception):
    """The value does not survive as a table. `column` and `value` say where, when that is known."""

    def __init__(self, why: str, column: Any = None, value: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.column = column
        self.value = value

    def describe(self) -> str:
        place = "" if self.column is None else f"column {self.column!r}"
        if self.value is not None:
            place += f"{', ' if place else ''}value {self.value}"
        return f"{place}: {self.why}" if place else self.why


def shown(value: Any) -> str:
    """A cell for a message: short, with its type where the text alone would mislead."""
    if value is None:
        return "None"
    kind = type(value).__name__
    try:
        text = repr(value)
    except Exception:  # a cell whose repr fails is still named by its type
        text = f"<{kind}>"
    text = text if len(text) <= 60 else text[:57] + "..."
    return text if isinstance(value, (str, bool, int)) or kind in text else f"{text} ({kind})"


# -- pandas ------------------------------------------------------------------------------------------------------


def compare_pandas(before: Any, after: Any) -> None:
    """Raises `NotLossless` at the first difference."""
    _compare_index("the column labels", before.columns, after.columns)
    for position in range(before.shape[1]):
        name = before.columns[position]
        _compare_values(name, before.iloc[:, position].array, after.iloc[:, position].array)
    _compare_index("the index", before.index, after.index)
    if _digest(before.attrs) != _digest(after.attrs):
        raise NotLossless("the frame's attrs do not come back", value=shown(before.attrs))
    if before.flags.allows_duplicate_labels != after.flags.allows_duplicate_labels:
        raise NotLossless("the flag allows_duplicate_labels does not come back")


def _compare_index(what: str, before: Any, after: Any) -> None:
    if type(before) is not type(after):
        raise NotLossless(f"{what}: a {type(before).__name__} comes back as a {type(after).__name__}")
    if list(map(_named, before.names)) != list(map(_named, after.names)):
        raise NotLossless(f"{what}: the names {list(before.names)} come back as {list(after.names)}")
    if type(before).__name__ == "RangeIndex":
        if (before.start, before.stop, before.step) != (after.start, after.stop, after.step):
            raise NotLossless(f"{what}: {before!r} comes back as {after!r}")
        return
    if type(before).__name__ == "MultiIndex":
        if before.nlevels != after.nlevels:
            raise NotLossless(f"{what}: {before.nlevels} levels come back as {after.nlevels}")
        for level in range(before.nlevels):
            _compare_part(what, before.get_level_values(level), after.get_level_values(level))
            _compare_part(f"{what} (levels)", before.levels[level], after.levels[level])
        return
    _compare_part(what, before, after)


def _compare_part(what: str, before: Any, after: Any) -> None:
    if getattr(before, "freqstr", None) != getattr(after, "freqstr", None):
        raise NotLossless(f"{what}: the frequency {before.freqstr} does not come back")
    try:
        _compare_values(None, before.array, after.array)
    except NotLossless as difference:
        raise NotLossless(f"{what}: {difference.why}", value=difference.value) from None


def _named(name: Any) -> tuple[str, str]:
    return type(name).__name__, repr(name)


def _compare_values(name: Any, before: Any, after: Any) -> None:
    """Two pandas arrays."""
    if str(before.dtype) != str(after.dtype):
        raise NotLossless(f"{before.dtype} comes back as {after.dtype}", column=name)
    if str(before.dtype) == "category":
        _compare_categories(name, before, after)
        return
    if getattr(before.dtype, "numpy_dtype", before.dtype) == object:  # noqa: E721 (a dtype, not a type)
        _compare_cells(name, before, after)
        return
    if type(before) is not type(after) or before.dtype != after.dtype:
        raise NotLossless(f"{type(before).__name__} comes back as {type(after).__name__}", column=name)
    if _same_bits(before, after):
        return
    if _digest(before) != _digest(after):
        raise _first_difference(name, before, after)


def _same_bits(before: Any, after: Any) -> bool:
    """The quick answer for plain numpy columns; False means: look closer."""
    import numpy as np

    left, right = getattr(before, "_ndarray", None), getattr(after, "_ndarray", None)
    if left is None or right is None or left.dtype != right.dtype or left.shape != right.shape or left.dtype.hasobject:
        return False
    word = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}.get(left.dtype.itemsize, np.uint8)
    return bool(np.array_equal(np.ascontiguousarray(left).view(word), np.ascontiguousarray(right).view(word)))


def _same_text(before: Any, after: Any) -> bool:
    """The quick answer for columns of text alone; False means: look closer."""
    from pandas.api.types import infer_dtype

    left, right = before.to_numpy(), after.to_numpy()
    if (
        left.shape != right.shape
        or infer_dtype(left, skipna=False) != "string"
        or infer_dtype(right, skipna=False) != "string"
    ):
        return False
    # numpy's own text type is called "string" too.
    return bool((left == right).all()) and set(map(type, left)) <= {str}


def _compare_categories(name: Any, before: Any, after: Any) -> None:
    import numpy as np

    if before.ordered != after.ordered:
        raise NotLossless("the order of its categories does not come back", column=name)
    try:
        _compare_index("its categories", before.categories, after.categories)
    except NotLossless as difference:
        raise NotLossless(difference.why, column=name, value=difference.value) from None
    if not np.array_equal(before.codes, after.codes):
        raise _first_difference(name, before, after)


def _compare_cells(name: Any, before: Any, after: Any) -> None:
    if len(before) != len(after):
        raise NotLossless(f"{len(before)} rows come back as {len(after)}", column=name)
    if _same_text(before, after):
        return
    shared: set[int] = set()
    for left, right in zip(before, after, strict=True):
        if type(left) is type(right):
            if isinstance(left, _PLAIN):
                if left == right:
                    continue
            elif type(left) is float:
                if left == right and (left != 0.0 or str(left) == str(right)) or (left != left and right != right):
                    continue
            elif _digest(left) == _digest(right):
                if isinstance(left, (list, dict, set, bytearray)) or type(left).__name__ == "ndarray":
                    if id(left) in shared:
                        raise NotLossless("two cells hold one and the same object", column=name, value=shown(left))
                    shared.add(id(left))
                continue
        raise NotLossless(f"comes back as {shown(right)}", column=name, value=shown(left))


def _first_difference(name: Any, before: Any, after: Any) -> NotLossless:
    for left, right in zip(before, after, strict=False):
        if _digest(left) != _digest(right):
            return NotLossless(f"comes back as {shown(right)}", column=name, value=shown(left))
    return NotLossless("its values do not come back", column=name)


def _digest(value: Any) -> str:
    from .._notebook import encode

    try:
        return encode.digest(value)
    except encode.Unencodable as error:
        raise NotLossless(str(error)) from error


# -- polars, pyarrow ---------------------------------------------------------------------------------------------


def compare_polars(before: Any, after: Any) -> None:
    for (name, left), (other, right) in zip(before.schema.items(), after.schema.items(), strict=True):
        if name != other or left != right:
            raise NotLossless(f"{left} comes back as {right}", column=name)
    for name in before.columns:
        if not before[name].equals(after[name], null_equal=True):
            raise NotLossless("its values do not come back", column=name)


def compare_arrow(before: Any, after: Any) -> None:
    for left, right in zip(before.schema, after.schema, strict=True):
        if not left.equals(right, check_metadata=True):
            raise NotLossless(
                f"{left.type} comes back as {right.type}"
                if left.type != right.type
                else "its metadata does not come back",
                column=left.name,
            )
    if not before.schema.equals(after.schema, check_metadata=True):
        raise NotLossless("the metadata of the schema does not come back")
    for name in before.column_names:
        left, right = before.column(name), after.column(name)
        if left.equals(right):
            continue
        # NaN is not equal to itself; whatever else differs is found cell by cell.
        for one, other in zip(left.to_pylist(), right.to_pylist(), strict=True):
            if one is not other and _digest(one) != _digest(other):
                raise NotLossless(f"comes back as {shown(other)}", column=name, value=shown(one))
