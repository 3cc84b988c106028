"""The order of numbers in memory, kept with a value: sums and BLAS round differently over rows than over columns.

Parquet gives a frame back column by column, and pickle makes a strided array contiguous. What computes on such a value
then differs in the last bits from what made it. Only floating point blocks are noted: integers do not round.
"""

from __future__ import annotations

import copyreg
import pickle
import sys
from .._types import Any

KEY = b"cellmill.layout"
_LARGEST_GAPS = 4
"""A buffer with larger gaps than this times its elements is closed up: order then counts, distances do not."""


def frame_layout(frame: Any) -> bytes | None:
    """For the file's metadata: the floating point blocks of a pandas frame, or None when Parquet gives them back as they are."""
    try:
        blocks = [
            (block.values.dtype.str, [int(at) for at in block.mgr_locs.as_array], _strides(block.values))
            for block in frame._mgr.blocks
            if _rounds(block.values)
        ]
    except AttributeError:  # not the pandas that we know: nothing is noted
        return None
    if all(strides is None for _, _, strides in blocks):
        return None
    import json

    return json.dumps([[dtype, at, strides] for dtype, at, strides in blocks], separators=(",", ":")).encode()


def with_frame_layout(frame: Any, noted: bytes) -> Any:
    """The frame with its blocks as `frame_layout` noted them; as it is, if it has other columns than then."""
    import json

    import numpy as np

    wanted = json.loads(noted)
    manager = frame._mgr
    of_type = {block.values.dtype.str: block for block in manager.blocks if _rounds(block.values)}
    places = {str(dtype): sorted(at for other, ats, _ in wanted if other == dtype for at in ats) for dtype, _, _ in wanted}
    for dtype, expected in places.items():
        here = [at for b in manager.blocks if _rounds(b.values) and b.values.dtype.str == dtype for at in b.mgr_locs.as_array]
        if sorted(here) != expected:
            return frame
    blocks = [b for b in manager.blocks if not (_rounds(b.values) and b.values.dtype.str in places)]
    for dtype, ats, strides in wanted:
        rows = np.stack([manager.iget_values(at) for at in ats])
        like = of_type[dtype]
        values = rows if strides is None else _laid_out(rows, tuple(strides))
        blocks.append(like.make_block_same_class(values, placement=type(like.mgr_locs)(np.array(ats, dtype=np.intp))))
    made = type(manager)(tuple(blocks), manager.axes, verify_integrity=True)
    new = frame._constructor_from_mgr(made, made.axes) if hasattr(frame, "_constructor_from_mgr") else type(frame)(made)
    return new.__finalize__(frame)


def pickler(stream: Any) -> pickle.Pickler:
    """A pickler that keeps the order in memory of the arrays that it meets."""
    made = pickle.Pickler(stream, protocol=5)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        made.dispatch_table = {**copyreg.dispatch_table, numpy.ndarray: _reduce_array}
    return made


def _reduce_array(array: Any) -> Any:
    """As numpy does it, but a view with the same strides where the array is not contiguous."""
    flags = array.flags
    if flags.c_contiguous or flags.f_contiguous or not _rounds(array):
        return array.__reduce_ex__(5)
    import numpy as np

    backwards = tuple(axis for axis, stride in enumerate(array.strides) if stride < 0)
    if backwards:
        return np.flip, (np.flip(array, backwards), backwards)
    base = _laid_out(array, array.strides)
    return np.lib.stride_tricks.as_strided, (base.base, array.shape, base.strides)


def _rounds(values: Any) -> bool:
    import numpy as np

    return type(values) is np.ndarray and values.dtype.kind in "fc"


def _strides(values: Any) -> list[int] | None:
    """None where rows of the block follow each other without gaps, as Parquet gives them back."""
    return None if values.flags.c_contiguous or values.size == 0 else [int(step) for step in values.strides]


def _laid_out(values: Any, strides: tuple[int, ...]) -> Any:
    """A copy over a buffer of its own, with these strides where the gaps are small, else in their order without gaps."""
    import numpy as np

    size = values.dtype.itemsize
    if any(step % size for step in strides) or _overlaps(values.shape, strides, size):
        return _in_order(values, strides)
    steps = [step // size for step in strides]
    last = sum(max(0, step * (n - 1)) for step, n in zip(steps, values.shape, strict=True))
    first = sum(min(0, step * (n - 1)) for step, n in zip(steps, values.shape, strict=True))
    if last - first + 1 > _LARGEST_GAPS * values.size + 1024:
        return _in_order(values, strides)
    flat = np.zeros(last - first + 1, dtype=values.dtype)
    made = np.ndarray(values.shape, values.dtype, buffer=flat, offset=-first * size, strides=strides)
    made[...] = values
    return made


def _in_order(values: Any, strides: tuple[int, ...]) -> Any:
    import numpy as np

    order = sorted(range(values.ndim), key=lambda axis: -abs(strides[axis]))
    return np.array(values.transpose(order), order="C", copy=True).transpose(np.argsort(order))


def _overlaps(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> bool:
    """Two indices may share an element (a broadcast, a sliding window): a copy must not write through them."""
    room = size
    for step, n in sorted((abs(step), n) for step, n in zip(strides, shape, strict=True) if n > 1):
        if step < room:
            return True
        room += step * (n - 1)
    return False
