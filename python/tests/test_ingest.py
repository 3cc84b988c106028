"""What a pickle names is found without loading it, for every protocol, and doubt is None."""

import collections
import datetime
import decimal
import io
import pickle

import pytest

from cellmill._ingest import named_globals


class Loud:
    def __reduce__(self):
        return (print, ("loaded",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_every_class_of_a_pickle_in_each_protocol(protocol):
    value = [collections.OrderedDict(a=1), decimal.Decimal("1.5"), {"k": datetime.date(2024, 1, 1)}]
    found = named_globals(io.BytesIO(pickle.dumps([value, value], protocol)))
    assert {("collections", "OrderedDict"), ("decimal", "Decimal"), ("datetime", "date")} <= set(found)


def test_names_a_function_and_never_calls_it(capsys):
    found = named_globals(io.BytesIO(pickle.dumps(Loud())))
    assert ("builtins", "print") in found
    assert capsys.readouterr().out == ""


def test_a_module_name_used_twice_is_resolved_through_the_memo():
    found = named_globals(io.BytesIO(pickle.dumps([decimal.Decimal, decimal.Context], 4)))
    assert found == [("decimal", "Context"), ("decimal", "Decimal")]


def test_names_those_of_all_pickles_in_a_file():
    data = pickle.dumps(decimal.Decimal(1)) + pickle.dumps(datetime.date(2024, 1, 1))
    assert {module for module, _ in named_globals(io.BytesIO(data))} == {"datetime", "decimal"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a pickle",
        pickle.dumps([1, 2, 3])[:-1],
        b"\x80\x04K\x01K\x02\x93.",  # STACK_GLOBAL over two integers
        b"\x80\x02\x82\x01.",  # an extension code
    ],
)
def test_a_damaged_or_unresolvable_pickle_is_unknown(data):
    assert named_globals(io.BytesIO(data)) is None


def test_a_plain_value_names_nothing():
    assert named_globals(io.BytesIO(pickle.dumps({"a": [1, 2.5, "x", None, b"y"]}))) == []
