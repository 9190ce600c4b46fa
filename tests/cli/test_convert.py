"""`vitlab convert` and `vitlab export`: there and back, by the command line."""

import json

import pytest
import torch

from vitlab.checkpoints.trained import load
from vitlab.models.vit import build


def saved(tiny_spec, path):
    tensors = build(tiny_spec(img_size=8, embed_dim=64, num_heads=1), seed=3).state_dict()
    tensors["pos_embed"] = tensors.pop("pos_embed.weight")
    torch.save({"model": tensors}, path)
    return tensors


@pytest.fixture
def source(tiny_spec, tmp_path):
    """Somebody's file, of three classes that only have numbers."""
    torch.save(
        build(tiny_spec(img_size=8, embed_dim=64, num_heads=1, num_classes=3)).state_dict(), tmp_path / "three.pth"
    )
    return tmp_path / "three.pth"


def test_there_and_back(vitlab, tiny_spec, tmp_path):
    tensors = saved(tiny_spec, tmp_path / "theirs.pth")
    answer = vitlab("convert", tmp_path / "theirs.pth", "--set", "num_heads=2", "--out", tmp_path / "ours", "--json")
    told = json.loads(answer.out)
    assert (told["model"]["embed_dim"], told["model"]["num_heads"]) == (64, 2)
    assert "timm weights, " in told["notes"][0]
    back = vitlab("export", tmp_path / "ours", "--to", "timm", "--out", tmp_path / "back")
    assert back.code == 0
    again = load(tmp_path / "back").model.state_dict()
    assert all(torch.equal(again.pop("pos_embed.weight" if n == "pos_embed" else n), t) for n, t in tensors.items())
    assert not again


def test_mistakes(vitlab, tiny_spec, tmp_path):
    saved(tiny_spec, tmp_path / "theirs.pth")
    for words, said in (
        (("convert", tmp_path / "nowhere.pth", "--out", tmp_path / "o"), "does not exist"),
        (("convert", tmp_path / "theirs.pth", "--from", "tim", "--out", tmp_path / "o"), "did you mean timm"),
        (("convert", tmp_path / "theirs.pth", "--model", "vit_tiny", "--out", tmp_path / "o"), "unknown model"),
        (("convert", "hub:nobody", "--out", tmp_path / "o"), "hub:nobody"),
        (("export", tmp_path / "theirs.pth", "--to", "onx", "--out", tmp_path / "o"), "did you mean onnx"),
        (("export", tmp_path / "nowhere", "--to", "timm", "--out", tmp_path / "o"), "does not exist"),
    ):
        answer = vitlab(*words)
        assert (answer.code, said in answer.err) == (2, True), (words, answer.err)
        assert not (tmp_path / "o").exists()


def test_classes_that_are_only_numbered_are_named_from_a_file(vitlab, source, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("ape\nbee\n\ncow\n")
    answer = vitlab("convert", source, "--classes", names, "--out", tmp_path / "mine")
    assert answer.code == 0
    assert "3: ape, bee, cow" in vitlab("show", tmp_path / "mine").out


@pytest.mark.parametrize(
    ("text", "said"),
    [("ape\nbee", "2 names for 3 classes"), ("ape\nbee\nape", "two classes of one name: ape"), (None, "No such file")],
)
def test_names_that_do_not_fit_are_refused(vitlab, source, tmp_path, text, said):
    if text is not None:
        (tmp_path / "names.txt").write_text(text)
    answer = vitlab("convert", source, "--classes", tmp_path / "names.txt", "--out", tmp_path / "mine")
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert not (tmp_path / "mine").exists()
