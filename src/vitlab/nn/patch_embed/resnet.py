"""The hybrid's embedding: a ResNet, and a projection of its feature map (arXiv 2010.11929, section 3.1, "Hybrid").

    stem       7×7 convolution of stride 2 to 64 channels, group norm, ReLU, 3×3 max-pool of stride 2
    stage i    bottlenecks of inner width 64·2^i and output 256·2^i; the first stage has stride 1, each further one 2
    bottleneck relu(shortcut(x) + norm3(conv3(relu(norm2(conv2(relu(norm1(conv1(x)))))))))      1×1, 3×3, 1×1
    proj       a convolution whose kernel and stride are what is left of the patch: patch_size / (4·2^(stages - 1))

    [B, C, height, width] -> [B, 256·2^(stages - 1), height / stride, width / stride] -> [B, L, D]

Convolutions have no bias and standardised weights (arXiv 1903.10520), norms are group norms of 32 groups, and padding
is TensorFlow's SAME: as many outputs as ceil(size / stride), with the greater half of the padding behind. The official
code divides weights by σ + 1e-5 and has group norms of eps 1e-6, timm divides by √(σ² + 1e-8) and has eps 1e-5: set
both as the checkpoint wants them. R50+B/16 has the stages 3, 4, 9, those of a ResNet-50 with the blocks of the last one
moved into the third, so that the stride is 16 and not 32. Parameter names are timm's. `norm3` of every bottleneck
starts with a scale of zero, as in the official code (in timm's with one), so that every bottleneck starts as its
shortcut. Differs from the official code in the first weights of the convolutions, which are `init`'s. Cost: O(L) in
tokens.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad

from vitlab.base.errors import SpecError
from vitlab.nn.dims import BlockDims
from vitlab.nn.patch_embed._base import PatchEmbed, PatchEmbedSpec, as_tokens

Standardisation = Literal["official", "timm"]

_RESNET50 = {4: (3,), 8: (3, 4), 16: (3, 4, 9), 32: (3, 4, 6, 3)}  # the stages of each stride


def standardised(weight: Tensor, how: Standardisation) -> Tensor:
    """[out, in, k, k] -> the same with mean 0 and spread 1 over each output channel's values.

    Everything follows from the centred weight: on a CPU `var_mean` takes seven times as long. The norm, and not a
    square root, because a filter of equal values then has a gradient of zero and not NaN.
    """
    rows = weight.flatten(1)
    centred = rows - rows.mean(1, keepdim=True)
    spread = torch.linalg.vector_norm(centred, dim=1, keepdim=True) * rows.shape[1] ** -0.5
    scale = 1 / (spread + 1e-5) if how == "official" else (spread.square() + 1e-8).rsqrt()
    return (centred * scale).view_as(weight)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding before and behind `size` values; PyTorch has it for a stride of 1 only."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def pad_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """[B, C, height, width] -> the same with zeros around"""
    padding = (*same_padding(x.shape[-1], kernel, stride), *same_padding(x.shape[-2], kernel, stride))
    return pad(x, padding) if any(padding) else x


class StdConv(nn.Conv2d):
    """A convolution with standardised weight, SAME padding and no bias."""

    def __init__(self, narrow: int, wide: int, kernel: int, stride: int, how: Standardisation):
        # At a stride of 1 an odd kernel's SAME padding is symmetric, and the convolution itself can pad.
        super().__init__(narrow, wide, kernel, stride, padding=kernel // 2 if stride == 1 else 0, bias=False)
        self.how: Standardisation = how

    def forward(self, x: Tensor) -> Tensor:
        """[B, narrow, height, width] -> [B, wide, ceil(height / stride), ceil(width / stride)]"""
        if self.stride[0] > 1:
            x = pad_same(x, self.kernel_size[0], self.stride[0])
        return conv2d(x, standardised(self.weight, self.how), None, self.stride, self.padding)


@dataclass(frozen=True)
class Layers:
    """How this ResNet makes its convolutions and its norms."""

    how: Standardisation
    norm_eps: float

    def conv(self, narrow: int, wide: int, kernel: int, stride: int = 1) -> StdConv:
        """A convolution."""
        return StdConv(narrow, wide, kernel, stride, self.how)

    def norm(self, width: int) -> nn.GroupNorm:
        """A group norm."""
        return nn.GroupNorm(32, width, eps=self.norm_eps)


class Stem(nn.Module):
    """Down to a quarter of the image, with 64 channels."""

    def __init__(self, layers: Layers, in_chans: int):
        super().__init__()
        self.conv, self.norm = layers.conv(in_chans, 64, 7, stride=2), layers.norm(64)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, 64, height / 4, width / 4]"""
        x = self.norm(self.conv(images)).relu()
        return max_pool2d(pad_same(x, 3, 2), 3, stride=2)  # zeros never win: after a ReLU nothing is smaller


class Downsample(nn.Module):
    """The shortcut of a bottleneck that changes width or resolution."""

    def __init__(self, layers: Layers, narrow: int, wide: int, stride: int):
        super().__init__()
        self.conv, self.norm = layers.conv(narrow, wide, 1, stride), layers.norm(wide)

    def forward(self, x: Tensor) -> Tensor:
        """[B, narrow, height, width] -> [B, wide, height / stride, width / stride]"""
        return self.norm(self.conv(x))


class Bottleneck(nn.Module):
    """The residual unit, activated after the sum; the 3×3 convolution carries the stride."""

    def __init__(self, layers: Layers, narrow: int, wide: int, stride: int, changes: bool):
        super().__init__()
        self.downsample = Downsample(layers, narrow, wide, stride) if changes else nn.Identity()
        self.conv1, self.norm1 = layers.conv(narrow, wide // 4, 1), layers.norm(wide // 4)
        self.conv2, self.norm2 = layers.conv(wide // 4, wide // 4, 3, stride), layers.norm(wide // 4)
        self.conv3, self.norm3 = layers.conv(wide // 4, wide, 1), layers.norm(wide)
        nn.init.zeros_(self.norm3.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[B, narrow, height, width] -> [B, wide, height / stride, width / stride]"""
        inner = self.norm1(self.conv1(x)).relu()
        inner = self.norm2(self.conv2(inner)).relu()
        return (self.downsample(x) + self.norm3(self.conv3(inner))).relu()


class Stage(nn.Module):
    """Bottlenecks of one width; the first one changes width and resolution."""

    def __init__(self, layers: Layers, narrow: int, wide: int, stride: int, depth: int):
        super().__init__()
        first = Bottleneck(layers, narrow, wide, stride, changes=True)
        rest = (Bottleneck(layers, wide, wide, 1, changes=False) for _ in range(depth - 1))
        self.blocks = nn.Sequential(first, *rest)

    def forward(self, x: Tensor) -> Tensor:
        """[B, narrow, height, width] -> [B, wide, height / stride, width / stride]"""
        return self.blocks(x)


class Backbone(nn.Module):
    """Stem and stages."""

    def __init__(self, layers: Layers, in_chans: int, depths: tuple[int, ...]):
        super().__init__()
        self.stem = Stem(layers, in_chans)
        widths = (64, *(256 << stage for stage in range(len(depths))))
        self.stages = nn.Sequential(
            *(
                Stage(layers, narrow, wide, stride=1 if stage == 0 else 2, depth=depths[stage])
                for stage, (narrow, wide) in enumerate(pairwise(widths))
            )
        )

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, 256·2^(stages - 1), height / stride, width / stride]"""
        return self.stages(self.stem(images))


class ResNet(PatchEmbed):
    """`backbone` and `proj`."""

    def __init__(self, dims: BlockDims, layers: Layers, stages: tuple[int, ...]):
        super().__init__()
        self.backbone = Backbone(layers, dims.in_chans, stages)
        rest = (dims.patch_size[0] // _stride(stages), dims.patch_size[1] // _stride(stages))
        self.proj = nn.Conv2d(256 << (len(stages) - 1), dims.embed_dim, rest, stride=rest)

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> [B, L, D]"""
        return as_tokens(self.proj(self.backbone(images)))


def _stride(stages: tuple[int, ...]) -> int:
    """Pixels of the image to one of the feature map."""
    return 2 << len(stages)


@dataclass(frozen=True)
class Spec(PatchEmbedSpec):
    """`stages`, the bottlenecks of each stage; how weights are standardised; `norm_eps`, of the group norms.

    Without `stages` they are those of a ResNet-50 as far as `patch_size` reaches: 3 for patches of 4, 3, 4 for 8,
    3, 4, 9 for 16, 3, 4, 6, 3 for 32. The paper's R26 has 2, 2, 2, 2.
    """

    mixes_patches: ClassVar[bool] = True
    stages: tuple[int, ...] | None = None
    weight_standardisation: Standardisation = "official"
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        if self.stages is not None and (not self.stages or any(depth <= 0 for depth in self.stages)):
            raise SpecError(f"patch_embed.stages={self.stages}: must be positive numbers, at least one, or null")
        if self.stages is not None and (len(self.stages) > 8 or sum(self.stages) > 1000):
            raise SpecError("patch_embed.stages: at most 8 stages, of 1,000 bottlenecks in all")
        if self.norm_eps < 0:
            raise SpecError(f"patch_embed.norm_eps={self.norm_eps}: must not be negative")

    def depths(self, dims: BlockDims) -> tuple[int, ...]:
        """The bottlenecks of each stage."""
        return self.stages or _RESNET50[max(gcd(*dims.patch_size, 32), 4)]

    def build(self, dims: BlockDims) -> PatchEmbed:
        return ResNet(dims, Layers(self.weight_standardisation, self.norm_eps), self.depths(dims))

    def conflict(self, dims: BlockDims) -> str | None:
        stages = self.depths(dims)
        stride = _stride(stages)
        if any(side % stride for side in dims.patch_size):
            return (
                f"patch_embed=resnet has a stride of {stride} with stages={stages}, and patch_size={dims.patch_size} "
                f"is not a multiple of it; legal: multiples of 4·2^(stages - 1) pixels, so of 4 with one stage"
            )
        return None
