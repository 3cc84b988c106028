"""What differs between values of a proof is named by its place, and only what no replay pins is called unsteady."""

import pickle

from cellmill._notebook.prove_values import differences_task


def differences(tmp_path, reference, one, two):
    files = {}
    for name, value in (("reference", reference), ("one", one), ("two", two)):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(value))
        files[name] = {"file": str(path), "codec": "pickle"}
    return differences_task({**files, "variables": ["x"]}, {}).get("x")


def test_a_part_that_differs_between_two_replays_is_unsteady(tmp_path):
    found = differences(tmp_path, {"a": 1, "noise": 1}, {"a": 1, "noise": 2}, {"a": 1, "noise": 3})
    assert found["unsteady"] and found["differing"] == 1 and "noise" in found["examples"][0]


def test_a_part_that_is_wrong_in_both_replays_is_not(tmp_path):
    found = differences(tmp_path, {"a": 1, "noise": 1}, {"a": 2, "noise": 2}, {"a": 2, "noise": 3})
    assert not found["unsteady"] and found["differing"] == 2


def test_a_missing_part_is_a_difference(tmp_path):
    assert not differences(tmp_path, {"a": 1, "b": 2}, {"a": 1}, {"a": 1})["unsteady"]
    assert not differences(tmp_path, [1, 2], [1], [1])["unsteady"]


def test_equal_values_have_no_differences(tmp_path):
    assert differences(tmp_path, [1.5, "a"], [1.5, "a"], [1.5, "b"]) is None
