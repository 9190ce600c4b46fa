"""`python -m vitlab`, which is how torchrun starts it."""

from vitlab.cli.app import run

run()
