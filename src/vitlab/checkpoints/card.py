"""The card of an exported model, README.md: what it is, how it is used, what it was trained on and what it scored."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vitlab.base.env import versions
from vitlab.base.files import replacing
from vitlab.base.words import counted, some
from vitlab.checkpoints.trained import Trained
from vitlab.models.cost import cost


class Evidence(NamedTuple):
    """What records say of a model, in sentences: its training and its scores; empty where it has none."""

    training: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()


NONE = Evidence()


def write(out: Path, trained: Trained, format: str, used: str, apart: float, half: bool, evidence: Evidence) -> None:
    """Write the card into a folder."""
    lines = [*_model(trained, format, half), *_use(used, trained, half), *_evidence(trained, evidence)]
    lines.append(
        f"Compared with the model that it was written of on random images: logits differ by at most {apart:.1g}."
    )
    with replacing(out / "README.md") as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _model(trained: Trained, format: str, half: bool) -> Iterator[str]:
    spec = trained.model.spec
    spent, halved = cost(spec), " in half precision" if half else ""
    yield f"# A vision transformer, as {format} has it"
    yield ""
    yield (
        f"{spec.told()}; {spent.num_params:,} parameters{halved}, {spent.flops:,} FLOPs an image. "
        f"Written by vitlab {versions().get('vitlab', '')}."
    )
    yield ""


def _use(used: str, trained: Trained, half: bool) -> Iterator[str]:
    before, spec = trained.preprocessing, trained.model.spec
    precision = " of float16" if half else ""
    yield "## Use"
    yield ""
    yield f"    {used}"
    yield ""
    yield (
        f"Images are [batch, {spec.in_chans}, {spec.img_size[0]}, {spec.img_size[1]}]{precision}: a picture is "
        f"{before.told(spec.img_size)}."
    )
    yield ""
    if spec.num_classes:
        yield f"{counted(spec.num_classes, 'class', 'classes')}: {some(before.class_names)}."
        yield ""


def _evidence(trained: Trained, evidence: Evidence) -> Iterator[str]:
    said = [*trained.notes, *evidence.training, *evidence.scores]
    if said:
        yield "## Where it comes from"
        yield ""
        yield from (f"- {sentence}" for sentence in said)
        yield ""
