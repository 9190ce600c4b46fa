import re
from dataclasses import replace

import pytest
import torch

from vitlab.base.spec import to_dict
from vitlab.records.data import DataRecord, SplitRecord
from vitlab.records.run import RunDeclaration
from vitlab.train.remarks import remarks
from vitlab.train.split import split_training


def said(spec, images, total_steps=1000):
    return list(remarks(spec, images, *split_training(spec, images), total_steps))


def test_an_ordinary_run_has_none(tiny_run, digits):
    assert said(tiny_run(), digits) == []


def test_a_validation_split_of_the_set_is_used_or_left_alone_and_said(tiny_run, digits):
    images = replace(digits, val=digits.test)
    assert said(tiny_run(), images) == ["validation is the set's own split, 360 pictures; nothing is carved out"]
    (told,) = said(tiny_run(val_fraction=0.0), images)
    assert told == "the set's own validation split, 360 pictures, is left alone: val_fraction=0"


def test_a_class_without_a_validation_picture_is_named(tiny_run, digits):
    kept = torch.cat([(digits.train.labels != 3).nonzero().flatten(), (digits.train.labels == 3).nonzero()[0]])
    told, _ = said(tiny_run(), replace(digits, train=digits.train.subset(kept)))
    assert told == "no validation picture of 3: with one picture a class is trained on and not validated"


def test_how_many_pictures_a_share_of_the_data_leaves_is_said(tiny_run, digits):
    (told,) = said(tiny_run({"data.train_fraction": 0.5}), digits)
    assert re.fullmatch(r"data\.train_fraction=0\.5: 6\d\d pictures to train on", told)


def test_that_nothing_is_validated_is_said(tiny_run, digits):
    firsts = [int((digits.train.labels == label).nonzero()[0]) for label in range(10)]
    told = said(tiny_run(), replace(digits, train=digits.train.subset(torch.tensor(firsts))))
    assert told == ["no picture is left for validation: with one picture a class is trained on and not validated"]


def test_uneven_classes_are_said_with_the_settings_that_even_them_out(tiny_run, digits):
    """Once, and not where one of them is set; both together count rarer classes for too much."""
    labels = digits.train.labels
    kept = ((labels != 3) | (torch.arange(len(labels)) % 8 == 0)).nonzero().flatten()
    images = replace(digits, train=digits.train.subset(kept))
    (told,) = said(tiny_run(), images)
    assert re.fullmatch(
        r"uneven classes, 1\d\d pictures of \d and 1\d of 3: sampling=balanced_classes or "
        r"task\.class_weights=balanced lets each count alike",
        told,
    )
    weights, sampling = {"task.class_weights": "balanced"}, {"sampling": "balanced_classes"}
    assert said(tiny_run(weights), images) == said(tiny_run(sampling), images) == []
    (told,) = said(tiny_run(weights | sampling), images)
    assert told.startswith("sampling=balanced_classes and task.class_weights=balanced do the same thing twice")


def test_a_few_steps_are_called_so(tiny_run, digits):
    (told,) = said(tiny_run(steps=None, epochs=1.0), digits, total_steps=12)
    assert told == "12 steps of training in all (epochs=1, 1,294 pictures): too few to learn much"


def test_stochastic_depth_of_one_block_is_said_to_do_nothing(tiny_run, digits):
    (told,) = said(tiny_run({"model.depth": 1, "model.drop_path": 0.1}), digits)
    assert told == "model.drop_path=0.1 does nothing: its rate is 0 at the first block, and there is one"
    assert said(tiny_run({"model.drop_path": 0.1}), digits) == []


def test_an_augmentation_that_does_nothing_is_called_so(tiny_run, digits):
    (told,) = said(tiny_run({"augment": ["crop", {"name": "mix", "prob": 0.0}]}), digits)
    assert told == "augment has mix, which does nothing: prob=0"


@pytest.fixture
def source(tmp_path, tiny_run, digits):
    """What there is of a finished run on the digits: what was asked for, and its data."""
    spec, nothing = tiny_run(), SplitRecord(0)
    names = {"recipe": "digits", "id": "0", "spec": to_dict(spec), "metrics": {}, "selects": "val_top1", "drawn": ()}
    RunDeclaration(**names).write(tmp_path)
    DataRecord("exact", nothing, nothing, nothing, digits.class_names, digits.found).write(tmp_path)
    return {"start": {"name": "checkpoint", "path": str(tmp_path), "checksum": "0", "positions": "run_on"}}  # unread


def test_other_validation_pictures_than_those_of_the_start_are_said(tiny_run, digits, source):
    assert said(tiny_run(source), digits) == []
    (told,) = said(tiny_run(source | {"val_seed": 5}), digits)
    assert told.endswith("was trained on pictures that are held out for validation here: set val_seed=0, as there")


def test_another_division_of_the_start_s_pictures_is_said(tiny_run, digits, source):
    fewer = digits.found.splits | {"test": replace(digits.found.splits["test"], images=300)}
    (told,) = said(tiny_run(source), replace(digits, found=replace(digits.found, splits=fewer)))
    assert "was trained on other pictures of these classes (" in told
    others = replace(digits, class_names=tuple("abcdefghij"))
    assert said(tiny_run(source), others) == []  # fine-tuning on something else
