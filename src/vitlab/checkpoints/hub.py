"""Checkpoints on the Hugging Face hub: one file of weights, or its parts, and the JSON files that say what they are.

The hub's own client downloads into its own cache, where names from outside cannot leave it.
"""

import re
from pathlib import Path

from vitlab.base.errors import CheckpointError
from vitlab.records.checkpoint import OTHERS

_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
_REPO = re.compile(r"(?:hub:|hf-hub:|hf_hub:)([\w.-]+/[\w.-]+)", re.ASCII)
_WANTED = [
    *("config.json", "preprocessor_config.json", "model.safetensors", "model.safetensors.index.json"),
    "model-*-of-*.safetensors",
]
_OLDER = ["pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin", "*.npz"]


def repo_of(text: str) -> str:
    """The repository that `hub:ORG/NAME` names; empty for a path."""
    match = _REPO.fullmatch(text)
    return match[1] if match and ".." not in match[1] else ""


def is_like_a_repo(text: str) -> bool:
    """Whether a path could be meant as a repository's name: ORG/NAME."""
    return _NAME.fullmatch(text) is not None and not text.endswith(OTHERS)


def absent(text: str, perhaps: str = "") -> str:
    """What is said of a path where nothing is: what could be meant on the hub, or else what `perhaps` is."""
    if is_like_a_repo(text) and not Path(text).parent.is_dir():  # a folder of runs is no owner of models
        perhaps = f"; on the hub it would be hub:{text}"
    elif text.startswith("hub:"):
        perhaps = "; a model on the hub is hub:ORG/NAME"
    return f"{text} does not exist{perhaps}"


def downloaded(repo: str) -> Path:
    """The folder of a repository, downloaded as far as it is not there yet. Raises CheckpointError."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repo, allow_patterns=_WANTED))
        if not any(folder.glob("*.safetensors")):
            folder = Path(snapshot_download(repo, allow_patterns=_WANTED + _OLDER))
    except Exception as error:  # the client raises its own, requests' and the system's
        raise CheckpointError(f"hub:{repo} cannot be had: {_told(error)}") from None
    return folder


def _told(error: Exception) -> str:
    """What went wrong, and what helps; the client's own first line where nothing better is known."""
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    own = str(error).strip().splitlines()[0].removeprefix("Got: ")
    if isinstance(error, GatedRepoError):  # before the next, of which it is a kind
        return "its owner wants to be asked first: do that on its page, then `hf auth login`"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub has no model of this name, or it is private: `hf auth login`"
    if isinstance(error, LocalEntryNotFoundError):
        return f"it was not downloaded before, and the hub cannot be reached ({own})"
    return own
