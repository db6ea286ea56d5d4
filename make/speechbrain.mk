# Parity with SpeechBrain and PyTorch, in an environment of its own: PyTorch is 5.6 GB and never part of the default install.

PYTHON ?= python3
SPEECHBRAIN_VENV := .venv-speechbrain
SPEECHBRAIN_READY := $(SPEECHBRAIN_VENV)/.ready

.PHONY: test-speechbrain

test-speechbrain: $(SPEECHBRAIN_READY)
	$(SPEECHBRAIN_VENV)/bin/python -m pytest tests/speechbrain

$(SPEECHBRAIN_READY): requirements-speechbrain.lock
	$(PYTHON) -m venv --clear $(SPEECHBRAIN_VENV)
	$(SPEECHBRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-speechbrain.lock
	$(SPEECHBRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
