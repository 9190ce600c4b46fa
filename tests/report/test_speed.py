"""Tables of speed, from their records."""

import json
from pathlib import Path

import pytest

from vitlab.report.speed import markdown

RECORDS = Path(__file__).parents[2] / "bench" / "results"


def lines(name):
    return list(markdown(json.loads((RECORDS / f"{name}.json").read_text())))


def test_libraries_stand_by_setting_with_their_ratio():
    text = lines("cpu-r0_vit-train")
    assert text[0].startswith("`vitlab bench train --rounds 5 --json`, 2 cores of an AMD EPYC (AVX2, ")
    assert "| timm | best: bf16 autocast, TIMM_FUSED_ATTN=0 | 191 | 1.01 | 52% | 873 |" in text
    assert text[-1] == "vit-pytorch: two more layer norms in the patch embedding, no qkv bias."


def test_mechanisms_stand_by_the_number_of_tokens():
    text = lines("cpu-attention")
    assert "1 core of an AMD EPYC" in text[0]
    (linear,) = [line for line in text if line.startswith("| linear ")]
    assert linear == "| linear | 4.87 (0.790) | 20.1 (1.04) | 66.3 (2.11) | 273 (6.24) | 1,190 (20.8) | 256 | 1,024 |"
    (explicit,) = [line for line in text if line.startswith("| softmax, explicit ")]
    assert explicit.endswith("| – |  |  |")


@pytest.mark.parametrize("recipe", ["pictures", "r0_cifar10", "vit_imagenet"])
def test_the_data_path_stands_beside_torchvision(recipe):
    text = lines(f"cpu-{recipe}-loader")
    record = json.loads((RECORDS / f"cpu-{recipe}-loader.json").read_text())
    assert sum("vitlab" in line for line in text[4:]) == len(record["per_core"])
    assert f"{record['share_of_step']:.1%} of the training step." in text[-1]
