from vitlab.models.vit import ViT
from vitlab.nn.kernel import use_kernel


def test_use_kernel_reaches_every_part_that_has_one(tiny_spec):
    model = ViT(tiny_spec(pool="attention"))
    use_kernel(model, "explicit")
    kernels = [module.kernel for module in model.modules() if hasattr(module, "kernel")]
    assert kernels == ["explicit"] * (model.spec.depth + 1)
