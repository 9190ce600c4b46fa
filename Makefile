# Everything a person or CI needs, on a machine with Python 3.11+ and nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check install dev clean

demo: install
	$(BIN)/vitlab demo --out demo

test: dev
	$(BIN)/python -m pytest -n 2

check: dev
	scripts/check

install: .venv/installed
dev: .venv/installed-dev

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("vitlab needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml constraints-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints-dev.txt --editable '.[dev]'
	touch $@ .venv/installed

clean:
	rm -rf .venv demo build dist .pytest_cache .ruff_cache .mypy_cache
