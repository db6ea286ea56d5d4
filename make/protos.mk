# The generated code lies beside the protos. `protos` writes it, `check-protos` fails when it is not what protoc writes now.

PROTO_PYTHON ?= .venv/bin/python
PROTO_SOURCES := $(sort $(wildcard protos/cameo/v1/*.proto))
PROTOC = $(PROTO_PYTHON) -m grpc_tools.protoc -I protos --python_out=$(1) --pyi_out=$(1) --grpc_python_out=$(1) $(PROTO_SOURCES)

.PHONY: protos check-protos

protos:
	rm -f protos/cameo/v1/*_pb2.py protos/cameo/v1/*_pb2.pyi protos/cameo/v1/*_pb2_grpc.py
	$(call PROTOC,protos)

check-protos:
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && $(call PROTOC,"$$fresh") \
	&& diff -r --exclude='*.proto' --exclude=__pycache__ "$$fresh/cameo/v1" protos/cameo/v1 \
	|| { echo 'generated code differs from the protos: run `make protos` and commit the result' >&2; exit 1; }
