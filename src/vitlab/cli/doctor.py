"""`vitlab doctor`: what this machine has, what vitlab would choose on it, and what is missing."""

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor", help="What this machine has, what vitlab would choose, and what is missing.")(doctor)


def doctor(json: JsonOption = False) -> None:
    """Look at the machine, the versions and the data."""
    from vitlab.base.env import describe

    facts = {**describe(), "torch": _torch_facts(), "data": _data_facts()}
    if json:
        output.print_json(facts)
        return
    rows = [(f"{group}.{name}" if name else group, str(value)) for group, name, value in _flat(facts)]
    output.print_table("this machine", ("what", "value"), rows)


def _flat(facts: dict) -> list[tuple[str, str, object]]:
    rows: list[tuple[str, str, object]] = []
    for group, value in facts.items():
        rows += [(group, k, v) for k, v in value.items()] if isinstance(value, dict) else [(group, "", value)]
    return rows


def _torch_facts() -> dict[str, object]:
    import torch

    from vitlab.base.env import process_cores
    from vitlab.train.choices import has_fast_bf16, pick_device

    device = pick_device(None)
    return {
        "device": str(device),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "threads": process_cores(),
        "bf16": device.type == "cuda" or has_fast_bf16(),
        "attention kernel": "explicit" if device.type == "cpu" else "fused",
    }


def _data_facts() -> dict[str, object]:
    from vitlab.base.errors import DataError
    from vitlab.data import parquet

    facts: dict[str, object] = {"digits": "bundled with scikit-learn"}
    for name in ("cifar10", "cifar100"):
        try:
            facts[name] = str(parquet.local_folder(name) or "not here; the hub's copy is fetched when it is asked for")
        except DataError as error:
            facts[name] = str(error)
    return facts
