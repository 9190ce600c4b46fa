"""Softmax attention by either kernel, for every mechanism that comes down to softmax(q kᵀ · scale + bias) v.

Queries may be fewer or more than keys: q [B, H, N, K], k and v [B, H, M, K], bias broadcasting to [B, H, N, M].
"""

from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from vitlab.base.errors import SpecError
from vitlab.nn.kernel import Kernel

# Not cuDNN's: on Hopper cards its backward pass has returned wrong gradients for years (pytorch/pytorch issues 139298,
# 150700, 196678), and flash attention is as fast at a ViT's sizes
FUSED = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


class ExplicitAttention(torch.autograd.Function):
    """softmax(q kᵀ · scale + bias) v with its gradient written out.

    Autograd's own version broadcasts, expands and copies between the same products; here each is one batched product
    of three-dimensional tensors, and the bias is added in place: fresh memory for N² numbers costs more than adding
    them. With p the weights: ∂v = pᵀ ∂y; ∂z = p ∘ (∂p - rowsum(p ∘ ∂p)), ∂p = ∂y vᵀ; ∂q = ∂z k · scale;
    ∂k = ∂zᵀ q · scale; ∂bias = ∂z, summed over what the bias is broadcast over.

    The weights are kept as constants. Where that gradient is to have a gradient itself, they are computed once more, so
    that autograd sees what they depend on.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """q [B, H, N, K], k and v [B, H, M, K] -> output [B, H, N, K], and the weights [B·H, N, M] for the gradient"""
        batch = q.shape[:2]
        q, k, v = q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1)
        logits = torch.bmm(q * scale, k.transpose(1, 2))
        if bias is not None:
            logits.unflatten(0, batch).add_(bias)
        weights = logits.softmax(-1)
        return torch.bmm(weights, v).unflatten(0, batch), weights

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        """Keep what the gradient needs."""
        *qkv, ctx.scale, bias = inputs
        ctx.set_materialize_grads(False)  # the weights get no gradient, and zeros for it would be as large as they are
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*qkv, bias, output[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: None) -> tuple[Tensor | None, ...]:
        """[B, H, N, K] -> the gradients of q, k, v, nothing for the scale, and that of the bias if it needs one"""
        q, k, v, bias, weights = ctx.saved_tensors
        batch = gradient.shape[:2]
        differentiated = torch.is_grad_enabled()
        if differentiated:
            weights = softmax_weights(q, k, ctx.scale, bias).flatten(0, 1)
        q, k, v, gradient = (t.flatten(0, 1) for t in (q, k, v, gradient))
        dv = torch.bmm(weights.transpose(1, 2), gradient)
        dp = torch.bmm(gradient, v.transpose(1, 2))
        if differentiated:
            dz = weights * (dp - (weights * dp).sum(-1, keepdim=True))
        else:
            dz = torch._softmax_backward_data(dp, weights, -1, weights.dtype)
        dq, dk = torch.bmm(dz, k * ctx.scale), torch.bmm(dz.transpose(1, 2), q * ctx.scale)
        dbias = dz.unflatten(0, batch).sum_to_size(bias.shape) if ctx.needs_input_grad[4] else None
        return dq.unflatten(0, batch), dk.unflatten(0, batch), dv.unflatten(0, batch), None, dbias


def softmax_weights(q: Tensor, k: Tensor, scale: float, bias: Tensor | None = None) -> Tensor:
    """softmax(q kᵀ · scale + bias): [B, H, N, K], [B, H, M, K] -> [B, H, N, M]"""
    logits = (q * scale) @ k.transpose(-2, -1)
    return (logits if bias is None else logits + bias).softmax(-1)


def _once(gradient: Tensor) -> None:
    """Refuse a gradient of the gradient, which PyTorch's kernel has not, with the way to one. Raises SpecError."""
    if torch.is_grad_enabled():
        raise SpecError("the fused kernel has no second derivatives: vitlab.nn.kernel.use_kernel(model, 'explicit')")


def softmax_attention(q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None, kernel: Kernel) -> Tensor:
    """softmax(q kᵀ · scale + bias) v: [B, H, N, K], [B, H, M, K] twice -> [B, H, N, K]"""
    if kernel == "fused":
        with sdpa_kernel(FUSED):
            attended = scaled_dot_product_attention(q, k, v, bias, scale=scale)
        if attended.requires_grad and not (torch.compiler.is_compiling() or is_functorch_wrapped_tensor(attended)):
            attended.register_hook(_once)
        return attended
    return ExplicitAttention.apply(q, k, v, scale, bias)[0]
