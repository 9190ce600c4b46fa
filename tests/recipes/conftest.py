"""Two steps of any recipe, on a handful of made-up pictures of its set's sizes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vitlab.data.images import Images, Splits
from vitlab.train.choices import Wishes
from vitlab.train.run import train
from vitlab.train.spec import RunSpec


@pytest.fixture
def two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[RunSpec], dict[str, Any]]:
    """`two_steps(spec)`: the metrics after two steps of four images; everything else as the recipe says."""

    def run(spec: RunSpec) -> dict[str, Any]:
        data = type(spec.data)
        generator = torch.Generator().manual_seed(0)

        def pictures(per_class: int) -> Images:
            count = per_class * data.num_classes
            shape = (count, data.in_chans, *data.img_size)
            pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
            return Images(pixels, torch.arange(count) % data.num_classes)

        names = tuple(map(str, range(data.num_classes)))
        monkeypatch.setattr(data, "read", lambda self: Splits(pictures(10), pictures(1), names))
        short = replace(spec, steps=2, epochs=None, batch_size=4)
        wishes = Wishes(device="cpu", precision="fp32", kernel="explicit", threads=1)
        (result,) = train([short], [tmp_path / "run"], wishes=wishes)
        assert result["status"] == "finished"
        return result["metrics"]

    return run
