"""`python -m vitlab`, which is how torchrun starts it."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder, which comes last: a file there is no library

    from vitlab.cli.app import run

    run()
