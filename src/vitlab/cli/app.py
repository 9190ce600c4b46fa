"""`vitlab`: one file a verb. Nothing heavy is imported until a verb runs, so that --help is immediate."""

import atexit
import os
import sys
from contextlib import suppress

import typer

from vitlab import __version__
from vitlab.base.errors import UserError
from vitlab.base.words import printable
from vitlab.cli import (
    bench,
    complete,
    convert,
    data,
    demo,
    doctor,
    evaluate,
    export,
    inspect,
    knockout,
    list_,
    output,
    predict,
    report,
    show,
    study,
    train,
)

app = typer.Typer(
    name="vitlab",
    help="What does each component of a vision transformer do? Train, compare and take apart ViTs, with evidence.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for verb in (
    demo,
    list_,
    show,
    data,
    train,
    study,
    evaluate,
    predict,
    inspect,
    knockout,
    convert,
    export,
    report,
    bench,
    doctor,
):
    verb.register(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"vitlab {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """What does each component of a vision transformer do? Train, compare and take apart ViTs, with evidence."""


def run() -> None:
    """`main` as a process of its own, which is gone at once when it is done: to take PyTorch apart takes a second."""
    code: int | str | None = 1  # of an error that nobody foresaw

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # whoever read it has left
                stream.flush()
        os._exit(code if isinstance(code, int) else 1)

    atexit.register(leave)  # the first to be registered, so the last to be called
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
        raise


def main() -> None:
    """Run the command line. A user's mistake ends with code 2 and its message, a signal with 128 and its number."""
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # what we start finds no library in the current folder, either
    output.prepare_streams()
    try:
        if complete.asked_by_bash():
            complete.complete_for_bash(app)
        else:
            app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output left, `vitlab list | head`
        sys.stderr.close()
        sys.exit(141)
    except MemoryError:
        _fail("there is not enough memory for this")
    except RuntimeError as error:
        if not any(said in str(error) for said in ("can't allocate memory", "out of memory")):
            raise
        _fail(f"there is not enough memory for this: {str(error).splitlines()[0]}")
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error))
    except UserError as error:  # also a disk that is full, or may not be written: the message has the path
        _fail(str(error))


def _fail(message: str) -> None:
    """End with a message and the code of a mistake."""
    print(f"vitlab{f', process {output.RANK}' if output.RANK else ''}: {printable(message)}", file=sys.stderr)
    sys.exit(2)
