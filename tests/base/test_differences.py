from vitlab.base.differences import differences, told_differences, without


def test_values_that_differ_stand_under_their_dotted_path():
    here = {"optim": {"lr": 1, "optimizer": {"name": "adamw", "beta1": 0.9}}, "steps": 3, "augment": [1]}
    there = {"optim": {"lr": 2, "optimizer": {"name": "adamw", "beta1": 0.8}}, "steps": 3, "augment": [1, 2]}
    assert differences(here, there) == {"optim.lr": 2, "optim.optimizer.beta1": 0.8, "augment": [1, 2]}
    assert differences(here, here) == {}


def test_another_component_is_one_difference():
    softmax, linear = {"name": "softmax", "scale": None}, {"name": "linear", "features": 4}
    assert differences({"attention": softmax}, {"attention": linear}) == {"attention": linear}


def test_a_setting_that_only_the_second_has():
    assert differences({}, {"seed": 1}) == {"seed": 1}
    assert differences({"seed": 1}, {}) == {}


def test_they_are_told_from_what_to_what():
    there = {"epochs": 2.0, "steps": None, "start": {"name": "scratch"}, "data": {"name": "folder", "path": "a"}}
    here = {"epochs": None, "steps": 9, "start": {"name": "checkpoint", "path": "x"}, "data": {"name": "folder"}}
    assert told_differences(there, here).splitlines() == [
        "  epochs 2 → null",
        "  steps null → 9",
        "  start scratch → checkpoint",
        "  data.path a → null",
    ]
    assert told_differences(there, there) == ""


def test_lists_are_told_by_the_names_in_them():
    crop, flip = {"name": "crop", "padding": 1}, {"name": "flip"}
    assert told_differences({"augment": []}, {"augment": [crop, flip]}) == "  augment [] → [crop, flip]\n"
    wider = [{"name": "crop", "padding": 4}, flip]
    assert told_differences({"augment": [crop, flip]}, {"augment": wider}) == "  augment.crop.padding 1 → 4\n"


def test_of_many_the_first_few_are_told():
    said = told_differences(dict.fromkeys("abcdefghij", 0), dict.fromkeys("abcdefghij", 1)).splitlines()
    assert said[5:] == ["  f 0 → 1", "  and 4 more"]


def test_settings_are_left_out_wherever_they_are_and_the_rest_stays():
    values = {"data": {"path": "here", "size": 8}, "parts": [{"path": "a", "name": "x"}], "seed": 1}
    left = without(values, ["data.path", "parts.0.path", "parts.7.path", "gone.deep", "seed.deep", "nothing"])
    assert left == {"data": {"size": 8}, "parts": [{"name": "x"}], "seed": 1}
    assert values["data"]["path"] == "here"
