"""What all tests share: one thread, repeatable hypothesis, makers of tiny specs and of random weights."""

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from hypothesis import settings

from vitlab.base import trust
from vitlab.base.spec import from_dict

if TYPE_CHECKING:  # whoever only hands tests to others need not load torch
    from torch import Tensor, nn

    from vitlab.models.spec import ViTSpec
    from vitlab.nn.dims import BlockDims


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--every-combination`: build, train, save and load every legal combination of parts (some hours)."""
    parser.addoption("--every-combination", action="store_true", help="all legal combinations of parts, not a sample")


settings.register_profile("vitlab", deadline=None, derandomize=True, database=None)
settings.load_profile("vitlab")

TINY = {  # two rows of three patches: rows and columns cannot be mistaken for each other
    "img_size": [8, 12],
    "patch_size": 4,
    "num_classes": 5,
    "embed_dim": 16,
    "depth": 2,
    "num_heads": 2,
    "mlp_ratio": 2.0,
}


def mostly_slow(cases: Iterable[Any], every: int = 6) -> list[Any]:
    """Cases of a parametrised test, of which the fast suite runs the first and each `every`-th after it."""
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*case, marks=[pytest.mark.slow] if at % every else []) for at, case in enumerate(values)]


@pytest.fixture(autouse=True)
def trusts_nothing(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was typed, and no code was ever trusted."""
    monkeypatch.setenv("VITLAB_STATE", str(tmp_path_factory.getbasetemp() / "no-state" / uuid4().hex))
    monkeypatch.setenv("VITLAB_TRUSTED", "")
    monkeypatch.setattr(trust, "_typed", set())
    monkeypatch.setattr(trust, "_all_allowed", False)


@pytest.fixture
def trusting_all(trusts_nothing: None) -> Iterator[None]:
    """As under `--trust`: for tests of modules of somebody's own that are about something else."""
    with trust.trusting():
        yield


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with nothing in it; modules that are imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, ModuleSpec):  # which what only looks like a module has not
            places = [spec.origin, *(spec.submodule_search_locations or ())]
            if any(place and Path(place).is_relative_to(tmp_path) for place in places):
                del sys.modules[name]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The tensors of the tests are tiny: more threads only wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def double() -> Iterator[None]:
    """Build and compute in double precision."""
    import torch

    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def tiny_spec() -> "Callable[..., ViTSpec]":
    """`tiny_spec(depth=3, attention="linear")`: a ViTSpec of a few thousand parameters with settings changed."""
    from vitlab.models.spec import ViTSpec

    return lambda **changed: from_dict(ViTSpec, TINY | changed)


@pytest.fixture(scope="session")
def tiny_dims(tiny_spec: "Callable[..., ViTSpec]") -> "Callable[..., BlockDims]":
    """The BlockDims of `tiny_spec` with the same settings."""
    return lambda **changed: tiny_spec(**changed).dims()


@pytest.fixture(scope="session")
def randomise() -> "Callable[..., nn.Module]":
    """`randomise(module, seed)`: every parameter drawn from N(0, 0.5²), so that none is zero or one by its init."""
    import torch

    @torch.no_grad()
    def fill(module: "nn.Module", seed: int = 0) -> "nn.Module":
        generator = torch.Generator().manual_seed(seed)
        for parameter in module.parameters():
            parameter.normal_(std=0.5, generator=generator)
        return module

    return fill


@pytest.fixture
def normal() -> "Callable[..., Tensor]":
    """`normal(2, 3)`: a tensor from N(0, 1), another one at every call, the same in every run of the test."""
    import torch

    generator = torch.Generator().manual_seed(7)
    return lambda *shape: torch.randn(*shape, generator=generator)
