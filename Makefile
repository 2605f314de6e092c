# Two commands matter: `make serve` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PORT   ?= 8000
export PORT
BENCH       ?= var/bench
BENCH_SIZES ?= 20000 200000
BENCH_EVAL  ?=

.PHONY: serve demo test setup index check bench profile load clean help

help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: setup     ## set up, build the index, serve on http://127.0.0.1:$(PORT)
	$(BIN)/kb index
	$(BIN)/kb serve

# Its log is its own and begun anew each time; the password is asked for before the long part.
demo: export KB_DATABASE_URL = sqlite:///$(CURDIR)/var/demo.db
demo: setup      ## the same with a simulated log and an account for the editors' pages
	mkdir -p var
	rm -f var/demo.db var/demo.db-shm var/demo.db-wal
	$(BIN)/kb users add editor --role editor
	$(BIN)/kb index
	$(BIN)/kb simulate
	$(BIN)/kb serve

test: $(VENV)/.test   ## set up, then ruff, mypy and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

setup: $(VENV)/.serve ## create the environment with pinned dependencies

index: setup     ## build and publish the index
	$(BIN)/kb index

check: setup     ## check every article
	$(BIN)/kb check

# Hours: give BENCH_EVAL="DIR…" for the quality of each engine on data sets in BEIR layout.
bench: $(VENV)/.bench  ## measure this project beside other engines, in $(BENCH)
	for size in $(BENCH_SIZES); do \
	  $(BIN)/python benchmarks/corpus.py $(BENCH)/passages-$$size --passages $$size --keep || exit; \
	done
	$(BIN)/python benchmarks/side_by_side.py $(BENCH)/scratch \
	  $(BENCH_SIZES:%=$(BENCH)/passages-%) --sets $(BENCH_EVAL) --json docs/side-by-side.json
	$(BIN)/python benchmarks/growth.py $(BENCH)/scratch

profile: setup   ## print where a query's time goes, by stage
	$(BIN)/python benchmarks/stages.py

load: setup      ## measure throughput, start and memory of `kb serve`
	$(BIN)/python benchmarks/serve.py

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# torch first and by itself, so that TORCH_INDEX can point it at the small build for the CPU.
$(VENV)/.serve: pyproject.toml constraints.txt | $(VENV)/.python
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH_INDEX) -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.serve
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

$(VENV)/.bench: $(VENV)/.serve
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

clean:           ## remove the environment, the index and the log
	rm -rf $(VENV) var build dist *.egg-info
