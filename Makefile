# Two commands matter: `make demo` and `make test`. Both set up what they need, once.

PYTHON ?= python3
BIN := .venv/bin
LIBRARIES := libEGL.so.1 libGLESv2.so.2 libGL.so.1 libglib-2.0.so.0
PACKAGES := libegl1 libgles2 libgl1 libglib2.0-0

.DEFAULT_GOAL := help
# Targets that run side by side install one after another.
APT_INSTALL := flock /tmp/cameo-apt.lock sh -c 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$@"' apt

.PHONY: help demo test quick test-python312 mutants soak attack lint bench bench-live evaluate evaluate-real lock system kit

help:
	@echo "make demo    run the main job end to end"
	@echo "make test    lint, types, imports, protos, tests"
	@echo "make quick   the tests that need no model and no server; make test-python312 runs them on Python 3.12"
	@echo "make mutants put faults into what guards the product; each must be noticed"
	@echo "make soak    2,000 random histories each of owners, guardians, generator and clock, and of credentials, against models"
	@echo "make lint-protos  the protos by buf's standard rules, and against the last release"
	@echo "make test-protos  that the comparison with the last release notices a field that is gone"
	@echo "make test-interop  tokens, receipts and webhooks, opened by others' libraries: of npm, Python and Go"
	@echo "make test-browser  the console in Chromium; screenshots in build/screenshots"
	@echo "make test-s3, test-ray, test-speechbrain  evidence on S3's wire, replay on Ray, parity with SpeechBrain: each with an environment of its own"
	@echo "make test-postgresql  the store and the services over PostgreSQL"
	@echo "make test-pkcs11  the issuer's key in a PKCS#11 token, on SoftHSM2"
	@echo "make attack  attack a server on loopback, and say what it did and what an honest client saw; 5 minutes"
	@echo "make bench   what one verification costs"
	@echo "make bench-live  what is left to do after the last byte"
	@echo "make wheels  cameo-client, cameo-credential and cameo-verifier in dist/"
	@echo "make documents  write the generated pages of docs/"
	@echo "make evaluate  render the attack suite, print its error rates"

system:
	@missing=""; \
	for library in $(LIBRARIES); do ldconfig -p | grep -q "$$library" || missing="$(PACKAGES)"; done; \
	for program in npm strace; do command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $$missing"; \
	    $(APT_INSTALL) $$missing >/dev/null; \
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
	@$(BIN)/cameo models check >/dev/null 2>&1 || $(BIN)/cameo models pull

demo: kit
	$(BIN)/cameo demo

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Each file of tests in one of several processes, each of which opens the models once. One process more than cores: many tests
# wait for a server or a worker.
PROCESSES := $(shell cores=$$(nproc); echo $$((cores < 4 ? cores + 1 : 4)))
SIDE_BY_SIDE ?= -n $(PROCESSES) --dist loadfile

test: kit lint check-protos
	$(BIN)/pytest $(SIDE_BY_SIDE)

# The tests that need no model, with none in reach, and start no server; those of committed recordings judge golden tracks.
QUICK := CAMEO_MODELS=$(CURDIR)/build/no-models
QUICK_TESTS := -m 'not models and not slow' tests/unit tests/property tests/readme tests/documents

quick: system .venv/ready
	$(QUICK) $(BIN)/pytest $(SIDE_BY_SIDE) $(QUICK_TESTS)

# The same on Python 3.12, in an environment of its own, where this machine has it; pyenv's shim asks which one is meant.

PYTHON312_VENV := .venv-python312
PYTHON312 = PYENV_VERSION=3.12 python3.12

.PHONY: env-python312

env-python312: requirements.lock pyproject.toml
	@if ! $(PYTHON312) -c '' 2>/dev/null; then echo 'skipped: no python3.12 on this machine'; \
	elif ! [ $(PYTHON312_VENV)/.ready -nt requirements.lock ] || ! [ $(PYTHON312_VENV)/.ready -nt pyproject.toml ]; then \
	  $(PYTHON312) -m venv --clear $(PYTHON312_VENV) \
	  && $(PYTHON312_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock \
	  && $(PYTHON312_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
	  && touch $(PYTHON312_VENV)/.ready; \
	fi

test-python312: system env-python312
	@[ ! -e $(PYTHON312_VENV)/.ready ] || $(QUICK) $(PYTHON312_VENV)/bin/python -m pytest $(SIDE_BY_SIDE) $(QUICK_TESTS)

# Faults put into what guards the product, each of which a test must notice.
mutants: .venv/ready
	$(BIN)/python -m tests.mutants

soak: .venv/ready
	CAMEO_EXAMPLES=2000 $(BIN)/pytest --timeout=3600 -o faulthandler_timeout=3900 tests/property/test_cameo_owner.py tests/property/test_cameo_minor.py tests/property/test_cameo_credentials.py

# A server of its own on a free loopback port; a busy machine needs more minutes.
MINUTES ?= 5

attack: kit
	$(BIN)/python -m tests.attack --minutes $(MINUTES)

bench: kit
	$(BIN)/python tests/bench/cost.py

bench-live: kit
	$(BIN)/python -m tests.bench.live

SUITE ?= build/suite
PER_SPECIES ?= 6
BONA_FIDE ?= 132
SEED ?= 18

evaluate: kit
	$(BIN)/python -m fixtures.studio suite --out $(SUITE) --per-species $(PER_SPECIES) --bona-fide $(BONA_FIDE) --seed $(SEED) --half report
	$(BIN)/cameo evaluate $(SUITE) --half report --out $(SUITE)/report

# The same questions on recordings of real people, which are not part of the project.

DEVDATA ?= ../shared/devdata

evaluate-real: kit
	$(BIN)/python -m tests.real --devdata $(DEVDATA) --out build/real

# Pages whose content stands in the code; a test compares them.
.PHONY: documents
documents: .venv/ready
	$(BIN)/python -m tests.documents

# The three wheels: what an app installs to call the service, what a generator installs to open credentials, and the service,
# which needs the other two.
.PHONY: wheels
wheels: .venv/ready
	for project in packaging/client packaging/credential .; do $(BIN)/python -m build --wheel --no-isolation --outdir dist $$project; done

lock:
	uv pip compile -q --no-emit-package cameo-client --no-emit-package cameo-credential --generate-hashes --no-annotate --python-version 3.11 --extra app-attest --extra studio --group dev pyproject.toml -o requirements.lock

# The generated code lies beside the protos. `protos` writes it, `check-protos` fails when it is not what protoc writes now.

PROTO_PYTHON ?= $(BIN)/python
PROTO_SOURCES := $(sort $(wildcard protos/cameo/v1/*.proto))
PROTOC = $(PROTO_PYTHON) -m grpc_tools.protoc -I protos --python_out=$(1) --pyi_out=$(1) --grpc_python_out=$(1) $(PROTO_SOURCES)

.PHONY: protos check-protos

protos:
	rm -f protos/cameo/v1/*_pb2.py protos/cameo/v1/*_pb2.pyi protos/cameo/v1/*_pb2_grpc.py
	$(call PROTOC,protos)

check-protos: .venv/ready
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && $(call PROTOC,"$$fresh") \
	&& diff -r --exclude='*.proto' --exclude=py.typed --exclude=__pycache__ "$$fresh/cameo/v1" protos/cameo/v1 \
	|| { echo 'generated code differs from the protos: run `make protos` and commit the result' >&2; exit 1; }

# The protos by buf's standard rules, and against the last release; what it needs comes from npm.

BUF := build/buf/node_modules/.bin/buf

.PHONY: lint-protos test-protos

lint-protos: $(BUF)
	$(BUF) lint protos
	@last=$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true); \
	if [ -n "$$last" ]; then $(BUF) breaking protos --against ".git#tag=$$last,subdir=protos"; \
	else echo 'no release is tagged: there is nothing the protos could break'; fi

# That the comparison notices what breaks callers, in a clone that has a release.
test-protos: .venv/ready $(BUF)
	$(BIN)/pytest tests/protos

$(BUF): tests/protos/package-lock.json
	mkdir -p build/buf && cp tests/protos/package.json tests/protos/package-lock.json build/buf
	npm ci --silent --ignore-scripts --prefix build/buf
	@touch $@

# What others' libraries make of our tokens and webhooks: those of npm, those of Python in an environment of its own, and go-jose where
# Debian's Go is, or can be installed.

INTEROP_VENV := .venv-interop
GO_PACKAGES := golang-go golang-gopkg-square-go-jose.v2-dev

.PHONY: env-interop test-interop

test-interop: .venv/ready env-interop build/interop/.ready
	@if ! [ -d /usr/share/gocode/src/gopkg.in/square/go-jose.v2 ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing $(GO_PACKAGES)"; \
	  $(APT_INSTALL) $(GO_PACKAGES) >/dev/null; \
	fi
	@if [ -d /usr/share/gocode/src/gopkg.in/square/go-jose.v2 ]; then \
	  GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$(CURDIR)/build/interop/go go build -o build/interop/go-jose tests/interop/open_tokens.go; \
	else echo 'skipped: no go-jose on this machine'; fi
	$(BIN)/pytest tests/interop

env-interop: $(INTEROP_VENV)/.ready

$(INTEROP_VENV)/.ready: requirements-interop.lock
	$(PYTHON) -m venv --clear $(INTEROP_VENV)
	$(INTEROP_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-interop.lock
	touch $@

build/interop/.ready: tests/interop/package-lock.json
	mkdir -p build/interop && cp tests/interop/package.json tests/interop/package-lock.json build/interop
	npm ci --silent --ignore-scripts --prefix build/interop
	@touch $@

# The console in a real browser; what it needs besides is small, and is added to the environment.

.PHONY: test-browser

test-browser: kit
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock
	$(BIN)/pytest tests/browser

# The store, the histories of owners and the services over a PostgreSQL server that is made for it and thrown away. Tasks that are
# ended in the middle leave their connection to the collector, which psycopg warns about: that is no fault here.

POSTGRESQL_TESTS := tests/postgresql tests/unit/store tests/unit/review/test_filter_language.py tests/property/test_cameo_owner.py \
	tests/property/test_cameo_minor.py tests/property/test_cameo_credentials.py tests/property/test_removals.py \
	tests/unit/server/test_event_feed.py \
	$(addprefix tests/grpc/test_,event_streams.py cameos.py permissions.py grants.py likeness.py cameo_events.py requesters.py guardians.py \
	removals.py issued_credentials.py ended_credentials.py enrolment.py)

.PHONY: test-postgresql

test-postgresql: kit
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing postgresql"; \
	    $(APT_INSTALL) postgresql >/dev/null; \
	  else \
	    echo "missing on this machine; as root run: apt-get install postgresql" >&2; exit 1; \
	  fi; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-postgresql.lock
	CAMEO_EXAMPLES=$${CAMEO_EXAMPLES:-50} $(BIN)/python -m tests.postgresql.server $(BIN)/pytest $(SIDE_BY_SIDE) -W ignore::pytest.PytestUnraisableExceptionWarning $(POSTGRESQL_TESTS)

# The issuer's key in a PKCS#11 token, on SoftHSM2, which keeps its tokens in a folder of the test's.

.PHONY: test-pkcs11

test-pkcs11: kit
	@ls /usr/lib/softhsm/libsofthsm2.so >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing softhsm2"; \
	    $(APT_INSTALL) softhsm2 >/dev/null; \
	  else \
	    echo "missing on this machine; as root run: apt-get install softhsm2" >&2; exit 1; \
	  fi; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-pkcs11.lock
	$(BIN)/pytest tests/pkcs11

# Parity with SpeechBrain and PyTorch, in an environment of its own: PyTorch is 5.6 GB and never part of the default install.

SPEECHBRAIN_VENV := .venv-speechbrain
SPEECHBRAIN_READY := $(SPEECHBRAIN_VENV)/.ready

.PHONY: env-speechbrain test-speechbrain

env-speechbrain: $(SPEECHBRAIN_VENV)/.ready

test-speechbrain: $(SPEECHBRAIN_READY)
	$(SPEECHBRAIN_VENV)/bin/python -m pytest tests/speechbrain

$(SPEECHBRAIN_READY): requirements-speechbrain.lock
	$(PYTHON) -m venv --clear $(SPEECHBRAIN_VENV)
	$(SPEECHBRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-speechbrain.lock
	$(SPEECHBRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Evidence on S3's wire, against a server in an environment of its own: what it stands on does not go together with what the site does.

S3_VENV := .venv-s3

.PHONY: env-s3 test-s3

env-s3: $(S3_VENV)/.ready

test-s3: .venv/ready $(S3_VENV)/.ready
	$(BIN)/pytest tests/s3

$(S3_VENV)/.ready: requirements-s3.lock
	$(PYTHON) -m venv --clear $(S3_VENV)
	$(S3_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-s3.lock
	touch $@

# Bulk replay on a Ray cluster of two nodes, in an environment of its own: Ray is never part of the default install.

RAY_VENV := .venv-ray

.PHONY: env-ray test-ray

env-ray: $(RAY_VENV)/.ready

test-ray: kit $(RAY_VENV)/.ready
	$(RAY_VENV)/bin/python -m pytest tests/ray

$(RAY_VENV)/.ready: requirements-ray.lock
	$(PYTHON) -m venv --clear $(RAY_VENV)
	$(RAY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ray.lock
	$(RAY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
