"""Masked arrays: a fill value that was never set is the dtype's own, as whoever asks is told and as pickling writes it."""

import pickle

import pytest
from cellmill._notebook import encode

np = pytest.importorskip("numpy")


def test_pickling_changes_no_digest() -> None:
    for made in (np.ma.MaskedArray([0.1, 1.0], mask=[False, True]), np.ma.masked_array([1, 2]), np.ma.masked_array(["a"], [True])):
        made._fill_value = None
        before = encode.digest(made)
        assert encode.digest(pickle.loads(pickle.dumps(made))) == before
        assert made._fill_value is None


def test_a_fill_value_that_was_set_counts() -> None:
    plain, other = np.ma.masked_array([1.0, 2.0]), np.ma.masked_array([1.0, 2.0], fill_value=-1.0)
    assert encode.digest(plain) != encode.digest(other)
