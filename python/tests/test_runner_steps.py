"""A step's process: how code is imported, parameters and seeds are set, and results are left."""

import random

import pytest
from runner_process import Project, output


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_runs_the_function_and_leaves_its_table_and_report(project):
    project.write(
        assets__a="import pandas as pd\nfrom cellmill import asset\n@asset\ndef made():\n    return pd.DataFrame({'a': [1, 2]})\n"
    )
    done = project.run()
    assert done.code == 0, done.stderr
    assert done.report["outputs"][0]["rows"] == 2
    assert done.value()["a"].tolist() == [1, 2]
    assert done.undeclared == []


def test_gives_the_runs_value_to_project_parameters_and_the_default_to_the_others(project):
    project.write(
        assets__a="import datetime\nfrom cellmill import asset, param\nMIN_TOTAL = param(1)\nDAY: datetime.date = param(datetime.date(2020, 1, 1))\nKEPT = param('x')\n@asset\ndef made():\n    return [MIN_TOTAL, DAY, KEPT]\n"
    )
    done = project.run(projectParameters={"min_total": 5, "day": "2024-02-29"}, outputs=[output(kind="object")])
    import datetime

    assert done.value() == [5, datetime.date(2024, 2, 29), "x"]


def test_refuses_a_parameter_that_has_no_name(project):
    project.write(assets__a="from cellmill import asset, param\nLIMITS = [param(1)]\n@asset\ndef made(): return 1\n")
    done = project.run()
    assert done.error["type"] == "TypeError" and "NAME = param" in done.error["message"]
    assert done.error["frames"][-1]["line"] == 2


def test_converts_own_parameters_and_hands_over_the_logical_time(project):
    project.write(assets__a="def made(*, day, rate, run_time):\n    return [day, rate, run_time]\n")
    done = project.run(
        parameters={"day": "2024-01-31", "rate": 2},
        parameter_types=[{"name": "day", "type": "date"}, {"name": "rate", "type": "float"}],
        outputs=[output(kind="object")],
    )
    day, rate, run_time = done.value()
    assert (day.isoformat(), type(rate), rate) == ("2024-01-31", float, 2.0)
    assert run_time.isoformat() == "2024-05-06T07:08:09+00:00"


def test_imports_only_the_modules_that_the_step_needs_and_runs_setups_of_its_own_module_in_order(project):
    project.write(
        assets__other="raise RuntimeError('not mine')\n",
        helpers="from cellmill import setup\n@setup\ndef elsewhere(): raise RuntimeError('not mine')\n",
        assets__a="from helpers import elsewhere\nfrom cellmill import asset, setup\nlog = []\n@setup\ndef one(): log.append(1)\n@setup\ndef two(): log.append(2)\n@asset\ndef made(): return list(log)\n",
    )
    assert project.run(outputs=[output(kind="object")]).value() == [1, 2]


def test_one_file_is_one_module_whatever_name_it_is_imported_by(project):
    project.write(
        assets__shapes="class Shape: pass\n",
        assets__a="import shapes\nimport assets.shapes\ndef made(): return [shapes.Shape is assets.shapes.Shape, shapes.Shape.__module__, __name__]\n",
    )
    assert project.run(outputs=[output(kind="object")]).value() == [True, "assets.shapes", "assets.a"]


def test_classes_of_the_step_module_can_be_read_by_another_step(project):
    project.write(
        assets__model="class Model:\n    def __init__(self): self.x = 3\ndef made(): return Model()\n",
        reports__show="def made(model): return model.x + 1\n",
    )
    first = project.run(file="assets/model.py", outputs=[output(kind="object")])
    given = {
        "argument": "model",
        "form": "object",
        "annotation": "",
        "columns": None,
        "origin": "asset",
        "codec": "pickle",
        "folder": str(first.outputs),
        "files": ["0.pickle"],
        "sourcePaths": [],
        "isGlob": False,
        "name": "model",
        "options": {},
    }
    assert project.run(file="reports/show.py", inputs=[given], outputs=[output(kind="object")]).value() == 4


def test_a_folder_of_the_project_wins_over_an_installed_package_of_its_name(project):
    project.write(polars__a="def made(): return __name__\n")
    done = project.run(file="polars/a.py", outputs=[output(kind="object")])
    assert done.value() == "polars.a"


def test_the_module_may_have_a_name_that_is_no_identifier(project):
    project.write(**{"my-assets/2024.orders": "class C: pass\ndef made(): return 1\n"})
    assert project.run(file="my-assets/2024.orders.py", outputs=[output(kind="object")]).value() == 1


def test_global_generators_are_seeded_by_the_step_whenever_their_library_is_imported(project):
    project.write(
        assets__a="import random\ndef made():\n    import numpy as np\n    return [random.random(), np.random.rand()]\n"
    )
    first, again, other = (project.run(seed=seed, outputs=[output(kind="object")]) for seed in ("a", "a", "b"))
    assert first.value() == again.value() != other.value()
    assert first.report["drewRandom"] is True and first.report["randomState"] == "random.pickle"
    assert first.undeclared == []


def test_a_seed_of_the_author_wins(project):
    project.write(assets__a="import random\nrandom.seed(1)\ndef made(): return random.random()\n")
    expected = random.Random(1).random()
    assert project.run(outputs=[output(kind="object")]).value() == expected


def test_goes_on_from_the_generator_states_of_another_step(project):
    project.write(
        assets__a="import random\nimport numpy as np\nnp.random.seed(5)\nrandom.seed(5)\ndef made(): return [random.random(), np.random.rand()]\ndef both(): return [made(), made()]\n"
    )
    both = project.run("both", outputs=[output(kind="object")]).value()
    first = project.run(outputs=[output(kind="object")])
    second = project.run(randomState=str(first.outputs / "random.pickle"), outputs=[output(kind="object")])
    assert [first.value(), second.value()] == both


def test_passes_the_states_on_when_it_drew_nothing_itself(project):
    project.write(assets__a="import random\ndef made(): return random.random()\ndef idle(): return 1\n")
    first = project.run(outputs=[output(kind="object")])
    idle = project.run("idle", randomState=str(first.outputs / "random.pickle"), outputs=[output(kind="object")])
    assert idle.report["drewRandom"] is False
    assert (idle.outputs / idle.report["randomState"]).read_bytes() == (first.outputs / "random.pickle").read_bytes()
    fresh = project.run("idle", outputs=[output(kind="object")])
    assert fresh.report["randomState"] is None


def test_draws_anew_when_asked_to(project):
    project.write(assets__a="import random\ndef made(): return random.random()\n")
    values = {project.run(options={"random": "fresh"}, outputs=[output(kind="object")]).value() for _ in range(2)}
    assert len(values) == 2


def test_hash_order_and_working_directory_are_the_same_each_time(project):
    project.write(assets__a="import os\ndef made(): return [list({'a', 'b', 'c', 'd'}), os.listdir('.')]\n")
    first, again = (project.run(outputs=[output(kind="object")]).value() for _ in range(2))
    assert first == again and first[1] == []


def test_waits_for_a_coroutine(project):
    project.write(assets__a="import asyncio\nasync def made():\n    await asyncio.sleep(0)\n    return 7\n")
    assert project.run(outputs=[output(kind="object")]).value() == 7


def test_collects_warnings_with_their_place_and_still_prints_them(project):
    project.write(assets__a="import warnings\ndef made():\n    warnings.warn('careful')\n    return 1\n")
    done = project.run()
    assert done.report["warnings"] == ["assets/a.py:3: UserWarning: careful"]
    assert "careful" in done.stderr


def test_does_not_wait_for_threads_that_the_author_left(project):
    project.write(
        assets__a="import threading, time\ndef made():\n    threading.Thread(target=time.sleep, args=(3600,)).start()\n    return 1\n"
    )
    assert project.run().code == 0


def test_duckdb_has_the_threads_that_the_step_declares(project):
    text = "import duckdb\ndef made():\n    ask = \"select current_setting('threads')\"\n    return [duckdb.sql(ask).fetchone()[0], duckdb.connect().execute(ask).fetchone()[0], duckdb.connect(config={'threads': 2}).execute(ask).fetchone()[0]]\n"
    project.write(assets__a=text)
    assert project.run(outputs=[output(kind="object")]).value() == [1, 1, 2]
    assert project.run(outputs=[output(kind="object")], options={"threads": 3}).value() == [3, 3, 2]
