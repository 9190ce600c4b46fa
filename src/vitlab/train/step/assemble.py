"""The assembly of a loop: learners, weights, loaders and what computes with them, before the first step."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitlab.augment.pipeline import Pipeline
from vitlab.base.errors import SpecError
from vitlab.data.images import CutsOf, ImageSet, Pictures, Stream
from vitlab.data.loader import Indexed, Joined, Loader, Samples, Streamed
from vitlab.learner import Learner, build_learner
from vitlab.nn.kernel import use_kernel
from vitlab.preprocessing import Preprocessing
from vitlab.processes import ALONE, Processes
from vitlab.train.machine.choices import Choices
from vitlab.train.machine.gradient_checkpointing import checkpoint_blocks
from vitlab.train.machine.memory import keep_freed_memory
from vitlab.train.spec import RunSpec
from vitlab.train.stacking import sections
from vitlab.train.step.gradient import BatchGradient
from vitlab.train.step.loop import Loop
from vitlab.train.step.meter import Meter
from vitlab.train.step.stack import score_function
from vitlab.train.step.state import Pacing, TrainState
from vitlab.train.step.weights import Placement, Weights


def build_loop(
    specs: Sequence[RunSpec], images: ImageSet, indices: Tensor, choices: Choices, processes: Processes = ALONE
) -> Loop:
    """Runs of one structure as one loop over `indices` of the training images. Raises SpecError for others."""
    stacked = sections(specs)
    device = torch.device(choices.device)
    if device.type == "cpu":
        keep_freed_memory()
    learners = [build_learner(spec.model, spec.task, spec.seed) for spec in specs]
    learner, kinds = learners[0], learners[0].kinds()
    pacing = [Pacing(rows, spec.optim.groups(kinds, spec.model.depth)) for rows, spec in stacked]
    weights = _weights(specs, learners, pacing, choices)
    _prepare(learner, weights, choices)
    learner.task.adapt(_labels(images.train, indices))
    scores = score_function(learner, weights, choices.compiled)
    share = processes.shard(specs[0].batch_size)
    loaders = [loader_of(specs[rows], images, indices, choices, share) for rows, _ in stacked]
    return Loop(
        sections=stacked,
        learner=learner,
        loader=Joined(loaders) if len(loaders) > 1 else loaders[0],
        scores=scores,
        gradient=BatchGradient(scores, weights, choices.micro_batch, processes),
        state=TrainState(weights, specs[0].optim, pacing),
        meter=Meter(len(specs), device),
    )


def _weights(
    specs: Sequence[RunSpec], learners: Sequence[Learner], pacing: Sequence[Pacing], choices: Choices
) -> Weights:
    """The flat weights of all runs, where and in which types the choices say."""
    averaged = specs[0].optim.ema is not None
    placement = Placement(torch.device(choices.device), choices.master_dtype, choices.compute_dtype, averaged)
    return Weights(pacing[0].groups, [learner.tensors() for learner in learners], placement)


def _prepare(learner: Learner, weights: Weights, choices: Choices) -> None:
    """Bring the one learner that all runs compute with to the device, in the way that was chosen."""
    learner.to(choices.device, choices.compute_dtype)
    use_kernel(learner, choices.kernel)
    if choices.checkpointing:
        checkpoint_blocks(learner.model, weights.runs, choices.compiled)
    if weights.runs == 1:  # a stack is handed its weights at every call
        learner.install(weights.leaves)


def _labels(train: Pictures | Stream, indices: Tensor) -> Tensor | None:
    """The labels of the training images, each once, however often it is sampled; None of a stream, which tells them
    as they come.
    """
    return None if isinstance(train, Stream) else train.labels[indices.unique().to(train.labels.device)]


def loader_of(
    specs: Sequence[RunSpec], images: ImageSet, indices: Tensor, choices: Choices, share: slice | None = None
) -> Loader:
    """The batches of runs that differ in their seed only; `share` is what this process takes of each."""
    first, seeds = specs[0], torch.tensor([spec.seed for spec in specs])
    pipeline = augmentation_of(first, images, choices)
    samples = samples_of(first, images.train, indices, seeds, pipeline.cuts)
    return Loader(samples, pipeline, first.batch_size, seeds, share)


def samples_of(spec: RunSpec, train: Pictures | Stream, indices: Tensor, seeds: Tensor, cuts_of: CutsOf) -> Samples:
    """The runs' sample streams: those of `indices` in exact order, or what a streamed set gives; cropped by key."""
    if not isinstance(train, Stream):
        return Indexed(train, indices, seeds, spec.repeats, cuts_of)
    if spec.repeats > 1:
        raise SpecError(
            f"repeats={spec.repeats} and data.streaming=True: a stream gives every picture once; set repeats=1"
        )
    return Streamed([train.reader(seed, cuts_of) for seed in seeds.tolist()], train.samples_per_epoch)


def preprocessing_of(spec: RunSpec, images: ImageSet) -> Preprocessing:
    """What a picture of this run goes through."""
    return Preprocessing.of(images, spec.data.img_size, spec.preprocess)


def augmentation_of(spec: RunSpec, images: ImageSet, choices: Choices) -> Pipeline:
    """What happens to a training batch's pixels."""
    return preprocessing_of(spec, images).training_pipeline(spec.augment, spec.model.num_classes, choices.compute_dtype)
