"""Iterators of itertools are what they will still give; encoding takes nothing from them."""

import itertools

import pytest

from cellmill._notebook import encode


@pytest.mark.parametrize(
    "make",
    [lambda: itertools.cycle("abc"), lambda: itertools.chain([1], [2]), lambda: itertools.islice(iter([1, 2, 3]), 2), lambda: itertools.product("ab", "cd"), lambda: itertools.permutations([1, 2, 3]), lambda: itertools.zip_longest([1], [2, 3]), lambda: itertools.takewhile(bool, [1, 1])],
)
def test_an_iterator_is_known_by_where_it_stands(make):
    iterator = make()
    before = encode.digest(iterator)
    assert encode.digest(iterator) == before == encode.digest(make())
    taken = next(iterator)
    assert encode.digest(iterator) != before
    assert taken == next(make())
