# Two commands: `make demo` and `make test`. Both rest on `make install`, which needs Python 3.10
# or later, pip and a package registry; nothing else is downloaded.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHARED ?= ../shared

# The bundled model is too small to share among threads: waiting for each other costs more than the
# work, and on a busy machine many times more.
export OMP_NUM_THREADS ?= 1

.PHONY: help install demo test lint acceptance clean

help:
	@echo "make demo        install, then run a LangGraph agent with parallel calls"
	@echo "make test        install, then run every test"
	@echo "make lint        ruff, mypy, import-linter"
	@echo "make acceptance  score the acceptance cases in SHARED=$(SHARED)"

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "==> Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "==> Installing langchain-gorilla and its development tools (torch is the large one)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
	@echo "==> Installed"

demo: install
	@echo "==> Running examples/01_parallel_calls.py on the bundled model"
	@$(BIN)/python examples/01_parallel_calls.py

test: install
	@echo "==> Unit tests"
	@$(BIN)/python -m pytest tests
	@echo "==> Standard LangChain tests on the bundled model"
	@$(BIN)/python -m pytest integration_tests

acceptance: install
	@$(BIN)/python $(SHARED)/cases/harness.py --adapter tests.acceptance.cases_adapter --cases $(SHARED)/cases

lint: install
	@echo "==> ruff, mypy, import-linter"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
