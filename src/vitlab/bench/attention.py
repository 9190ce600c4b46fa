"""The attention bench: every attention and mixer against the number of tokens, in time forward, a step's time, memory.

What is timed is one mixer with its residual, tokens [B, N, D] -> [B, N, D], projections included, since a model pays
those too. The batch shrinks as the tokens grow, so that a call always handles about as many; figures are per image. At
every number of tokens all take turns, so that ratios to softmax attention are of one machine in one mood. Softmax
attention stands there with both of its kernels, the fused one being flash attention on a GPU.

Each mechanism is also timed as its plain definition, the [N, N] weights formed and applied. A mechanism that is slower
than that has no business being called fast.
"""

import multiprocessing
import typing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import psutil
import torch
from torch import Tensor

from vitlab.base.env import environment
from vitlab.base.errors import SpecError, UserError, unknown
from vitlab.base.going_on import Say, unsaid
from vitlab.base.spec import component_names, to_dict, with_settings
from vitlab.bench.contest import Contestant, ratio, run_rounds
from vitlab.models.spec import ViTSpec
from vitlab.nn.attention._base import Attention, AttentionSpec
from vitlab.nn.init._base import initialise
from vitlab.nn.kernel import Kernel, use_kernel
from vitlab.nn.mixer._base import Mixer, MixerSpec
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.train.machine.memory import process_peak_bytes

Mode = Literal["forward", "step"]
Form = Literal["fast", "definition"]

TOKENS = (64, 256, 1024, 4096, 16384)
BATCH_TOKENS = 8192  # tokens in a call, as long as one image has no more
NOISE = 0.02  # a lead that two measurements of the same thing may have over each other
DEFINITION_UP_TO = 4096  # tokens; beyond, N × N weights say nothing that is not known


@dataclass(frozen=True)
class Mechanism:
    """A row of the table: the model settings that make it, and the kernel it runs on where it has the choice."""

    name: str
    settings: tuple[tuple[str, str], ...]
    kernel: Kernel | None

    def __str__(self) -> str:
        return self.name + (f", {self.kernel}" if self.kernel else "")


@dataclass(frozen=True)
class Setting:
    """What all rows have in common."""

    model: ViTSpec  # gives the width, the attention heads and the biases
    device: torch.device
    dtype: torch.dtype

    def spec(self, mechanism: Mechanism, tokens: int) -> ViTSpec:
        """A model of `tokens` patches and nothing else with this mechanism. Raises SpecError if it cannot be."""
        rows = 1 << max(tokens.bit_length() - 1, 0) // 2
        (height, width), bare = self.model.patch_size, {"cls_token": False, "pool": "mean", "pos_embed": "none"}
        if tokens <= 0 or tokens % rows:
            raise UserError(f"--tokens {tokens}: must form a grid of patches; any power of two does")
        sizes = {"img_size": [rows * height, tokens // rows * width], "num_registers": 0, "dist_token": False}
        return with_settings(self.model, {**bare, **sizes, "patch_embed": "linear", **dict(mechanism.settings)})

    def batch(self, tokens: int) -> int:
        """Images in a call."""
        return max(1, BATCH_TOKENS // tokens)


def mechanisms(setting: Setting, only: Sequence[str] = ()) -> list[Mechanism]:
    """Every attention in the model's mixer, and every other mixer, with each of its kernels.

    Raises UserError for an unknown one in `only`.
    """
    everything = [("attention", name) for name in component_names(AttentionSpec.family)]
    everything += [("mixer", name) for name in component_names(MixerSpec.family) if name != setting.model.mixer.name]
    names = [name for _, name in everything]
    for name in only:
        if name not in names:
            raise UserError(unknown("attention or mixer", name, names))
    wanted = [Mechanism(name, ((family, name),), None) for family, name in everything if not only or name in only]
    return [replace(row, kernel=kernel) for row in wanted for kernel in _kernels(setting, row)]


def _kernels(setting: Setting, mechanism: Mechanism) -> tuple[Kernel | None, ...]:
    """The kernels that it has the choice of; none for what cannot be built, which is told later."""
    try:
        spec = setting.spec(mechanism, TOKENS[0])
    except SpecError:
        return (None,)
    with torch.device("meta"):
        parts = spec.mixer.build(spec.dims()).modules()
    return typing.get_args(Kernel) if any(hasattr(part, "kernel") for part in parts) else (None,)


def build(setting: Setting, mechanism: Mechanism, tokens: int, form: Form = "fast") -> Mixer:
    """The mixer on its device, with initial weights."""
    spec = setting.spec(mechanism, tokens)
    mixer = spec.mixer.build(spec.dims())
    initialise(mixer, spec.init, seed=0)
    if mechanism.kernel is not None:
        use_kernel(mixer, mechanism.kernel)
    if form == "definition":
        for part in mixer.modules():
            if isinstance(part, Attention):
                part.forward = _definition(part)  # type: ignore[method-assign]
    return mixer.to(setting.device, setting.dtype)


def _definition(attention: Attention) -> Callable[..., Tensor]:
    def forward(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None, keys: Tensor | None = None) -> Tensor:
        return attention.weights(q, k, bias) @ v

    return forward


def work(setting: Setting, mechanism: Mechanism, tokens: int, mode: Mode, form: Form = "fast") -> Contestant:
    """Forward alone; or forward and the gradient with respect to tokens and weights."""
    mixer, nowhere = build(setting, mechanism, tokens, form), PosEmbed()
    shape = (setting.batch(tokens), tokens, setting.model.embed_dim)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(setting.device, setting.dtype)

    @torch.inference_mode()
    def forward() -> Tensor:
        return x + mixer(x, nowhere)

    learned = [x.clone().requires_grad_(), *mixer.parameters()]

    def step() -> tuple[Tensor, ...]:
        tokens = learned[0]
        return torch.autograd.grad((tokens + mixer(tokens, nowhere)).square().sum(), learned, allow_unused=True)

    return Contestant(str(mechanism), f"{mode}, {form}", shape[0], forward if mode == "forward" else step)


# ------------------------------------------------------------------------------------------------------------- memory


def peak_memory(setting: Setting, mechanism: Mechanism, tokens: Sequence[int]) -> dict[int, int]:
    """The most bytes that one image of a training step takes, for as many of `tokens` as half the memory allows.

    On a CPU a process knows its peak only, so each mechanism works in a process of its own, short sequences first.
    """
    if setting.device.type == "cuda":
        return _measured(setting, mechanism, tokens)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_measured, setting, mechanism, tokens).result()


def _measured(setting: Setting, mechanism: Mechanism, tokens: Sequence[int]) -> dict[int, int]:
    peaks: dict[int, int] = {}
    held = psutil.Process().memory_info().rss
    for count in sorted(tokens):
        if peaks and _foreseen(peaks, count) * setting.batch(count) > _memory(setting.device) / 2:
            break
        step = work(setting, mechanism, count, "step").work
        peaks[count] = _peak(setting.device, step, held) // setting.batch(count)
    return peaks


def _foreseen(peaks: dict[int, int], tokens: int) -> float:
    """Bytes an image at most, if the memory grew with the square of the tokens since the longest so far."""
    longest = max(peaks)
    return peaks[longest] * (tokens / longest) ** 2


def _memory(device: torch.device) -> int:
    on_gpu = device.type == "cuda"
    return torch.cuda.mem_get_info(device)[0] if on_gpu else psutil.virtual_memory().available


def _peak(device: torch.device, step: Callable[[], object], held: int) -> int:
    """Bytes that a step takes on a GPU; on a CPU the process's peak above what it `held` before anything was built."""
    if device.type != "cuda":
        step()
        return process_peak_bytes() - held
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    return torch.cuda.max_memory_allocated(device) - before


# ------------------------------------------------------------------------------------------------------------- table


def bench_attention(
    setting: Setting,
    tokens: Sequence[int],
    rounds: int,
    only: Sequence[str] = (),
    seconds: float = 0.1,
    say: Say = unsaid,
) -> dict[str, Any]:
    """The figures of every mechanism at every number of tokens, as plain values; see `docs/results.md`.

    `say` is told what is being measured: a whole table takes long.
    """
    rows = mechanisms(setting, only)
    missing: dict[str, str] = {}
    rows = [row for row in rows if _can_be(setting, row, tokens, missing)]
    memory = {}
    for row in rows:
        say(f"memory of {row}")
        memory[row] = peak_memory(setting, row, tokens)
    points: dict[Mechanism, list[dict[str, Any]]] = {row: [] for row in rows}
    for count in sorted(tokens):
        able = [row for row in rows if count in memory[row]]
        for row, point in _at(setting, able, count, rounds, seconds, say):
            points[row].append(point | {"peak_memory_bytes": memory[row][count]})
    return {
        "tokens": sorted(tokens),
        "embed_dim": setting.model.embed_dim,
        "num_heads": setting.model.num_heads,
        "dtype": str(setting.dtype).removeprefix("torch."),
        "batch_tokens": BATCH_TOKENS,
        "rounds": rounds,
        "noise": NOISE,
        "mechanisms": [_row(setting, row, points[row], sorted(tokens)) for row in rows],
        "missing": missing,
        "env": environment(),
    }


def _can_be(setting: Setting, row: Mechanism, tokens: Sequence[int], missing: dict[str, str]) -> bool:
    try:
        for count in tokens:
            setting.spec(row, count)
    except SpecError as error:
        missing[str(row)] = str(error)
        return False
    return True


def _at(
    setting: Setting, rows: Sequence[Mechanism], tokens: int, rounds: int, seconds: float, say: Say
) -> Iterator[tuple[Mechanism, dict[str, Any]]]:
    """Everybody's figures at one number of tokens."""
    modes: tuple[Mode, ...] = ("forward", "step")
    fast = {(row, mode): work(setting, row, tokens, mode) for row in rows for mode in modes}
    plain = {
        (row, mode): work(setting, row, tokens, mode, "definition")
        for row, mode in fast
        if tokens <= DEFINITION_UP_TO and setting.spec(row, tokens).mixer.uses_attention
    }
    run_rounds(
        [*fast.values(), *plain.values()],
        setting.device,
        rounds,
        seconds,
        say=lambda what: say(f"{tokens:,} tokens, {what}"),
    )
    softmax = [row for row in rows if row.name == "softmax"]
    for row in rows:
        point: dict[str, Any] = {"tokens": tokens, "batch_size": setting.batch(tokens)}
        for mode in modes:
            mine = fast[row, mode]
            point[f"{mode}_seconds"] = 1 / mine.images_per_second
            point[f"{mode}_vs_softmax"] = min((ratio(mine, fast[s, mode]) for s in softmax), default=None)
            point[f"{mode}_vs_definition"] = ratio(mine, plain[row, mode]) if (row, mode) in plain else None
        yield row, point


def _row(setting: Setting, row: Mechanism, points: list[dict[str, Any]], tokens: list[int]) -> dict[str, Any]:
    spec = setting.spec(row, tokens[0])
    used = spec.attention if row.settings[0][0] == "attention" else spec.mixer
    reached = [point["tokens"] for point in points]
    return {
        "name": row.name,
        "label": str(row),
        "kernel": row.kernel,
        "settings": to_dict(used),
        "points": points,
        "beats_softmax_from": {mode: beats_from(points, f"{mode}_vs_softmax") for mode in ("forward", "step")},
        "left_out": {str(count): "it needs more than half of the memory" for count in tokens if count not in reached},
    }


def beats_from(points: Sequence[dict[str, Any]], key: str) -> int | None:
    """The number of tokens from which on a ratio stays above one; None if it is not clearly so at the end."""
    if not points or points[-1][key] is None or points[-1][key] < 1 + NOISE:
        return None
    first = None
    for point in reversed(points):
        if point[key] is None or point[key] <= 1:
            break
        first = point["tokens"]
    return first
