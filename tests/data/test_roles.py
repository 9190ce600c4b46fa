import pytest

from vitlab.base.errors import DataError
from vitlab.data.roles import assigned, check_roles, role_in


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        (["train", "test"], {"train": "train", "test": "test"}),
        (["Training", "testing", "dev"], {"train": "Training", "val": "dev", "test": "testing"}),
        (["train", "validation"], {"train": "train", "test": "validation"}),
        (["train", "extra"], {"train": "train"}),
        (["train", "eval"], {"train": "train", "test": "eval"}),
        (["cat", "dog"], {}),
    ],
)
def test_by_convention(names, roles):
    assert assigned(names, "pets") == roles


@pytest.mark.parametrize(
    ("names", "role"),
    [
        ("train seg_train training_set X_train TrainData trainset", "train"),
        ("my.test test2017 TEST_IMAGES evaluation", "test"),
        ("val-images Valid2", "val"),
        ("trainer steamtrain contest train_test évaluation", None),
    ],
)
def test_a_split_s_word_as_a_part(names, role):
    assert {role_in(name) for name in names.split()} == {role}


def test_the_test_split_can_be_chosen():
    names = ["train", "val", "test", "hard"]
    assert assigned(names, "pets", held_out="hard") == {"train": "train", "val": "val", "test": "hard"}
    assert assigned(names, "pets", held_out="VAL") == {"train": "train", "test": "val"}
    assert assigned(["train", "test", "testing"], "pets", held_out="testing")["test"] == "testing"


def test_all_can_be_chosen():
    assert assigned(["a", "b"], "pets", {"train": "a", "test": "b"}) == {"train": "a", "test": "b"}
    assert assigned(["train", "test"], "pets", {}) == {}
    with pytest.raises(DataError, match="pets has no c/; it has a, b"):
        assigned(["a", "b"], "pets", {"train": "c"})


def test_two_of_one_role_are_refused():
    with pytest.raises(DataError, match="pets has train and training, and either can be the train split"):
        assigned(["train", "training"], "pets")


def test_what_is_no_choice_of_splits():
    assert check_roles(None) is check_roles({}) is check_roles({"train": "a", "val": "b"}) is None
    assert check_roles({"trian": "a"}) == "splits: trian is no split; legal: train, val, test"
    assert check_roles({"train": "a", "test": "a"}) == "splits: the same one twice"
