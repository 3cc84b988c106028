"""Functions and classes have one digest wherever the same text defined them, and another one for any other text."""

import textwrap

import pytest

from cellmill._notebook import encode, encode_code

_DEFINITIONS = {
    "a function that reads a global": "def f(x):\n    return x * rate",
    "a function that calls another": "def f(x):\n    return other(x, k=rate) + 1",
    "a lambda": "f = lambda x: [x + rate for x in range(3)]",
    "a closure": "def make(n):\n    def inner(x):\n        return x + n + rate\n    return inner\nf = make(3)",
    "handlers and loops": "def f(x):\n    for i in range(x):\n        try:\n            yield other(i) / rate\n        except ZeroDivisionError as e:\n            print(e)\n        finally:\n            x += 1",
    "a class": "class f:\n    n = 1\n    def __init__(self, a=[]):\n        super().__init__()\n        self.a = a\n    @property\n    def size(self):\n        return rate + len(self.a)",
    "a function in a function": "def f(x):\n    def g(y):\n        return lambda z: z + y + rate\n    return g(x)(1)",
}


def test_an_import_in_the_same_file_changes_nothing():
    text = "def f(x):\n    return np.array(x).sum()"
    with_import = {"__name__": "m"}
    exec("import math as np\n" + text, with_import)
    assert encode.digest(_at_top(text)) == encode.digest(with_import["f"])


def _at_top(text):
    namespace = {"__name__": "__main__"}
    exec(text, namespace)
    return namespace["f"]


def _in_step(text):
    body = textwrap.indent(text, "    ")
    namespace = {"__name__": "assets.m"}
    exec(f"def step(rate, other):\n{body}\n    unused = lambda: (rate, other)\n    return f", namespace)
    encode_code.inside_step(namespace["step"].__code__)
    return namespace["step"](5, len)


@pytest.mark.parametrize("name", _DEFINITIONS)
def test_a_definition_inside_a_step_equals_the_notebooks(name):
    text = _DEFINITIONS[name]
    assert encode.digest(_at_top(text)) == encode.digest(_in_step(text))


@pytest.mark.parametrize(
    "one, other",
    [
        ("def f(x):\n    return x * rate", "def f(x):\n    return x * price"),
        ("def f(x):\n    return x * 2", "def f(x):\n    return x * 3"),
        ("def f(x):\n    return x * 2", "def f(x):\n    return x - 2"),
        ("def f(x, y=1):\n    return x", "def f(x, y=2):\n    return x"),
        ("def f(x):\n    if x: return 1\n    return 2", "def f(x):\n    if not x: return 1\n    return 2"),
        ("def m(n):\n    return lambda: n\nf = m(1)", "def m(n):\n    return lambda: n\nf = m(2)"),
        ("def f(x):\n    return x.a", "def f(x):\n    return x.b"),
        ("def f(x):\n    return [lambda: x, 1]", "def f(x):\n    return [lambda: x, 2]"),
        ("def f(x):\n    return x is None", "def f(x):\n    return x is not None"),
        ("def f(x):\n    return f'{x!r}'", "def f(x):\n    return f'{x!s}'"),
        ("def f(x):\n    try:\n        x()\n    except KeyError:\n        return 1", "def f(x):\n    try:\n        x()\n    except IndexError:\n        return 1"),
    ],
)
@pytest.mark.parametrize("place", [_at_top, _in_step])
def test_other_code_has_another_digest(one, other, place):
    assert encode.digest(place(one)) != encode.digest(place(other))


def test_a_bunch_equals_its_unpickled_copy():
    import pickle

    bunch = pytest.importorskip("sklearn.utils").Bunch(a=1, b=[2])
    copy = pickle.loads(pickle.dumps(bunch))
    assert encode.digest(bunch) == encode.digest(copy)
    copy.b.append(3)
    assert encode.digest(bunch) != encode.digest(copy)
