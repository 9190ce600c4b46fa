import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from vitlab.base import env

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *IDENTITY, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "module.py").write_text("a = 1\n")
    git(tmp_path, "add", "module.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_it_is_json_and_says_when() -> None:
    described = json.loads(json.dumps(env.environment()))
    assert set(described) == {"hardware", "os", "python", "versions", "commit", "command", "started"}
    started = datetime.fromisoformat(described["started"])
    assert timedelta(0) <= datetime.now(UTC) - started < timedelta(minutes=1)
    assert described["python"] == ".".join(map(str, sys.version_info[:3]))


def test_versions_are_of_installed_packages_only() -> None:
    found = env.versions()
    assert {"vitlab", "torch", "numpy"} <= set(found)
    assert all(re.match(r"\d", version) for version in found.values())


def test_hardware_is_known_here() -> None:
    hardware = env.hardware()
    assert hardware["cores"] >= 1
    assert hardware["ram_bytes"] > 2**28
    assert hardware["instructions"] is None or set(hardware["instructions"]) <= set(env.INSTRUCTIONS)


def test_hardware_without_cpuinfo_says_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "_cpuinfo", dict)
    monkeypatch.setattr(env.platform, "processor", lambda: "")
    monkeypatch.setattr(env.platform, "machine", lambda: "")
    monkeypatch.delattr(env.os, "sched_getaffinity", raising=False)
    hardware = env.hardware()
    assert hardware["instructions"] is None
    assert hardware["cores"] >= 1
    if sys.platform != "darwin":
        assert hardware["cpu"] is None


def test_commit_of_a_clean_and_of_a_changed_checkout(checkout: Path) -> None:
    clean = env.commit(checkout / "module.py")
    assert clean is not None
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (checkout / "module.py").write_text("a = 2\n")
    assert env.commit(checkout / "module.py") == clean + "-dirty"


def test_a_package_installed_inside_another_checkout_has_no_commit(checkout: Path) -> None:
    installed = checkout / "site-packages" / "env.py"
    installed.parent.mkdir()
    installed.touch()
    assert env.commit(installed) is None


def test_no_commit_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert env.commit(checkout / "module.py") is None


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["/opt/somewhere/bin/vitlab", "train", "digits", "--seed", "3"], "vitlab train digits --seed 3"),
        (["/opt/site-packages/vitlab/__main__.py", "demo"], "python -m vitlab demo"),
        (["vitlab", "train", "--data", "my pictures"], "vitlab train --data 'my pictures'"),
    ],
)
def test_the_command_can_be_typed_again(arguments: list[str], typed: str) -> None:
    assert env.command(arguments) == typed


def test_the_command_of_several_processes_starts_as_many_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")
    again = env.command(["/opt/site-packages/vitlab/__main__.py", "train", "digits"])
    assert again == "torchrun --nproc-per-node 8 -m vitlab train digits"


def test_it_does_not_import_torch() -> None:
    script = "import sys, vitlab.base.env as env; env.environment(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A control group of the same path as this process's, in which limits can be written."""
    monkeypatch.setattr(env, "CGROUPS", tmp_path)
    own = Path("/proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip().lstrip("/")
    (tmp_path / own).mkdir(parents=True, exist_ok=True)
    return tmp_path / own


@pytest.mark.skipif(not Path("/proc/self/cgroup").exists(), reason="Linux only")
@pytest.mark.parametrize(
    ("quota", "cores"), [("100000 100000", 1), ("150000 100000", 2), ("max 100000", None), ("", None)]
)
def test_cores_are_those_of_the_container(cgroup: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int | None):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    (cgroup / "cpu.max").write_text(quota)
    assert env.usable_cores() == (cores or 8)


@pytest.mark.skipif(not Path("/proc/self/cgroup").exists(), reason="Linux only")
@pytest.mark.parametrize(("limit", "expected"), [("1048576", 1 << 20), ("max", None)])
def test_memory_is_that_of_the_container(cgroup: Path, limit: str, expected: int | None):
    (cgroup / "memory.max").write_text(limit)
    assert env.usable_memory() == (expected or psutil.virtual_memory().total)


def test_a_limit_around_the_own_group_counts(cgroup: Path, tmp_path: Path):
    (tmp_path / "memory.max").write_text("4096")
    assert env.usable_memory() == 4096
