"""Tiny models of transformers with random weights, in double precision, and what they say of images."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 8,
    "patch_size": 4,
}
DINOV2 = {name: value for name, value in SIZES.items() if name != "intermediate_size"} | {"mlp_ratio": 2}
PATCHES = {name: value for name, value in SIZES.items() if name != "image_size"} | {"num_patches": 4}
_TEXT = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 50,
    "max_position_embeddings": 8,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def with_text(vision: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The configuration of a whole model around a tower."""
    return {"vision_config": vision, "text_config": _TEXT, **settings}


@torch.no_grad()
def model_of(architecture: str, config: dict[str, Any], randomise: Any) -> Any:
    """A model of such a class; the default precision is double."""
    import transformers

    kind = getattr(transformers, architecture)
    model = randomise(kind(kind.config_class(**config)).eval())
    if architecture.startswith("Siglip2"):  # which interpolates its table in single precision
        table = dict(model.named_parameters())[_table(model)]
        table.copy_(table.float())
    return model


def _table(model: nn.Module) -> str:
    return next(
        name
        for name, _ in model.named_parameters()
        if name.endswith("position_embedding.weight") and "text" not in name
    )


def exact_rotation(monkeypatch: Any, model: Any) -> None:
    """Have a DINOv3 compute its angles in double precision: it does so in single precision, whatever it computes in."""
    from transformers.models.dinov3_vit import modeling_dinov3_vit as module

    coordinates, rope = module.get_patches_center_coordinates, model.rope_embeddings
    patched = lambda rows, columns, dtype, device: coordinates(rows, columns, torch.float64, device)  # noqa: E731
    monkeypatch.setattr(module, "get_patches_center_coordinates", patched)
    rope.inv_freq = 1 / rope.base ** torch.arange(0, 1, 4 / rope.head_dim, dtype=torch.float64)


@torch.no_grad()
def said_by(model: Any, images: Tensor, **asked: Any) -> Tensor:
    """Its logits, or the features that one would put a head on; `asked` is what it is told besides the images."""
    name = type(model).__name__
    if name.startswith("Siglip2"):
        return _of_patches(model, images)
    if name == "CLIPModel":
        return model.get_image_features(images).pooler_output
    tower = model.vision_model if name == "SiglipModel" else model
    return _read(tower(images, **asked), hasattr(tower, "pooler"))


def _of_patches(model: Any, images: Tensor) -> Tensor:
    """Of a class that is given patches that are cut beforehand, [B, L, P·P·C]."""
    patches = images.unflatten(3, (-1, 4)).unflatten(2, (-1, 4)).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
    grid = torch.tensor([[images.shape[2] // 4, images.shape[3] // 4]]).expand(len(images), -1)
    tower = model.vision_model if type(model).__name__ == "Siglip2Model" else model
    mask = torch.ones(patches.shape[:2], dtype=torch.long)
    return _read(tower(patches.flatten(2), pixel_attention_mask=mask, spatial_shapes=grid), False)


def _read(outputs: Any, has_pooler: bool) -> Tensor:
    for name in ("logits", "image_embeds"):
        if hasattr(outputs, name):
            return getattr(outputs, name)
    return outputs.last_hidden_state[:, 0] if has_pooler else outputs.pooler_output


def saved(model: Any, folder: Path) -> Path:
    """A folder as `save_pretrained` writes it."""
    model.save_pretrained(folder)
    return folder
