"""What differs between values of a proof is named by its place, and only what no replay pins is called unsteady."""

import pickle

from cellmill._notebook import encode
from cellmill._notebook.prove_values import differences_task


def differences(tmp_path, reference, one, two, digest=None):
    files = {}
    for name, value in (("reference", reference), ("one", one), ("two", two)):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(value))
        files[name] = {"file": str(path), "codec": "pickle"}
    digests = {"x": encode.digest(reference) if digest is None else digest}
    return differences_task({**files, "variables": ["x"], "digests": digests}, {}).get("x")


def test_a_part_that_differs_between_two_replays_is_unsteady(tmp_path):
    found = differences(tmp_path, {"a": 1, "noise": 1}, {"a": 1, "noise": 2}, {"a": 1, "noise": 3})
    assert found["unsteady"] and found["differing"] == 1 and "noise" in found["examples"][0]


def test_a_part_that_is_wrong_in_both_replays_is_not(tmp_path):
    found = differences(tmp_path, {"a": 1, "noise": 1}, {"a": 2, "noise": 2}, {"a": 2, "noise": 3})
    assert not found["unsteady"] and found["differing"] == 2


def test_a_missing_part_is_a_difference(tmp_path):
    assert not differences(tmp_path, {"a": 1, "b": 2}, {"a": 1}, {"a": 1})["unsteady"]
    assert not differences(tmp_path, [1, 2], [1], [1])["unsteady"]


def test_one_replay_that_gives_the_value_is_enough(tmp_path):
    assert differences(tmp_path, [1.5, "a"], [1.5, "a"], [1.5, "b"])["differing"] == 0
    assert differences(tmp_path, [1.5, "a"], [1.5, "b"], [1.5, "a"])["differing"] == 0


def test_what_a_pickle_does_not_bring_back_is_no_noise(tmp_path):
    assert not differences(tmp_path, [1], [1], [1], digest="of the value before it was pickled")["unsteady"]
    assert not differences(tmp_path, [1], [2], [3], digest="of the value before it was pickled")["unsteady"]
