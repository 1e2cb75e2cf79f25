# Everything a fresh clone needs: `make demo` or `make test` on a bare Debian or Ubuntu sets up .venv first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-fast test-random test-matrix test-lowest test-newest test-wheel exports-test torture \
	check isaac isaac-test panel-test lock bench schemas docs docs-pages docs-images clean

PYTHON ?=
ARGS ?=
PYTHONS ?= $(basename $(notdir $(sort $(wildcard constraints/*.txt))))
EXTRA ?= test
READY := .venv/.ready
VLLM := .venv/.ready-vllm
DOCS := .venv-docs/.ready
ISAAC := .venv-isaac/.ready
PANEL := .venv-panel/.ready
RUN := .venv/bin/python -m
# What takes long is named at the end: mend it, or leave it to test-all.
TEST := $(RUN) pytest --numprocesses 2 --dist loadfile --durations 10 --durations-min 15
# Images of containers set it; tests start hundreds of processes, and each would compile what it imports again.
unexport PYTHONDONTWRITEBYTECODE

help: ## Print this help.
	@echo "make demo [ARGS='--workers 4']"
	@echo "make test [ARGS='-k push']"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "PYTHON=/path/to/python chooses the Python (3.11 or later) that .venv is made with."

demo: $(READY) ## See everything work: a dozen robot episodes, a data set, first answers.
	@$(RUN) hpvqa demo $(ARGS)

test: $(VLLM) ## Run the tests, all but the longest, on two cores.
	@$(TEST) -m 'not long' $(ARGS)

test-all: $(VLLM) ## Run every test: each task, model and engine where make test takes one or two; half an hour.
	@HPVQA_TEST_EPISODES=$${HPVQA_TEST_EPISODES:-8} $(TEST) --hypothesis-profile all $(ARGS)

test-fast: $(READY) ## Run the quick tests, without models and simulations: a minute and a half.
	@$(TEST) -m 'not models and not simulation and not slow and not long' $(ARGS)

test-matrix: $(READY) ## Run the tests with each supported Python that is here; EXTRA=dev includes models.
	@EXTRA='$(EXTRA)' ARGS='$(ARGS)' bash scripts/matrix.sh $(PYTHONS)

test-lowest: $(READY) ## Run the tests with the lowest allowed versions; EXTRA=test,vlm includes models.
	@EXTRA='$(EXTRA)' ARGS='$(ARGS)' bash scripts/matrix.sh lowest

test-newest: $(READY) ## Run the tests with the newest allowed versions, which may be newer than what is locked.
	@EXTRA='$(EXTRA)' ARGS='$(ARGS)' bash scripts/matrix.sh newest

test-wheel: $(READY) ## Build wheel and source distribution, and try them in a new environment; OUT=dist keeps them.
	@bash scripts/wheel.sh $(OUT)

exports-test: $(READY) ## Have the programs that exports are for read them, each in an environment of its own.
	@bash scripts/exports.sh lerobot swift llamafactory lmms-eval inspect evalscope vlmevalkit croissant
	@$(RUN) pytest tests/test_export_readers.py $(ARGS)

test-random: $(VLLM) ## Run the property tests with other examples; SEED=12 repeats a run.
	@seed=$${SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}; echo "SEED=$$seed"; \
	$(RUN) pytest -m hypothesis --hypothesis-profile random --hypothesis-seed $$seed --numprocesses 2 --dist loadfile $(ARGS)

torture: $(VLLM) ## Kill, starve, race and fuzz every command that writes and every format that is read; some hours.
	@OMP_NUM_THREADS=1 $(RUN) tests.torture $(ARGS)

check: $(READY) ## Lint, formatting and types.
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy

isaac: $(ISAAC) ## Make .venv-isaac: Isaac Lab 3 with PhysX, without Isaac Sim or a GPU; 7.8 GB, Python 3.12.

isaac-test: $(ISAAC) panel-test ## Run the tests that need Isaac Lab 3, in .venv-isaac, and the panel's; half an hour.
	@OMP_NUM_THREADS=1 .venv-isaac/bin/python -m pytest -m isaaclab tests/isaac/lab3 $(ARGS)

panel-test: $(PANEL) ## Run the panel's tests under the real omni.ui, in .venv-panel (Python 3.12); a quarter of an hour.
	@OMP_NUM_THREADS=1 .venv-panel/bin/python -m pytest -m ovui tests/isaac $(ARGS)

lock: $(READY) ## Write constraints/ again after a change of dependencies; ARGS=--upgrade takes the newest.
	@bash scripts/lock.sh $(ARGS)

bench: $(VLLM) ## Measure speed and memory of collecting, evaluating, fine-tuning and asking; half an hour.
	@for part in collect evaluate finetune ask; do .venv/bin/python -m benchmarks.$$part || exit; done

schemas: $(READY) ## Write the JSON schemas again after a change to a file format.
	@.venv/bin/python -c 'from hpvqa.schema import write_schemas; write_schemas()'
	@cp cli/hpvqa/schemas/recipe.schema.json exts/hpvqa.collector/data/

docs: $(DOCS) ## Build the documentation as a site, in build/site, with a reference of the code; dead links are errors.
	@.venv-docs/bin/python scripts/site.py
	@.venv-docs/bin/zensical build --strict

docs-pages: $(READY) ## Write docs/commands.md and docs/recipes.md again after a change to a command or a recipe.
	@PYTHONPATH=. $(RUN) scripts.pages

docs-images: $(READY) $(PANEL) ## Draw the pictures of the documentation again, after a change to rigs, rendering or the panel.
	@PYTHONPATH=. $(RUN) scripts.figures
	@if [ -d demo/dataset ]; then PYTHONPATH=. $(RUN) scripts.studio; fi
	@OMP_NUM_THREADS=1 .venv-panel/bin/python -m tests.isaac.pictures

clean: ## Remove .venv, caches, builds and the demo's output; data, dataset and runs stay.
	rm -rf .venv .venv-docs .venv-isaac .venv-panel .venvs build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find cli tests benchmarks research -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml scripts/bootstrap.sh $(wildcard constraints/*.txt)
	@PYTHON='$(PYTHON)' bash scripts/bootstrap.sh && touch $@

$(DOCS): $(READY) pyproject.toml
	@.venv/bin/python -m venv .venv-docs && .venv-docs/bin/pip install --quiet --editable '.[docs]' && touch $@

$(ISAAC): scripts/isaac.sh scripts/python312.sh
	@PYTHON='$(PYTHON)' bash scripts/isaac.sh && touch $@

$(PANEL): scripts/panel.sh scripts/python312.sh pyproject.toml constraints/3.12.txt
	@PYTHON='$(PYTHON)' bash scripts/panel.sh && touch $@

$(VLLM): $(READY)
	@bash scripts/bootstrap.sh vllm && touch $@
