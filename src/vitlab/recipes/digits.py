"""A small ViT on scikit-learn's handwritten digits: the first thing to try, no download.

    vitlab train digits --out runs/digits

8×8 grey pictures in patches of 2 (16 tokens), D 64, depth 4. Scores and times: docs/results.md.
"""

from vitlab.data.sets import digits
from vitlab.models.spec import ViTSpec
from vitlab.nn.init import torch_default
from vitlab.nn.pool import mean
from vitlab.nn.pos_embed import sincos2d
from vitlab.optim.schedule import cosine
from vitlab.train.spec import OptimSpec, RunSpec


def spec() -> RunSpec:
    """40 passes over the digits, without augmentation: shifted digits leave an 8×8 picture."""
    return RunSpec(
        model=ViTSpec(
            img_size=(8, 8),
            patch_size=(2, 2),
            in_chans=1,
            num_classes=10,
            embed_dim=64,
            depth=4,
            num_heads=4,
            mlp_ratio=2.0,
            cls_token=False,
            pool=mean.Spec(),
            pos_embed=sincos2d.Spec(),
            init=torch_default.Spec(),
        ),
        data=digits.Spec(),
        batch_size=64,
        epochs=40,
        optim=OptimSpec(lr=3e-3, weight_decay=0.05, clip_norm=1.0, schedule=cosine.Spec(warmup_epochs=3)),
        evaluate_every=5,
    )
