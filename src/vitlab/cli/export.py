"""`vitlab export`: a model as others run or load it."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.base.going_on import going_on
from vitlab.cli import output
from vitlab.cli.options import JsonOption, TrustOption


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export", help="Write a model as ONNX, torch.export, or in the format of timm or Hugging Face.")(export)


def export(
    run: Annotated[str, typer.Argument(metavar="RUN|SOURCE", help="A run, or whatever `vitlab convert` takes.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="onnx, torch_export, timm, hf, google_npz …")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write, empty or not there.")],
    half: Annotated[bool, typer.Option("--half", help="In half precision; what it costs is measured.")] = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print what was written, how it is used, and how far it is from the model."""
    waiting = output.waiting(json)
    output.load_torch(waiting)
    with going_on(waiting, f"exporting {run}"):
        written = api.export(run, out, to, half=half)
    if json:
        output.print_json({**written._asdict(), "out": str(written.out)})
        return
    console = output.console()
    console.print(f"{written.out}: {', '.join(written.files)}")
    console.print(f"use: {written.used}")
    if written.cost_of_half is not None:
        console.print(written.cost_of_half)
    console.print(f"compared with the model on random images: logits differ by at most {written.difference:.1g}")
