"""Real notebooks of Debian's documentation packages: read without a crash, and magics as IPython reads them."""

import gzip
import json
import pathlib
import subprocess

import pytest

from cellmill._notebook.facts import notebook_facts
from cellmill._notebook.facts_ipython import transformer
from cellmill._notebook.facts_magics import plain_cell

PACKAGES = ["python-sklearn-doc", "python-statsmodels-doc", "python-skimage-doc"]


def _paths():
    found = []
    for package in PACKAGES:
        listed = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=False) if pathlib.Path("/usr/bin/dpkg").exists() else None
        if listed is not None:
            found += [line for line in listed.stdout.splitlines() if line.endswith((".ipynb", ".ipynb.gz"))]
    return sorted(found)


def _cells(path):
    raw = pathlib.Path(path).read_bytes()
    notebook = json.loads(gzip.decompress(raw) if path.endswith(".gz") else raw)
    return [{"index": number, "source": "".join(cell["source"])} for number, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]


@pytest.fixture(scope="module")
def notebooks():
    paths = _paths()
    if not paths:
        pytest.skip("the documentation packages are not installed")
    return {path: _cells(path) for path in paths}


def test_every_notebook_is_read_and_every_cell_parses(notebooks):
    for path, cells in notebooks.items():
        facts = notebook_facts(cells)
        assert len(facts["cells"]) == len(cells), path
        assert not [cell["syntaxError"] for cell in facts["cells"] if cell["syntaxError"]], path
        assert not [statement for cell in facts["cells"] for statement in cell["statements"] if "cut" in statement["dynamic"]], path


def test_every_read_stands_where_its_span_says(notebooks):
    for path, cells in list(notebooks.items())[::7]:
        for cell, facts in zip(cells, notebook_facts(cells)["cells"]):
            lines = cell["source"].split("\n")
            for statement in facts["statements"]:
                for read in statement["reads"]:
                    span = read["span"]
                    if span["line"] == span["endLine"] and span["endColumn"] - span["column"] == len(read["name"]):
                        text = lines[span["line"] - 1].encode("utf-16-le")[span["column"] * 2 : span["endColumn"] * 2].decode("utf-16-le")
                        assert text == read["name"] or not text.isidentifier(), (path, cell["index"], read)


def test_magics_are_those_that_ipython_finds(notebooks):
    transform = transformer()
    if transform is None:
        pytest.skip("IPython is not installed here")
    for path, cells in notebooks.items():
        for cell in cells:
            if "%" in cell["source"] or "!" in cell["source"] or "?" in cell["source"]:
                theirs = transform(cell["source"]).count("get_ipython().") - cell["source"].count("get_ipython().")
                assert len(plain_cell(cell["source"]).magics) == theirs, (path, cell["index"])
