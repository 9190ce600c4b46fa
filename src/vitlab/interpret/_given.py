"""What every look begins with: images that a model can be asked about."""

from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.models.vit import ViT


def check_images(model: ViT, images: Tensor) -> None:
    """Refuse what is no batch of at least one image [B, C, height, width] of the model's. Raises SpecError."""
    model.check(images)
    if not len(images):
        raise SpecError("no images were given")
