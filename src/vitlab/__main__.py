"""`python -m vitlab`, which is how torchrun starts it."""

if __name__ == "__main__":
    from vitlab.cli.app import run

    run()
