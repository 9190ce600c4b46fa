"""torchvision's weights, with the library itself as the oracle."""

import pytest
import torch

from tests.checkpoints.source.by_hand import check_comes_back, check_says, read
from vitlab.checkpoints import published

pytestmark = pytest.mark.peer


@pytest.fixture
def theirs(randomise):
    """`theirs(width=…)`: torchvision's model with random weights, of heads of 64 channels."""
    models = pytest.importorskip("torchvision.models.vision_transformer")

    def made(width=128, heads=2, **terms):
        settings = {"image_size": 12, "patch_size": 4, "num_layers": 2, "mlp_dim": 192, "num_classes": 5} | terms
        return randomise(models.VisionTransformer(num_heads=heads, hidden_dim=width, **settings)).eval()

    return made


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("representation", [None, 128, 32])
def test_it_says_the_same_and_comes_back(theirs, representation, normal):
    model, images = theirs(representation_size=representation), normal(3, 3, 12, 12)
    found = read(model.state_dict())
    assert (found.source.name, found.spec.head.name) == ("torchvision", "mlp" if representation else "linear")
    check_says(found, images, model(images))
    check_comes_back(found, model.state_dict())


@pytest.mark.usefixtures("double")
def test_the_older_spelling_is_read_from_a_file(theirs, tmp_path, normal):
    model, images = theirs(), normal(2, 3, 12, 12)
    older = {
        name.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): tensor
        for name, tensor in model.state_dict().items()
    }
    torch.save(older, tmp_path / "vit_b_16.pth")
    found = published.read(tmp_path / "vit_b_16.pth")
    check_says(found, images, model(images))
    check_comes_back(found, model.state_dict())


@pytest.mark.usefixtures("double")
def test_the_published_model_of_h(theirs, normal):
    """Its heads are wider than 64 channels."""
    model, images = theirs(1280, 16, mlp_dim=64), normal(1, 3, 12, 12)
    found = read(model.state_dict())
    assert found.spec.num_heads == 16
    check_says(found, images, model(images))


@pytest.mark.parametrize(("size", "decoded"), [(224, 256), (384, 384)])
def test_pictures_are_prepared_as_its_weights_say(theirs, size, decoded):
    with torch.device("meta"):
        found = read(theirs(image_size=size, patch_size=32).state_dict())
    ready = found.preprocessing
    assert (ready.img_size, ready.fit, ready.mean[0], ready.std[2]) == ((decoded, decoded), "crop", 0.485, 0.225)
    assert [op.size for op in ready.ops] == ([] if decoded == size else [(size, size)])
    assert ready.class_names == ("0", "1", "2", "3", "4")
