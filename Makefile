# Two commands matter: `make demo` and `make test`. Both set up what they need, once.

PYTHON ?= python3
BIN := .venv/bin
LIBRARIES := libEGL.so.1 libGLESv2.so.2 libGL.so.1 libglib-2.0.so.0
PACKAGES := libegl1 libgles2 libgl1 libglib2.0-0

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench lock system kit

help:
	@echo "make demo    run the main job end to end"
	@echo "make test    lint, types, imports, protos, tests"
	@echo "make bench   what one verification costs"

system:
	@missing=""; \
	for library in $(LIBRARIES); do ldconfig -p | grep -q "$$library" || missing="$(PACKAGES)"; done; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $$missing"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else \
	    echo "missing on this machine; as root run: apt-get install $$missing" >&2; exit 1; \
	  fi; \
	fi

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

kit: system .venv/ready
	@$(BIN)/cameo models check --quiet 2>/dev/null || $(BIN)/cameo models pull

demo: kit
	$(BIN)/cameo demo

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: kit lint check-protos
	$(BIN)/pytest

bench: kit
	$(BIN)/python tests/bench/cost.py

lock:
	uv pip compile -q --generate-hashes --no-annotate --python-version 3.11 --extra studio --group dev pyproject.toml -o requirements.lock

include make/protos.mk make/speechbrain.mk
