# Gambeson's everyday commands. They need Python >= 3.11 and make; everything else goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# One thread per worker: two test processes share two cores, and sums keep their order.
TEST_ENV := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.demo ## Train a small digit classifier, audit it and write demo/report/report.html
	$(BIN)/python examples/train_digits.py --out demo
	$(BIN)/gambeson audit demo/digits.safetensors --factory examples/train_digits.py:build \
		--data builtin:digits --eps 0.1 --profile quick --seed 0 --fail-on never --out demo/report

test: lint ## Lint, type-check, check the layers and run every test
	$(TEST_ENV) $(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev ## Ruff, mypy --strict and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.bench ## Compare strength and cost with other libraries (long; needs both cores)
	$(BIN)/python -m benchmarks

clean: ## Remove the environment and everything built
	rm -rf $(VENV) demo site build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Gambeson needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[torch,sklearn,data]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[all,dev]'
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[docs]'
	@touch $@

$(VENV)/.bench: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[all]'
	$(PIP) adversarial-robustness-toolbox multiprocess tqdm requests
	@# torchattacks pins an old requests and asks for torchvision, which the attacks measured here do not use;
	@# foolbox asks for JAX-era packages that its PyTorch side does not use
	$(PIP) --no-deps torchattacks foolbox eagerpy GitPython gitdb smmap
	@touch $@
