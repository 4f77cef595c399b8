# One entry point for people and CI. `make help` lists the targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
WORKERS ?= 2
CODE   := libs services deploy/local deploy/grafana tests bench scripts

.DEFAULT_GOAL := help
.PHONY: help setup demo model test test-slow check lint types imports fresh format bench bench-deploy helm-test prometheus dashboards-png lock generate clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  \033[36mmake %-15s\033[0m %s\n", $$1, $$2}'

$(READY): requirements.lock
	@echo "Setting up $(VENV) (once, well under a minute with a warm package cache) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Argus needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$$(sed -n 's/^uv==//p' requirements.lock)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python "hatchling==$$(sed -n 's/^hatchling==//p' requirements.lock)" "editables==$$(sed -n 's/^editables==//p' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	@touch $(READY)

setup: $(READY)  ## make .venv and install everything from requirements.lock

demo: $(READY)  ## the whole system on this machine, with a live view (ARGS="--seconds 180 --servers 40")
	@$(BIN)/argus demo $(ARGS)

test: $(READY)  ## every test but the slow ones, on a real Kafka and Redis per worker (ARGS="-k ring" WORKERS=0)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-slow: $(READY)  ## the tests that take minutes
	@$(BIN)/python -m pytest -m slow $(ARGS)

check: lint types imports fresh  ## lints, types, import rules, generated files

lint: $(READY)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: $(READY)
	@$(BIN)/mypy $(CODE)

imports: $(READY)
	@$(BIN)/lint-imports --no-cache

fresh: $(READY)
	@$(BIN)/python scripts/generate.py --check

generate: $(READY)  ## rewrite the generated references (AsyncAPI, JSON Schemas, settings table)
	@$(BIN)/python scripts/generate.py

format: $(READY)  ## format the code
	@$(BIN)/ruff check --fix --quiet $(CODE) || true
	@$(BIN)/ruff format $(CODE)

bench: $(READY)  ## every number of the README that one machine can measure, with its yardstick in the same run
	@$(BIN)/python -m bench $(ARGS)

bench-deploy: $(READY)  ## what a deployed service costs: installed size, start, idle memory
	@$(BIN)/python -m bench deploy

model: $(READY)  ## train the shipped model anew (AZURE=FILE VERSION=2)
	@$(BIN)/python scripts/make_model.py $(AZURE) --version $(VERSION)

helm-test: $(READY)  ## the Helm chart on a real Kubernetes: KUBECONFIG, or ARGUS_KUBEKIT and ARGUS_KUBEKIT_BIN
	@$(BIN)/python -m pytest tests/deploy/test_deploy_chart.py tests/deploy/test_deploy_cluster.py $(ARGS)

prometheus:  ## Debian's Prometheus and Alertmanager into .argus, without root, for the tests that need them
	@mkdir -p .argus/prometheus/packages
	@cd .argus/prometheus/packages && apt-get download -qq prometheus prometheus-alertmanager
	@for package in .argus/prometheus/packages/*.deb; do dpkg-deb -x $$package .argus/prometheus; done

dashboards-png: $(READY)  ## pictures of the dashboards into docs/dashboards, from the running services
	@PYTHONPATH=tests/support $(BIN)/python scripts/dashboards_png.py $(ARGS)

lock: $(READY)  ## resolve requirements.in and the packages' own needs into requirements.lock
	@$(BIN)/uv pip compile --quiet requirements.in --no-annotate --universal --no-header --upgrade -o requirements.lock

clean:  ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .argus
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
