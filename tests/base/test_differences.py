from vitlab.base.differences import differences


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
