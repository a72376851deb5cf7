# Everything runs from a clean clone with Python 3.11+ and make: `make demo`, `make test`.
PYTHON ?= python3
V := .venv/bin

.PHONY: setup demo run test check lint types contracts fast coverage lock docs golden fuzz bench bench-peers bench-check drill drill-long drill-crash drill-soak drill-noninterference drill-tickets clean

setup: .venv/ready
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(V)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(V)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(V)/python -m compileall -q gateway
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
	$(V)/pytest -q -n 2 -m "not slow and not drill"

# Every check and every test but the drills; what needs a peer that is absent is skipped by name.
test: lint types contracts
	$(V)/pytest -q -n 2 -m "not drill"

# Branches of the rooms that decide, from their own tests.
coverage: setup
	$(V)/coverage erase
	$(V)/coverage run -m pytest -q tests/read tests/know tests/decide tests/say tests/fuzz
	$(V)/coverage report --include='gateway/core/*' --skip-covered

# 10,000 pairs of databases that must not be told apart; then whether the time tells them apart.
drill-noninterference: setup
	PORTIERE_PAIRS=10000 $(V)/pytest -q -p no:randomly tests/whole/test_noninterference.py
	$(V)/python benchmarks/noninterference_timing.py

# What tickets promise, at full size: 10,000 automatic mails, 2,000 of strangers, 1,000 forgeries of one
# victim, forty lives of a queue of a thousand tickets.
drill-tickets: setup
	$(V)/pytest -q -n 2 -m drill tests/rows tests/store/test_store_order.py

# Every reader of what others write, long: FUZZ is how many examples each target gets.
FUZZ ?= 20000
fuzz: setup
	PORTIERE_FUZZ=$(FUZZ) $(V)/pytest -q -n 2 -p no:cacheprovider tests/fuzz

# The figures of the docs, measured again; nothing is written. Each script says what it needs.
BENCHES := authenticate_rate spf_rate dkim_rate dkim_hostile authenticate_hostile policy_rate \
	text_rate text_hostile mime_rate data_reader store_rate
bench: setup
	$(V)/python benchmarks/goals.py
	for name in $(BENCHES); do echo "== $$name"; $(V)/python benchmarks/$$name.py || exit 1; done

# The whole job beside Postfix, in turn and in one run; needs root and the package `postfix`.
bench-peers: setup
	$(V)/python benchmarks/goals.py --peers

# What must hold on any machine: CPU and stalls of hostile mail, and ratios against the baseline.
bench-check: setup
	$(V)/python benchmarks/authenticate_hostile.py --check
	$(V)/python benchmarks/goals.py --check 600

# The durability drills, short, each with its control. They write docs/drills.md.
DRILLS := PYTHONPATH=.:tests $(V)/python -m drills
drill: setup
	$(DRILLS)
# The long forms. MINUTES=30 stops each of them then; FOLDER=… lets the kills and the soak go on
# later where they stopped.
LONG := --long $(if $(MINUTES),--minutes $(MINUTES)) $(if $(FOLDER),--folder $(FOLDER))
drill-long: setup
	$(DRILLS) --long $(if $(MINUTES),--minutes $(MINUTES))
drill-crash: setup
	$(DRILLS) crash $(LONG)
drill-soak: setup
	$(DRILLS) soak $(LONG)

# Every mail that goes out, as text and HTML, written anew: read the difference.
golden: setup
	PORTIERE_GOLDEN=write $(V)/pytest -q -p no:randomly tests/say/test_templates.py

# Pages and examples that are made from the code; tests fail where they are not current.
docs: setup
	$(V)/python docs/generate.py

# The lock file: every platform and Python that we support, with hashes and without addresses.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --group dev --extra s3 pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
