"""`vitlab doctor`: what this machine has, what vitlab would choose on it, and what is missing."""

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor", help="What this machine has, what vitlab would choose, and what is missing.")(doctor)


def doctor(json: JsonOption = False) -> None:
    """Look at the machine, the versions and the data."""
    output.waiting(json)
    from vitlab.catalogue.machine import machine

    facts = machine()
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
