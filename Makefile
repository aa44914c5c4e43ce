# Everything happens in .venv; nothing needs to be activated. `make` lists what there is.
PYTHON ?= python3.11
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SERVER_STAMP := $(VENV)/.installed-server
LAUNCHERS_STAMP := $(VENV)/.installed-launchers
FRAMEWORKS_STAMP := $(VENV)/.installed-frameworks
KERAS_VENV := .venv-keras
KERAS_STAMP := $(KERAS_VENV)/.installed

# Idle OpenMP threads sleep instead of spinning: on shared CPUs that is a factor of 20 and more.
export OMP_WAIT_POLICY := PASSIVE
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export DVC_NO_ANALYTICS := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests of Keras scripts run these in an environment of their own, where it is there.
PLATEAU_KERAS_PYTHON ?= $(wildcard $(CURDIR)/$(KERAS_VENV)/bin/python)
export PLATEAU_KERAS_PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup setup-server setup-launchers setup-frameworks setup-keras repro sync retrain retrain-ci retrain-push retrain-publish retrain-promote test test-quick bench-diagnosis bench-games bench-fidelity bench-scripts bench-scale bench-speed lint format ui clean distclean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(STAMP) ## Install everything into .venv (again only when requirements.lock or pyproject.toml change)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) not found; give another: make PYTHON=... setup" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -r requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	@touch $@

setup-server: $(SERVER_STAMP) ## Install also what MLflow on PostgreSQL and S3, and a DVC remote on S3, need

$(SERVER_STAMP): requirements-server.lock $(STAMP)
	$(BIN)/python -m pip install --no-deps -r requirements-server.lock
	@touch $@

setup-launchers: $(LAUNCHERS_STAMP) ## Install also Ray, Dask and submitit, to train on many machines

$(LAUNCHERS_STAMP): requirements-launchers.lock $(STAMP)
	$(BIN)/python -m pip install --no-deps -r requirements-launchers.lock
	@touch $@

setup-frameworks: $(FRAMEWORKS_STAMP) ## Install also Lightning, fastai, ignite and the like, for the tests of scripts on them

$(FRAMEWORKS_STAMP): requirements-frameworks.lock $(STAMP)
	$(BIN)/python -m pip install --no-deps -r requirements-frameworks.lock
	@touch $@

setup-keras: $(KERAS_STAMP) ## Install TensorFlow and JAX into .venv-keras, for the tests of Keras scripts

$(KERAS_STAMP): requirements-keras.lock
	test -x $(KERAS_VENV)/bin/python || $(PYTHON) -m venv $(KERAS_VENV)
	$(KERAS_VENV)/bin/python -m pip install --no-deps -r requirements-keras.lock
	@touch $@

repro: setup ## Check params.yaml, then run every stage that is not up to date (dvc repro)
	@sh stages/run check
	$(BIN)/dvc repro

sync: setup ## Send MLflow what an unreachable tracking server has missed
	@sh stages/run -m plateau_cause.tracking.outbox

retrain: setup ## Pull, run what changed, promote today's model if it beats the deployed one (PROMOTE=no only decides)
	@sh stages/run -m plateau_cause.retraining $(if $(filter no,$(PROMOTE)),--no-promote)

# The same in pieces, for CI. A model that is not promoted (3, 4) is a result, not a failure of the job.
retrain-ci: setup
	@sh stages/run -m plateau_cause.retraining --no-promote $(if $(OUTPUTS),--outputs "$(OUTPUTS)") || case $$? in 3|4) ;; *) exit 1 ;; esac

retrain-push: setup
	$(BIN)/dvc push --run-cache

retrain-publish:
	@OUTPUTS="$(OUTPUTS)" sh ci/publish $(PUSH_OPTIONS)

retrain-promote: setup
	@sh stages/run -m plateau_cause.retraining promote

test: setup ## Run the whole test suite, on two cores at once
	$(BIN)/python -m pytest -n 2

test-quick: setup ## Run the tests that take less than about ten seconds each
	$(BIN)/python -m pytest -m "not slow"

lint: setup ## Check style, types and CI files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	$(BIN)/zizmor --offline --quiet .github/workflows

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-diagnosis: setup ## Run the fault suite and the peers; exit status 1 below the bars (CASES='drawings*' for a part, SEEDS='0 1' for two)
	PLATEAU_TRACKING=off $(BIN)/python -m benchmarks.diagnosis.run --cases '$(or $(CASES),*)' --seeds $(or $(SEEDS),0)

bench-fidelity: setup ## Recipe arm beside plain PyTorch scripts; exit status 1 where they differ (RECIPES='own_*' for a part)
	PLATEAU_TRACKING=off $(BIN)/python -m benchmarks.fidelity.run --recipes $(or $(RECIPES),'*')

bench-scripts: setup ## Diagnose public training scripts, broken by one line each; exit status 1 below the bar (CASES='flags-*' for a part)
	PLATEAU_TRACKING=off $(BIN)/python -m benchmarks.scripts.run --cases '$(or $(CASES),*)'

bench-games: setup ## Play noisy games with known values, beside the best possible player; exit status 1 below the bars
	$(BIN)/python -m benchmarks.games.run

bench-speed: setup ## Ratios of speed beside bare loops and other libraries; exit status 1 below the bars (ONLY='loops files' for a part)
	PLATEAU_TRACKING=off $(BIN)/python -m benchmarks.speed.run $(if $(ONLY),--only $(ONLY))

bench-scale: setup ## Memory and time of the stages before training, up to a million images (IMAGES='10000 100000' for less)
	$(BIN)/python -m benchmarks.scale --images $(or $(IMAGES),10000 100000 1000000)

ui: setup ## Open the recorded runs in MLflow on http://127.0.0.1:5000 (PORT=... for another port)
	-@sh stages/run -m plateau_cause.tracking.read http://127.0.0.1:$(PORT)
	$(BIN)/mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}" --host 127.0.0.1 --port $(PORT)

clean: ## Remove what the pipeline and the tests made; runs, DVC's cache and .venv stay
	rm -rf data/inputs data/prepared data/reference data/statistics data/features data/shift
	rm -rf data/arms data/interventions reports/plots reports/runs reports/plateau_cause.html reports/plateau_cause.md
	rm -rf .plateau .pytest_cache .mypy_cache .ruff_cache
	find src stages tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove also .venv, DVC's cache and the recorded runs
	rm -rf $(VENV) .dvc/cache .dvc/tmp mlflow.db .mlflow.db.lock mlartifacts mlruns
