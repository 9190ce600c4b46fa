"""Checkpoints of the hub: the real client, and a small server on the loopback address that answers like the hub."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading

import pytest
from safetensors.torch import save_file

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.content import content_at
from vitlab.checkpoints.hub import repo_of
from vitlab.models.vit import build

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = """
import sys, vitlab
from vitlab.base.errors import UserError
try:
    model = vitlab.load(sys.argv[1])
    print("loaded", model.spec.embed_dim, model.class_names)
except UserError as error:
    print("refused", error)
"""


class Hub:
    """One repository, served on a port of its own."""

    def __init__(self, files):
        self.files, self.asked = files, []
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_HEAD(self):
                self.answer(body=False)

            def do_GET(self):
                self.answer(body=True)

            def answer(self, body):
                hub.asked.append(self.path)
                if self.path.startswith("/api/models/org/vit/tree/"):
                    sizes = {name: len(content) for name, content in hub.files.items()}
                    entries = [{"type": "file", "path": n, "size": s, "oid": "0" * 40} for n, s in sizes.items()]
                    self.send(json.dumps(entries).encode(), body)
                    return
                if self.path.startswith("/api/models/org/vit"):
                    siblings = [{"rfilename": name} for name in hub.files]
                    self.send({"sha": COMMIT, "id": "org/vit", "siblings": siblings}, body)
                    return
                name = self.path.partition("?")[0].partition(f"/org/vit/resolve/{COMMIT}/")[2]
                if name not in hub.files:
                    self.send_response(404)
                    self.send_header("X-Error-Code", "EntryNotFound")
                    self.end_headers()
                    return
                self.send(hub.files[name], body)

            def send(self, content, body):
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(200)
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
                self.send_header("Content-Length", str(len(data)))
                self.send_header(
                    "Content-Type", "application/json" if data[:1] in b"{[" else "application/octet-stream"
                )
                self.end_headers()
                if body:
                    self.wfile.write(data)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def weights(tiny_spec, tmp_path):
    """A model's file as timm has it on the hub, and config.json beside it."""
    tensors = build(tiny_spec(img_size=8, embed_dim=64, num_heads=1), seed=3).state_dict()
    tensors["pos_embed"] = tensors.pop("pos_embed.weight")
    save_file(tensors, tmp_path / "model.safetensors")
    names = ["ape", "bee", "cow", "dog", "eel"]
    told = {"architecture": "", "model_args": {"num_heads": 2}, "label_names": names, "pretrained_cfg": {}}
    return {
        "config.json": json.dumps(told).encode(),
        "model.safetensors": (tmp_path / "model.safetensors").read_bytes(),
    }


def said_of(hub, repo, home):
    """What a program says that loads from there, and where it may write."""
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HF_ENDPOINT": hub.address, "HF_HOME": str(home / "hub"), "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, repo], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
def test_a_model_of_the_hub_is_loaded_and_stays_in_its_cache(weights, tmp_path):
    hub = Hub(weights)
    assert said_of(hub, "hub:org/vit", tmp_path / "home") == "loaded 64 ('ape', 'bee', 'cow', 'dog', 'eel')"
    cached = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert cached
    assert all((tmp_path / "home/hub") in path.parents for path in cached)
    fetched = len([path for path in hub.asked if "model.safetensors" in path])
    assert said_of(hub, "hub:org/vit", tmp_path / "home").startswith("loaded")
    assert len([p for p in hub.asked if "model.safetensors" in p]) - fetched <= 1  # asked whether it changed, at most


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../../../outside.npz", "/outside.npz", "a/../../../outside.npz"])
def test_no_name_leads_out_of_the_cache(name, tmp_path):
    hub = Hub({name: b"PK\x03\x04 nothing", "config.json": b"{}"})
    said = said_of(hub, "hub:org/vit", tmp_path / "home")
    assert said.startswith("refused")
    assert not list(tmp_path.rglob("outside.npz")) or all(
        (tmp_path / "home/hub") in path.parents for path in tmp_path.rglob("outside.npz")
    )
    assert not os.path.exists("/outside.npz")


@pytest.mark.slow
def test_what_is_not_there_is_said(weights, tmp_path):
    hub = Hub(weights)
    hub.server.shutdown()
    hub.server.server_close()
    assert said_of(hub, "hub:org/vit", tmp_path / "home").startswith(
        "refused hub:org/vit cannot be had: it was not downloaded before, and the hub cannot be reached"
    )


@pytest.mark.parametrize(("path", "on_the_hub"), [("timm/vit_tiny.augreg", True), ("a/b/c", False), ("a/b.pt", False)])
def test_a_name_without_hub_before_it(path, on_the_hub):
    with pytest.raises(CheckpointError, match="does not exist") as refused:
        content_at(path)
    assert (f"on the hub it would be hub:{path}" in str(refused.value)) == on_the_hub


@pytest.mark.parametrize(
    ("text", "repo"),
    [
        ("hub:org/vit", "org/vit"),
        ("hf-hub:timm/vit_tiny.augreg", "timm/vit_tiny.augreg"),
        ("hub:org/../vit", ""),
        ("hub:vit", ""),
        ("org/vit", ""),
        ("runs/digits", ""),
    ],
)
def test_what_names_a_repository(text, repo):
    assert repo_of(text) == repo
