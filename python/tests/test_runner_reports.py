"""A report keeps what was shown, in order: text, figures with the digest of their artists, values, metrics."""

import json

import pytest
from runner_process import Project, output

REPORT = [output(kind="report", declared=True)]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def show(project, body, **work):
    project.write(
        assets__a=f"import pandas as pd\ndef made(*args):\n{''.join('    ' + line + chr(10) for line in body.splitlines())}"
    )
    done = project.run(outputs=REPORT, kind="report", **work)
    assert done.code == 0, done.stderr
    folder = done.outputs / "0.report"
    return done, json.loads((folder / "report.json").read_text())["parts"], folder


PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2, {0}])"


def test_keeps_open_figures_as_png_and_svg_with_the_digest_of_their_artists(project):
    done, parts, folder = show(project, PLOT.format(3))
    assert [part["type"] for part in parts] == ["figure"]
    assert (folder / parts[0]["files"]["png"]).read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / parts[0]["files"]["svg"]).read_text()
    assert done.report["outputs"][0]["summary"]["figures"] == [parts[0]["digest"]]
    _, again, same = show(project, PLOT.format(3))
    assert again == parts
    assert all((same / name).read_bytes() == (folder / name).read_bytes() for name in parts[0]["files"].values())
    _, other, _ = show(project, PLOT.format(4))
    assert other[0]["digest"] != parts[0]["digest"]


def test_a_figure_that_is_open_and_returned_is_shown_once(project):
    _, parts, _ = show(project, PLOT.format(3) + "\nreturn plt.gca()")
    assert [part["type"] for part in parts] == ["figure"]


def test_show_ends_a_figure_and_text_keeps_its_place(project):
    body = "print('one')\n" + PLOT.format(3) + "\nplt.show()\nprint('two')\nplt.plot([1])"
    done, parts, folder = show(project, body)
    assert [part["type"] for part in parts] == ["text", "figure", "text", "figure"]
    assert (folder / parts[0]["files"]["text"]).read_text() == "one\n"
    assert done.stdout == "one\ntwo\n" and done.report["warnings"] == []


def test_figures_end_where_another_notebook_cell_begins(project):
    body = PLOT.format(3) + "\nprint('a')\nplt.plot([9])\nprint('b')"
    lines = [
        {"file": "assets/a.py", "line": line, "cell": cell} for line, cell in ((3, 1), (4, 1), (5, 1), (6, 2), (7, 2))
    ]
    _, parts, _ = show(project, body, lines=lines)
    assert [(part["type"], part["cell"]) for part in parts] == [("text", 1), ("figure", 1), ("text", 2), ("figure", 2)]


def test_shows_returned_frames_metrics_and_text(project):
    done, parts, folder = show(
        project, "return {'rmse': 0.5, 'n': 3, 'bad': float('nan'), 'table': pd.DataFrame({'a': [1]})}"
    )
    assert [(part["type"], part["name"]) for part in parts] == [("metrics", None), ("table", "table")]
    assert done.report["outputs"][0]["summary"]["metrics"] == {"rmse": 0.5, "n": 3, "bad": "nan"}
    assert "<table" in (folder / parts[1]["files"]["html"]).read_text()
    assert parts[1]["digest"]
    _, parts, folder = show(project, "return 'all well'")
    assert (folder / parts[0]["files"]["text"]).read_text() == "all well"
    _, parts, _ = show(project, "return pd.DataFrame({'a': [1]}), pd.Series([1]), object")
    assert [part["type"] for part in parts] == ["table", "table", "value"]


def test_shows_what_is_displayed_as_a_notebook_would(project):
    _, parts, folder = show(
        project,
        "from IPython.display import display, HTML\ndisplay(pd.DataFrame({'a': [1]}))\ndisplay(HTML('<b>x</b>'))",
    )
    assert [part["type"] for part in parts] == ["table", "html"]
    assert (folder / parts[1]["files"]["html"]).read_text() == "<b>x</b>"


def test_showing_nothing_is_a_warning(project):
    done, parts, _ = show(project, "pass")
    assert parts == [] and "showed nothing" in done.report["warnings"][0]


def test_names_of_all_files_are_safe(project):
    from cellmill._runner.write_outputs import _SAFE_NAME

    _, _, folder = show(project, "print('x')\n" + PLOT.format(1) + "\nreturn {'a/b': pd.DataFrame()}")
    assert all(_SAFE_NAME.fullmatch(path.name) for path in folder.iterdir())


def test_an_asset_may_draw_and_its_figures_are_no_output(project):
    project.write(
        assets__a="import matplotlib.pyplot as plt\ndef made():\n    plt.plot([1]); plt.show()\n    return plt.get_fignums()\n"
    )
    done = project.run(outputs=[output(kind="object")])
    assert done.value() == [] and done.report["warnings"] == []
