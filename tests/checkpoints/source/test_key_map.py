"""A table of one's own: the two that the documentation has, and what is wrong with others."""

import pytest
import torch
from torch import nn

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.checkpoints import published
from vitlab.models.vit import ViT

TABLES = "docs/key_maps"


class Tutorial(nn.Module):
    """A ViT as tutorials write it, of PyTorch's own layers."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 4, stride=4)
        self.cls = nn.Parameter(torch.zeros(1, 1, 24))
        self.positions = nn.Parameter(torch.zeros(1, 17, 24))
        layer = nn.TransformerEncoderLayer(24, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(24)
        self.classify = nn.Linear(24, 5)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(images), -1, -1), tokens], 1) + self.positions
        return self.classify(self.norm(self.encoder(tokens))[:, 0])


def old_vit_pytorch(state, images, heads=4):
    """vit-pytorch's forward before 1.0, by hand: pre-norm, q, k and v in one matrix, GELU, a norm before the head."""
    batch, channels, height, width = images.shape
    patches = images.reshape(batch, channels, height // 4, 4, width // 4, 4).permute(0, 2, 4, 3, 5, 1).flatten(3)
    x = patches.flatten(1, 2) @ state["to_patch_embedding.1.weight"].T + state["to_patch_embedding.1.bias"]
    x = torch.cat([state["cls_token"].expand(batch, -1, -1), x], 1) + state["pos_embedding"]
    dim = x.shape[-1]
    for at in range(2):
        attention, feeding = (f"transformer.layers.{at}.{part}.fn." for part in (0, 1))
        h = nn.functional.layer_norm(x, (dim,), state[attention + "norm.weight"], state[attention + "norm.bias"])
        q, k, v = (h @ state[attention + "fn.to_qkv.weight"].T).chunk(3, -1)
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        mixed = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1) @ v
        mixed = mixed.transpose(1, 2).flatten(2)
        x = x + mixed @ state[attention + "fn.to_out.0.weight"].T + state[attention + "fn.to_out.0.bias"]
        h = nn.functional.layer_norm(x, (dim,), state[feeding + "norm.weight"], state[feeding + "norm.bias"])
        h = nn.functional.gelu(h @ state[feeding + "fn.net.0.weight"].T + state[feeding + "fn.net.0.bias"])
        x = x + h @ state[feeding + "fn.net.3.weight"].T + state[feeding + "fn.net.3.bias"]
    h = nn.functional.layer_norm(x[:, 0], (dim,), state["mlp_head.0.weight"], state["mlp_head.0.bias"])
    return h @ state["mlp_head.1.weight"].T + state["mlp_head.1.bias"]


def old_weights(normal):
    state = {
        "to_patch_embedding.1.weight": normal(24, 48),
        "to_patch_embedding.1.bias": normal(24),
        "cls_token": normal(1, 1, 24),
        "pos_embedding": normal(1, 17, 24),
        "mlp_head.0.weight": normal(24),
        "mlp_head.0.bias": normal(24),
        "mlp_head.1.weight": normal(5, 24),
        "mlp_head.1.bias": normal(5),
    }
    for at in range(2):
        attention, feeding = (f"transformer.layers.{at}.{part}.fn." for part in (0, 1))
        state |= {
            attention + "norm.weight": normal(24),
            attention + "norm.bias": normal(24),
            attention + "fn.to_qkv.weight": normal(72, 24),
            attention + "fn.to_out.0.weight": normal(24, 24),
            attention + "fn.to_out.0.bias": normal(24),
            feeding + "norm.weight": normal(24),
            feeding + "norm.bias": normal(24),
            feeding + "fn.net.0.weight": normal(96, 24),
            feeding + "fn.net.0.bias": normal(96),
            feeding + "fn.net.3.weight": normal(24, 96),
            feeding + "fn.net.3.bias": normal(24),
        }
    return state


def read(state, path, table, **settings):
    torch.save(state, path)
    return published.read(path, {"name": "key_map", "table": str(table)}, settings=settings)


def said(found, images):
    model = ViT(found.spec)
    model.load_state_dict(found.tensors)
    with torch.no_grad():
        return model(images)


@pytest.mark.usefixtures("double")
def test_a_model_of_multihead_attention(tmp_path, normal, randomise):
    theirs, images = randomise(Tutorial()).eval(), normal(3, 3, 16, 16)
    found = read(
        theirs.state_dict(), tmp_path / "a.pt", f"{TABLES}/multihead_attention.toml", num_heads=3, **{"norm.eps": 1e-5}
    )
    torch.testing.assert_close(said(found, images), theirs(images), rtol=1e-10, atol=1e-10)


@pytest.mark.usefixtures("double")
def test_an_old_vit_pytorch(tmp_path, normal):
    state, images = old_weights(normal), normal(3, 3, 16, 16)
    settings = {"num_heads": 4, "norm.eps": 1e-5, "pool": "cls"}
    found = read(state, tmp_path / "a.pt", f"{TABLES}/old_vit_pytorch.toml", **settings)
    torch.testing.assert_close(said(found, images), old_vit_pytorch(state, images), rtol=1e-10, atol=1e-10)


def test_parts_are_joined_and_a_tensor_is_split(tmp_path, normal, tiny_spec):
    table = tmp_path / "table.toml"
    table.write_text(
        "ignore = ['junk\\..*']\n"
        "[[tensor]]\ntheirs = 'a'\nours = 'joined'\npart = [0, 2]\n"
        "[[tensor]]\ntheirs = 'b'\nours = 'joined'\npart = [1, 2]\ntranspose = true\n"
        "[[tensor]]\ntheirs = 'both'\nsplit = ['first', 'second']\n"
    )
    from vitlab.checkpoints.source._base import Content
    from vitlab.checkpoints.source.key_map import Spec

    tensors = {"a": normal(2, 3), "b": normal(3, 2), "both": normal(4, 3), "junk.x": normal(1), "kept": normal(1)}
    read = Spec(table=str(table)).tensors(Content(tmp_path, tensors))
    assert read.keys() == {"joined", "first", "second", "kept"}
    torch.testing.assert_close(read["joined"], torch.cat([tensors["a"], tensors["b"].T]))
    torch.testing.assert_close(torch.cat([read["first"], read["second"]]), tensors["both"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[tensor]]\ntheirs = 'a('\nours = 'b'\n", "no regular expression"),
        ("[[tensor]]\ntheirs = 'a'\n", "needs either ours, a name, or split"),
        ("[[tensor]]\ntheirs = 'a'\nours = 'b'\nturn = 3\n", "unknown setting"),
        ("tensor = 3\n", "expected a list"),
        ("[[", "table.toml"),
    ],
)
def test_a_table_that_cannot_be_is_refused(text, said, tmp_path, normal):
    (tmp_path / "table.toml").write_text(text)
    with pytest.raises(CheckpointError, match=said):
        read({"a": normal(2)}, tmp_path / "a.pt", tmp_path / "table.toml")


def test_a_key_map_needs_its_table():
    with pytest.raises(SpecError, match="--key-map FILE"):
        published.source_named("key_map")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('theirs = "(cls)"\nours = "\\\\2"', "invalid group reference 2"),
        ('theirs = "cls"\nsplit = ["a", "b", "c"]', r"cls: \[1, 1, 24\] cannot be split into 3"),
    ],
)
def test_an_entry_that_cannot_be_followed_is_named(entry, said, tmp_path):
    torch.save(Tutorial().state_dict(), tmp_path / "mine.pth")
    (tmp_path / "mine.toml").write_text(f"[[tensor]]\n{entry}\n")
    with pytest.raises(CheckpointError, match=said):
        published.read(tmp_path / "mine.pth", {"name": "key_map", "table": str(tmp_path / "mine.toml")})


def test_a_table_that_is_not_there(tmp_path):
    torch.save(Tutorial().state_dict(), tmp_path / "mine.pth")
    with pytest.raises(CheckpointError, match=r"nowhere\.toml does not exist$"):
        published.read(tmp_path / "mine.pth", {"name": "key_map", "table": str(tmp_path / "nowhere.toml")})
