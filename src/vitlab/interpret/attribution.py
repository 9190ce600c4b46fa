"""What of a picture a class's logit is due to, patch by patch; and which of such answers is to be believed.

    gradient_relevance      weights of a block times the logit's gradient of them, above zero, a mean over heads
    integrated_gradients    the gradient along the way from a baseline to the image, times that way: adds up to the
                            difference of the two logits (arXiv 1703.01365, equation 1)
    occlusion               what the logit loses where a patch is covered (arXiv 1311.2901, section 4.2)
    deletion_insertion      how fast the class goes as the patches that are said to matter most are covered, and how
                            fast it comes as they are uncovered (arXiv 1806.07421, section 3.2)

The baseline is the image that all preprocessing calls zero: the colour that the training set has on average. Integrated
gradients and occlusion are Captum's (`pip install 'vitlab[inside]'`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from vitlab.base.errors import SpecError, UserError, unknown
from vitlab.interpret._given import check_classes, check_images, chosen_classes
from vitlab.interpret.attention import attention_maps, gradient_attention, read_row
from vitlab.interpret.grid import Grid, grid_of, over_picture
from vitlab.interpret.rollout import rollout
from vitlab.models.vit import ViT

Classes = Sequence[int] | Tensor | None
Method = Literal["attention", "rollout", "gradient_rollout", "gradient_attention", "integrated_gradients", "occlusion"]
_TOGETHER = 64  # images at once
_LEAST = 1e-6  # of a difference of logits, of which shares are told
_POINTS = 33  # of a curve of deletion, at most


def gradient_relevance(model: ViT, images: Tensor, classes: Classes = None, layer: int = -1) -> Tensor:
    """images [B, C, height, width] -> [B, rows, columns], of a block. Raises UserError for a mixer without attention.

    Of a block with several mixers it is their mean.
    """
    return read_row(model, gradient_attention(model, images, classes, [layer]).mean((0, 2)))


def integrated_gradients(
    model: ViT, images: Tensor, classes: Classes = None, baseline: Tensor | float = 0.0, steps: int = 64
) -> Tensor:
    """images [B, C, height, width] -> [B, C, height, width], which add up to logit(image) - logit(baseline), up to what
    `steps` of the integral (Gauss-Legendre) leave: of a model that bends sharply more are needed.
    """
    targets = _targets(model, images, classes)
    method = _captum("IntegratedGradients")(model)
    found: Tensor = method.attribute(
        images,
        baselines=_baseline(images, baseline),
        target=targets,
        n_steps=steps,
        method="gausslegendre",
        internal_batch_size=_TOGETHER,
    )
    return found.detach().cpu()


@torch.no_grad()
def integration_gap(
    model: ViT, images: Tensor, found: Tensor, classes: Classes = None, baseline: float = 0.0
) -> Tensor:
    """What integrated gradients [B, ...], of pixels or summed over patches, leave of the difference of two logits, as a
    share of it, [B]: how far they are from the integral. It is large where a model bends sharply, as norms do near a
    plain picture.
    """
    targets = _targets(model, images, classes)
    before, after = (
        model(each).gather(1, targets[:, None])[:, 0] for each in (torch.full_like(images, baseline), images)
    )
    difference = (after - before).cpu()
    return (found.flatten(1).sum(1) - difference).abs() / difference.abs().clamp_min(_LEAST)


@torch.no_grad()
def occlusion(
    model: ViT, images: Tensor, classes: Classes = None, baseline: float = 0.0, size: tuple[int, int] | None = None
) -> Tensor:
    """images [B, C, height, width] -> [B, height, width]: what the logit loses where a window over the pixel is
    covered; the windows lie side by side, `size` pixels, without it as large as a patch.
    """
    targets = _targets(model, images, classes)
    rows, columns = grid_of(model).rows, grid_of(model).columns
    height, width = model.spec.img_size
    window = (model.spec.in_chans, *(size or (height // rows, width // columns)))
    method = _captum("Occlusion")(model)
    found: Tensor = method.attribute(
        images,
        sliding_window_shapes=window,
        strides=window,
        baselines=baseline,
        target=targets,
        perturbations_per_eval=max(1, _TOGETHER // len(images)),
    )
    return found[:, 0].cpu()


def relevance(model: ViT, images: Tensor, method: Method = "rollout", classes: Classes = None) -> Tensor:
    """images [B, C, height, width] -> [B, rows, columns], by the name of a method: how much each patch is said to
    matter. Of the parts that integrated gradients give to pixels a patch has the sum. Raises SpecError for an unknown
    name, UserError where the model has not what a method needs.
    """
    check_images(model, images)
    methods: dict[str, Callable[[], Tensor]] = {
        "attention": lambda: read_row(model, attention_maps(model, images, layers=[-1])[0].mean(1)),
        "rollout": lambda: read_row(model, rollout(model, images)),
        "gradient_rollout": lambda: read_row(model, rollout(model, images, "gradients", classes=classes)),
        "gradient_attention": lambda: gradient_relevance(model, images, classes),
        "integrated_gradients": lambda: _summed(model, integrated_gradients(model, images, classes).sum(1)),
        "occlusion": lambda: _mean(model, occlusion(model, images, classes)),
    }
    if method not in methods:
        raise SpecError(unknown("method", method, list(get_args(Method))))
    return methods[method]()


class Areas(NamedTuple):
    """The probability of a class [B, points] as patches are covered and as they are uncovered, the most relevant first,
    with the `share` [points] of them; and the areas below both [B]. Of a good answer the first is small and the second
    large; that of a random order says what is easy.
    """

    share: Tensor
    deletion: Tensor
    insertion: Tensor

    @property
    def deletion_area(self) -> Tensor:
        """[B], from 0 to 1"""
        return torch.trapezoid(self.deletion, self.share)

    @property
    def insertion_area(self) -> Tensor:
        """[B], from 0 to 1"""
        return torch.trapezoid(self.insertion, self.share)


@torch.no_grad()
def deletion_insertion(
    model: ViT, images: Tensor, relevant: Tensor, classes: Classes = None, baseline: float = 0.0
) -> Areas:
    """images [B, C, height, width] and how much their patches are said to matter [B, rows, columns] -> what becomes of
    the class without them, and with them alone. Raises SpecError for what is not of these images.
    """
    grid = grid_of(model)
    if relevant.shape != (len(images), grid.rows, grid.columns):
        raise SpecError(f"relevance of shape {list(relevant.shape)}: expected {[len(images), grid.rows, grid.columns]}")
    targets = _targets(model, images, classes)
    order = relevant.flatten(1).argsort(dim=1, descending=True, stable=True)
    counts = torch.linspace(0, order.shape[1], min(_POINTS, order.shape[1] + 1)).round().long()
    says = partial(_probabilities, model, grid=grid, order=order, counts=counts, targets=targets)
    covered = torch.full_like(images, baseline)
    return Areas(counts / order.shape[1], says(images, covered), says(covered, images))


def _probabilities(
    model: ViT, start: Tensor, end: Tensor, grid: Grid, order: Tensor, counts: Tensor, targets: Tensor
) -> Tensor:
    """[B, points]: of each image's class, where as many patches of `order` are those of `end`, the others `start`'s"""
    said = []
    for each, (first, last, patches) in enumerate(zip(start, end, order, strict=True)):
        place = torch.empty_like(patches).scatter_(0, patches, torch.arange(len(patches)))
        gone = (place < counts[:, None]).unflatten(1, (grid.rows, grid.columns)).float()
        mask = over_picture(gone, model.spec.img_size)[:, None].bool().to(start.device)
        mixed = torch.where(mask, last, first)
        logits = torch.cat([model(some) for some in mixed.split(_TOGETHER)])
        said.append(logits.softmax(-1)[:, targets[each]].cpu())
    return torch.stack(said)


def _targets(model: ViT, images: Tensor, classes: Classes) -> Tensor:
    check_images(model, images)
    check_classes(model, "logit that could be due to something")
    with torch.no_grad():
        return chosen_classes(torch.cat([model(some) for some in images.split(_TOGETHER)]), classes)


def _summed(model: ViT, pixels: Tensor) -> Tensor:
    """[B, height, width] -> the sum over each patch, [B, rows, columns]"""
    grid = grid_of(model)
    return _mean(model, pixels) * (pixels.shape[1] * pixels.shape[2] / (grid.rows * grid.columns))


def _mean(model: ViT, pixels: Tensor) -> Tensor:
    """[B, height, width] -> the mean over each patch, [B, rows, columns]"""
    grid = grid_of(model)
    return adaptive_avg_pool2d(pixels[:, None], (grid.rows, grid.columns))[:, 0]


def _baseline(images: Tensor, baseline: Tensor | float) -> Tensor:
    return torch.as_tensor(baseline, dtype=images.dtype, device=images.device).expand_as(images)


def _captum(name: str) -> Any:
    """A class of Captum's. Raises UserError where it is not installed."""
    try:
        from captum import attr
    except ModuleNotFoundError:
        raise UserError(f"{name} is Captum's, which is not installed: pip install 'vitlab[inside]'") from None
    return getattr(attr, name)
