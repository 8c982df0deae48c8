# Everything runs in .venv; the first call makes it, later calls start in seconds.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.synced

# Python keeps what it compiled, whatever the environment says: servers, commands and sandboxes are hundreds of processes,
# and each would compile every library again, for longer than most tests take.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup serve test test-all mutants lint structure validate bench lock assets clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@sh scripts/setup.sh "$(PYTHON)"
	@touch $(STAMP)

serve: setup
	@$(BIN)/study serve

# One file, one process: what a file's tests share is set up once, and two clusters never fight for the cores. Nor do the
# threads of linear algebra: one in each process. Three processes for two cores: tests of servers and pages wait a fifth of
# their time. What only sandboxes import is compiled first, for they write nothing.
test: setup
	@sh scripts/test_needs.sh
	@$(BIN)/python -m compileall -q .venv/lib/python*/site-packages/trio
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow"

# Every test, in parts of an hour at most; called again, it goes on with the tests that have not passed at this commit.
test-all: setup
	@sh scripts/test_needs.sh
	@$(BIN)/python scripts/test_all.py $(PARTS)

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy study_app analysis && $(BIN)/lint-imports

# Figures of the structure, each beside its aim.
structure: setup
	@$(BIN)/python scripts/structure.py

# Which of 200 seeded changes of the code no test notices; called again, it goes on with those not run at this commit.
mutants: setup
	@$(BIN)/python scripts/mutants.py $(MUTANTS)

# What the analysis promises, by simulation: 2,000 trials a figure; called again, it goes on with the parts not done.
validate: setup
	@$(BIN)/python analysis/scripts/10_validation.py docs/reference/validation.md $(TRIALS) $(PARTS)

bench: setup
	@for f in benchmarks/bench_*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

lock: setup
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --group dev pyproject.toml -o requirements.lock --quiet --no-header

assets: setup
	@sh scripts/build_assets.sh

clean:
	rm -rf .venv
