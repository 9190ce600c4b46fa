import pytest

from vitlab.base.errors import DataError
from vitlab.data.roles import assigned, assigned_tables, check_roles, role_in


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


def test_tables_that_are_not_called_after_splits_are_a_set_without():
    assert assigned_tables(["a", "b"], "pets") == ({"train": ["a", "b"]}, "no splits, all of a, b", ())
    assert assigned_tables(["train", "test"], "pets", {}).names == {"train": ["train", "test"]}
    assert assigned_tables(["X_test"], "pets").names == {"train": ["X_test"]}


def test_tables_that_could_be_splits_are_asked_about():
    with pytest.raises(
        DataError, match=r'data\.splits=\{"train": "X_train", "test": "X_test"\}; .*: data\.splits=\{\}'
    ):
        assigned_tables(["X_train", "X_test"], "pets")
    assert assigned_tables(["X_train", "X_test"], "pets", {}).names == {"train": ["X_train", "X_test"]}


def test_what_is_said_of_tables():
    told = assigned_tables(["train", "validation", *"abcde"], "pets")
    assert told.names == {"train": ["train"], "test": ["validation"]}
    assert told.layout == "train, validation"
    assert told.notes == (
        "validation is the test split",
        "not read: a, b, c and 2 more, in no split (data.splits chooses)",
    )


def test_a_role_is_found_in_a_name():
    assert [role_in(name) for name in ("X_train", "TestData", "val2017", "trainset")] == [
        "train",
        "test",
        "val",
        "train",
    ]
    assert [role_in(name) for name in ("cat", "contest", "train_test")] == [None, None, None]


def test_what_is_no_choice_of_splits():
    assert check_roles(None) is check_roles({}) is check_roles({"train": "a", "val": "b"}) is None
    assert check_roles({"trian": "a"}) == "splits: trian is no split; legal: train, val, test"
    assert check_roles({"train": "a", "test": "a"}) == "splits: the same one twice"
