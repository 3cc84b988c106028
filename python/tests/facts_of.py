"""Facts of cells given as text, for the tests of the static reading."""

import textwrap

from cellmill._notebook.facts import notebook_facts


def facts_of(*cells):
    """The cells' facts; each cell is dedented."""
    sources = [{"index": number, "source": textwrap.dedent(cell).strip("\n")} for number, cell in enumerate(cells)]
    return notebook_facts(sources)["cells"]


def statements_of(*cells):
    return [statement for cell in facts_of(*cells) for statement in cell["statements"]]


def last(*cells):
    return statements_of(*cells)[-1]


def names(items):
    return sorted({item["name"] for item in items})


def changed(statement, certain=True):
    return sorted({item["name"] for item in statement["mutations"] if item["certain"] is certain})


def tokens(statement):
    return sorted({(token["token"], token["mode"]) for token in statement["tokens"]})
