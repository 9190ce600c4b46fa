import json


def test_json_is_one_object_with_the_facts(vitlab):
    answer = vitlab("doctor", "--json")
    facts = json.loads(answer.out)
    assert (answer.code, answer.err) == (0, "")
    assert facts["torch"]["device"] in ("cpu", "cuda", "mps")
    assert facts["data"].keys() == {"digits", "cifar10", "cifar100"}
    assert facts["versions"]["torch"]


def test_missing_data_is_said(vitlab, monkeypatch, tmp_path):
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path))
    answer = vitlab("doctor")
    assert answer.code == 0
    assert "bundled with scikit-learn" in answer.out
