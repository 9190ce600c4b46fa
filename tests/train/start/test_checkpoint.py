"""What a run takes from trained weights, what it begins anew, and what it refuses."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from tests.checkpoints.saving import meta_of, save_model
from tests.reading import read_json
from tests.train.conftest import crash, weights_of
from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.identity import spec_id
from vitlab.models.vit import build
from vitlab.recipes import changed, recipe
from vitlab.study.design.one_at_a_time import Spec as OneAtATime
from vitlab.study.plan import plan
from vitlab.study.spec import StudySpec, choice
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides
from vitlab.train.start import checkpoint

HEAD = {"head.weight", "head.bias"}


@pytest.fixture
def source(tiny_spec, tmp_path):
    """`source(num_classes=3)`: the file of a trained model's weights, and these."""

    def write(**changed):
        weights = build(tiny_spec(**changed), seed=9).state_dict()
        save_file(weights, tmp_path / "trained.safetensors")
        return tmp_path / "trained.safetensors", weights

    return write


@pytest.fixture
def begin(tiny_spec):
    """`begin(path, head="zero")`: the beginning of a run of five classes, and what was drawn."""

    def beginning(path, **settings):
        drawn = build(tiny_spec(), seed=1).state_dict()
        return checkpoint.Spec(path=str(path), **settings).begin(tiny_spec(), drawn), drawn

    return beginning


def same(tensors, others, names):
    return all(torch.equal(tensors[name], others[name]) for name in names)


# ------------------------------------------------------------------------------------------------------------ the head


@pytest.mark.parametrize("head", ["auto", "keep"])
def test_what_fits_is_taken(source, begin, head):
    path, trained = source()
    beginning, drawn = begin(path, head=head)
    assert beginning.anew == ()
    assert beginning.tensors.keys() == drawn.keys()
    assert same(beginning.tensors, trained, trained)


def test_another_number_of_classes_begins_a_new_head_and_says_which_tensors(source, begin):
    path, trained = source(num_classes=3)
    beginning, drawn = begin(path)
    assert set(beginning.anew) == HEAD
    assert beginning.why == "3 classes there, 5 here"
    assert same(beginning.tensors, drawn, HEAD)
    assert same(beginning.tensors, trained, trained.keys() - HEAD)


def test_weights_without_a_head_begin_a_new_one(source, begin):
    path, trained = source()
    save_file({name: tensor for name, tensor in trained.items() if name not in HEAD}, path)
    beginning, drawn = begin(path)
    assert beginning.why == "the source has no head"
    assert set(beginning.anew) == HEAD
    assert same(beginning.tensors, drawn, HEAD)


def test_a_head_that_must_be_kept_and_does_not_fit_is_refused(source, begin):
    path, _ = source(num_classes=3)
    with pytest.raises(CheckpointError, match=r"of another shape: head\.bias is 3 there and 5 here"):
        begin(path, head="keep")


@pytest.mark.parametrize("classes", [5, 3])
def test_a_head_may_begin_at_zero_or_as_drawn_though_it_fits(source, begin, classes):
    path, trained = source(num_classes=classes)
    for head in ("zero", "drawn"):
        beginning, drawn = begin(path, head=head)
        assert set(beginning.anew) == HEAD
        assert same(beginning.tensors, trained, trained.keys() - HEAD)
        expected = dict(drawn) if head == "drawn" else drawn | {"head.weight": torch.zeros_like(drawn["head.weight"])}
        assert same(beginning.tensors, expected, HEAD)
        assert beginning.why == f"start.head={head}"


def test_of_several_layers_of_a_head_the_last_begins_at_zero(tiny_spec, tmp_path):
    spec = tiny_spec(head="mlp")
    trained, drawn = (build(spec, seed=seed).state_dict() for seed in (9, 1))
    save_file(trained, tmp_path / "trained.safetensors")
    started = checkpoint.Spec(path=str(tmp_path / "trained.safetensors"), head="zero").begin(spec, drawn).tensors
    assert started["head.logits.weight"].count_nonzero() == 0
    assert torch.equal(started["head.pre_logits.weight"], drawn["head.pre_logits.weight"])


def test_a_head_that_cannot_start_from_zero_is_not_put_there(tiny_spec, tmp_path):
    spec = tiny_spec(head="cosine")
    with pytest.raises(SpecError, match=r"start\.head=zero: model\.head=cosine cannot start from zero"):
        checkpoint.Spec(path=str(tmp_path / "any.pt"), head="zero").begin(spec, build(spec).state_dict())


# ------------------------------------------------------------------------------------------------- what does not fit


def test_what_may_be_missing_begins_as_drawn(source, begin):
    path, trained = source()
    save_file({name: tensor for name, tensor in trained.items() if not name.startswith("pos_embed.")}, path)
    with pytest.raises(CheckpointError, match=r"does not fit this model; missing: pos_embed\."):
        begin(path)
    beginning, drawn = begin(path, missing=("pos_embed.*",))
    assert beginning.anew
    assert all(name.startswith("pos_embed.") for name in beginning.anew)
    assert same(beginning.tensors, drawn, beginning.anew)


def test_what_may_be_missing_is_taken_where_it_is_there(source, begin):
    path, trained = source()
    beginning, _ = begin(path, missing=("*",))
    assert beginning.anew == ()
    assert same(beginning.tensors, trained, trained)


def test_what_the_model_has_no_place_for_is_named(source, begin):
    path, trained = source()
    save_file(trained | {"decoder.weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match=r"does not fit this model; unknown: decoder\.weight"):
        begin(path)


@pytest.mark.parametrize(
    ("spoil", "why"), [(lambda t: t.int(), "not floating point"), (lambda t: t.fill_(float("nan")), "not finite")]
)
def test_what_is_no_weight_is_named(source, begin, spoil, why):
    path, trained = source()
    save_file(trained | {"norm.weight": spoil(trained["norm.weight"].clone())}, path)
    with pytest.raises(CheckpointError, match=rf"does not fit this model; {why}: norm\.weight"):
        begin(path)


def test_only_some_names_of_many_are_shown(source, begin):
    path, _ = source(depth=1)
    with pytest.raises(CheckpointError, match=r"missing: blocks\.1\.\S+, \S+, \S+ and \d+ more$"):
        begin(path)


# --------------------------------------------------------------------------------------------------------- the source


def test_a_file_a_checkpoint_folder_and_a_run_are_sources(tiny_spec, begin, tmp_path):
    model = build(tiny_spec(), seed=9)
    folder = save_model(tmp_path / "run" / "checkpoint", model, meta_of(tiny_spec()))
    for path in (folder, tmp_path / "run", folder / "model.safetensors"):
        assert same(begin(path)[0].tensors, model.state_dict(), model.state_dict())
        assert checkpoint.Spec(path=str(path)).resolved().checksum == _checksum(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("names", "anew", "said"),
    [
        ("abcde", set(), ""),
        ("edcba", HEAD, "other classes: e where the source has a"),
        ("abcdx", HEAD, "other classes: x where the source has e"),
        ("01234", HEAD, "other classes: 0 where the source has a"),
    ],
)
def test_a_head_of_as_many_classes_is_kept_where_they_are_the_same_in_the_same_order(
    names, anew, said, tiny_spec, tmp_path
):
    folder = save_model(tmp_path / "run" / "checkpoint", build(tiny_spec(), seed=9), meta_of(tiny_spec()))
    drawn = build(tiny_spec(), seed=1).state_dict()
    start = checkpoint.Spec(path=str(folder))
    beginning = start.begin(tiny_spec(), drawn, tuple(names))
    assert (set(beginning.anew), beginning.why) == (anew, said)
    if anew:
        with pytest.raises(CheckpointError, match=r"start\.head=keep: .* is of other classes"):
            replace(start, head="keep").begin(tiny_spec(), drawn, tuple(names))


def test_of_weights_that_only_number_their_classes_the_head_is_kept_by_its_shape(source, tiny_spec):
    path, _ = source()
    start = checkpoint.Spec(path=str(path))
    assert start.begin(tiny_spec(), build(tiny_spec(), seed=1).state_dict(), tuple("abcde")).anew == ()


def _checksum(path):
    return checkpoint.Spec(path=str(path)).resolved().checksum


def test_a_source_that_changed_since_is_refused(source, begin):
    path, trained = source()
    checksum = _checksum(path)
    begin(path, checksum=checksum)
    save_file({name: tensor + 1 for name, tensor in trained.items()}, path)
    with pytest.raises(CheckpointError, match=rf"{path} has changed: its checksum is not {checksum}"):
        begin(path, checksum=checksum)


def test_no_path_is_no_start():
    with pytest.raises(SpecError, match=r"set start\.path to a run, a checkpoint folder or a file of tensors"):
        checkpoint.Spec()


def test_the_content_names_a_run_and_not_the_place(tiny_run):
    def id_of(path, checksum):
        return spec_id(tiny_run({"start": {"name": "checkpoint", "path": path, "checksum": checksum}}))

    assert id_of("here", "aa") == id_of("there", "aa")
    assert id_of("here", "aa") != id_of("here", "bb")


# ----------------------------------------------------------------------------------------------------------- training


def starting_from(path, **settings):
    return {"start": {"name": "checkpoint", "path": str(path), **settings}}


@pytest.mark.slow
def test_a_run_of_other_classes_goes_on_where_it_was_cut(tiny_run, run_tiny, tmp_path, at_step, records_of):
    """The record says what began anew, and a resume needs the source no more."""
    other = replace(tiny_run().model, num_classes=12)
    save_model(tmp_path / "source" / "checkpoint", build(other, seed=9), meta_of(other))
    spec = tiny_run(starting_from(tmp_path / "source"), seed=1)
    run_tiny(spec, tmp_path / "straight")
    assert set(read_json(tmp_path / "straight" / "spec.json")["drawn"]) == HEAD
    at_step(7, crash)
    with pytest.raises(ConnectionError):
        run_tiny(spec, tmp_path / "cut")
    (tmp_path / "source").rename(tmp_path / "elsewhere")
    run_tiny(spec, tmp_path / "cut", resume=True)
    assert records_of(tmp_path / "cut") == records_of(tmp_path / "straight")


@pytest.mark.slow
def test_runs_of_different_starts_are_stacked(tiny_run, run_tiny, tmp_path):
    """Each begins with its own weights: one drawn, one trained."""
    run_tiny(tiny_run(), tmp_path / "source")
    specs = [tiny_run(), tiny_run(starting_from(tmp_path / "source", head="zero"))]
    overrides = Overrides(device="cpu", precision="fp64", kernel="explicit", threads=1)
    train(specs, [tmp_path / "a", tmp_path / "b"], overrides=overrides)
    for spec, name in zip(specs, "ab", strict=True):
        train([spec], [tmp_path / f"{name} alone"], overrides=overrides)
        stacked, alone = (read_json(tmp_path / each / "result.json") for each in (name, f"{name} alone"))
        assert stacked["metrics"]["test_loss"] == pytest.approx(alone["metrics"]["test_loss"], rel=1e-10)
    losses = [read_json(tmp_path / name / "result.json")["metrics"]["test_loss"] for name in "ab"]
    assert abs(losses[0] - losses[1]) > 1e-3


def test_a_start_is_a_factor_of_a_study(tiny_run, source):
    path, _ = source()
    starts = choice("start", {"scratch": {}, "trained": starting_from(path)})
    planned = plan(StudySpec("Does it help?", tiny_run(), OneAtATime((starts,)), num_seeds=4))
    assert [cell.candidates[0].spec.start.name for cell in planned.cells] == ["scratch", "checkpoint"]


def test_weights_begin_in_the_average_too(tiny_run, loop_of):
    loop = loop_of(tiny_run({"optim.ema": 0.9}))
    given = {name: torch.full_like(tensor, 0.25) for name, tensor in weights_of(loop).items()}
    loop.state.begin_with(0, given)
    assert same(weights_of(loop), given, given)
    assert same(loop.state.evaluated(0), given, given)


# ------------------------------------------------------------------------------------------------------ a path alone


def test_a_path_alone_means_a_start_from_there(source):
    path, _ = source()
    other = changed(recipe("digits"), {"start.path": str(path)})
    assert (other.start.path, other.start.checksum) == (str(path), _checksum(path))
    again = changed(other, {"start.path": str(path)})  # another path would have another checksum
    assert again.start == other.start
    given = changed(recipe("digits"), {"start": other.start, "start.path": str(path)})
    assert given.start == other.start


def test_a_start_of_ones_own_knows_what_its_path_means(tmp_path, monkeypatch, trusting_all):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mystart.py").write_text(
        "from dataclasses import dataclass\n"
        "from vitlab.train.start._base import StartSpec\n"
        "@dataclass(frozen=True)\n"
        "class Spec(StartSpec):\n"
        "    path: str = ''\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = changed(recipe("digits"), {"start": "pack.mystart"})
    assert changed(spec, {"start.path": "there"}).start.path == "there"


def test_what_does_not_fit_is_refused_before_anything_takes_its_time(source, tiny_spec):
    start = checkpoint.Spec(path=str(source()[0]))
    start.check(tiny_spec(num_classes=3))
    with pytest.raises(CheckpointError, match="does not fit this model"):
        start.check(tiny_spec(embed_dim=32, num_classes=3))
