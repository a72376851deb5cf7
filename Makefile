# Everything runs from a clean clone with Python 3.11+ and make: `make demo`, `make test`.
PYTHON ?= python3
V := .venv/bin

.PHONY: setup demo run test check lint types contracts fast lock docs drill drill-crash fuzz bench bench-check bench-peers clean

setup: .venv/ready
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(V)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(V)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(V)/portiere demo

run: setup
	$(V)/portiere serve --config config.example.toml

check: lint types contracts fast

lint: setup
	$(V)/ruff check .
	$(V)/ruff format --check .
types: setup
	$(V)/mypy
contracts: setup
	$(V)/lint-imports
fast: setup
	$(V)/pytest -q -n 2 -m "not slow"

test: lint types contracts
	$(V)/coverage erase
	$(V)/pytest -n 2
