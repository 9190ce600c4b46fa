from vitlab.base.spec import with_settings
from vitlab.bench.loader import bench_loader
from vitlab.recipes import recipe


def test_figures_with_and_without_augmentation():
    tiny = {"model.embed_dim": 16, "model.depth": 1, "model.num_heads": 2, "augment": ["crop"]}
    figures = bench_loader(with_settings(recipe("digits"), tiny), 1, "cpu")
    rates = {name: path["images_per_second"] for name, path in figures["paths"].items()}
    assert rates.keys() == {"without_augmentation", "with_augmentation", "training_step"}
    assert figures["share_of_step"] == rates["training_step"] / rates["with_augmentation"]
