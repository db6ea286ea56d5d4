# The steps of CI. Make runs three side by side, none before what it waits for; no new step starts once one has failed.

RUN := make --no-print-directory
# Seconds; a test has 20 minutes before it says where it hangs.
LIMIT := 1800
STEP = .ci/step $(LIMIT) $@ $(RUN) $@
TESTS := test-protos test-interop test-browser test-s3 test-ray test-speechbrain test-python312 test-pkcs11 test-postgresql

.PHONY: all kit test demo lint-protos $(TESTS) env-s3 env-ray env-speechbrain env-python312

all: test demo lint-protos $(TESTS)

kit:
	@$(STEP)

# `make test` keeps two cores busy.
test: LIMIT := 3000
test: kit
	@$(STEP)

# Environments are set up one at a time, beside the tests.
env-s3: kit
	@$(STEP)
env-ray: env-s3
	@$(STEP)
env-speechbrain: env-ray
	@$(STEP)
env-python312: env-speechbrain
	@$(STEP)

demo lint-protos test-browser: test
	@$(STEP)
# Both take packages from npm.
test-protos test-interop: lint-protos
	@$(STEP)
# A browser beside them answers late.
test-s3 test-ray test-speechbrain: test-%: env-% test-browser
	@$(STEP)
# Two that keep two cores busy come one after the other.
test-python312: env-python312 test-postgresql
	@$(STEP)
# It keeps two cores busy too, and adds to the environment that test-browser adds to.
test-postgresql: test-browser
	@$(STEP)
# It adds to that environment as well.
test-pkcs11: test-postgresql
	@$(STEP)
