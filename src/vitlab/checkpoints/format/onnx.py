"""ONNX, opset 23: one file, for any number of images.

Input `images` [batch, C, height, width], normalised; output `logits` [batch, Y]. What pictures go through before, and
what the classes are called, stands in the file's metadata as JSON, `preprocessing` and `class_names`.
"""

import contextlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.spec import to_dict
from vitlab.checkpoints.format._base import FormatSpec, needed, recorded
from vitlab.checkpoints.trained import EquippedViT

FILE = "model.onnx"
OPSET = 23  # the newest that torch 2.14 translates to


@dataclass(frozen=True)
class Spec(FormatSpec):
    """No settings."""

    title: ClassVar[str] = "ONNX"

    def write(self, model: EquippedViT, out: Path) -> str:
        needed("onnxscript", "onnx")
        with _quietly():
            program = torch.onnx.export(
                recorded(model),
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                external_data=False,
                opset_version=OPSET,
            )
        assert program is not None
        for value in (*program.model.graph.inputs, *program.model.graph.outputs):
            assert value.shape is not None
            value.shape[0] = "batch"
        told = {"preprocessing": to_dict(model.preprocessing), "class_names": list(model.class_names)}
        program.model.metadata_props.update({name: json.dumps(value) for name, value in told.items()})
        program.save(out / FILE, external_data=False)
        return f'session = onnxruntime.InferenceSession("{FILE}"); logits = session.run(None, {{"images": images}})[0]'

    def loaded(self, out: Path) -> Callable[[Tensor], Tensor]:
        """On the CPU, with as many threads as PyTorch has."""
        needed("onnxruntime", "onnx")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(str(out / FILE), options, providers=["CPUExecutionProvider"])
        return lambda images: torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter tells of its progress; we tell of the result."""
    levels = {name: logging.getLogger(name).level for name in ("torch.onnx", "onnxscript")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
