# Every verb of the project. `make` alone lists them. Each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

REQUESTS ?= 2000
SHARDS   ?= 3
HISTORIES ?= 500
SEED     ?=
DB       ?= sqlite
STORE    ?= sqlite
APP      ?= bookings
QUICK    ?=
REV      ?= HEAD~1
RATIO_MAX ?=
ONLY     ?=
TIME     ?= 60
TARGET   ?=
ENGINE   ?= docker

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z0-9-]*\):.*##.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 22

$(READY): requirements.lock pyproject.toml examples/bookings/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: Python 3.11 or newer is needed (PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed, this is $$($(PYTHON) --version)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e . -e examples/bookings
	@touch $@

setup: $(READY) ## make the virtual environment

demo: $(READY) ## seed a monolith, cut it in three, and tour the three as one
	@$(BIN)/python -m proof.demo

# A process of tests for each core, and one more for the time in which others wait. A file stays in one process, so its
# worlds are started once; files come in the order of tests/conftest.py: those that take long first.
PARALLEL = -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist loadfile --no-loadscope-reorder

test: check ## lint, types, floors and all tests
	$(BIN)/pytest $(PARALLEL)

check: $(READY) ## lint, types and floors alone
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## let the formatter and the linter mend what they can
	$(BIN)/ruff check --fix --quiet || true
	$(BIN)/ruff format

test-compiled: wheel ## the tests of what the gateway does, asked of the wheel that `make wheel` made
	$(PYTHON) -m venv --clear .venv-compiled
	.venv-compiled/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv-compiled/bin/pip install --quiet --disable-pip-version-check --no-deps dist/shardgate-*-cp*.whl -e examples/bookings
	.venv-compiled/bin/pytest tests $(PARALLEL) --ignore=tests/bench --ignore=tests/docs --ignore=tests/split

wheel: $(READY) ## a wheel in dist/ with the hot modules compiled: needs a C compiler and Python's headers
	@rm -f dist/shardgate-*.whl
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

image: $(READY) ## the gateway as an OCI image, by podman: localhost/shardgate:dev (BASE= and BUILD_BASE= name other bases)
	@$(BIN)/python -m tools.containers

image-sbom: $(READY) .venv-supply/.ready ## what the image consists of, as CycloneDX: dist/shardgate-image.cdx.json (IMAGE=localhost/shardgate:dev)
	@$(BIN)/python -m tools.containers.sbom $(IMAGE) dist/shardgate-image.cdx.json

image-test: $(READY) ## build the image twice, run it as an orchestrator does, and end it under load
	@$(BIN)/python -m proof.image

compose-test: $(READY) ## start deploy/compose.yaml by podman, and ask both gateways and Prometheus (SCALE=0.02 BUILT=1)
	@$(BIN)/python -m proof.compose $(if $(SCALE),--scale $(SCALE)) $(if $(BUILT),--built)

wheel-test: wheel ## the wheel and the sdist in bare environments: compiled, run, measured; the sdist without a compiler
	@rm -f dist/shardgate-*.tar.gz
	@$(BIN)/hatchling build -t sdist -d dist >/dev/null
	@$(BIN)/python -m tools.wheels

.venv-wheels/.ready: requirements-wheels.lock
	$(PYTHON) -m venv --clear .venv-wheels
	.venv-wheels/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-wheels.lock
	@touch $@

wheels: .venv-wheels/.ready ## manylinux wheels of this processor for Python 3.11 to 3.14, into wheelhouse/: needs docker (or ENGINE=podman)
	CIBW_CONTAINER_ENGINE=$(ENGINE) .venv-wheels/bin/cibuildwheel --platform linux

equivalence: $(READY) ## the law: REQUESTS=2000 SHARDS=1,2,3,5,8 DB=postgresql STORE=postgresql SEED=… REPLICAS=2 KILL_EVERY_S=10 APP=json-server
ifeq ($(APP),json-server)
	@$(BIN)/python -m proof.strangers --only json-server $(if $(SEED),--seed $(SEED))
else
	@$(BIN)/python -m proof.equivalence --requests $(REQUESTS) --shards $(SHARDS) --db $(DB) --store $(STORE) $(if $(SEED),--seed $(SEED)) $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(KILL_EVERY_S),--kill-every-s $(KILL_EVERY_S))
endif

equivalence-writes: $(READY) ## the law for changes: HISTORIES=500 SHARDS=3 SEED=… STORE=postgresql
	@$(BIN)/python -m proof.writes --histories $(HISTORIES) --shards $(SHARDS) --store $(STORE) $(if $(SEED),--seed $(SEED))

crash: $(READY) ## kill the gateway at every step of every kind of change, and look at what is left: STORE=postgresql
	@$(BIN)/python -m proof.converging --store $(STORE)
	@$(BIN)/python -m proof.crash --store $(STORE)

move: $(READY) ## move tenants between shards under load, a shard added, one drained and removed: MOVES=100 QUICK=1 SEED=… DB=postgresql
	@$(BIN)/python -m proof.move --db $(DB) $(if $(MOVES),--moves $(MOVES)) $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED))

move-crash: $(READY) ## kill the mover, the gateway and a shard at each phase of a movement: QUICK=1 DB=postgresql
	@$(BIN)/python -m proof.move.crash --db $(DB) $(if $(QUICK),--quick)

schemas: $(READY) ## split the schema of another application, compare by pg_dump: SERVER=URL TENANT=table DUMP=structure.sql
	@$(BIN)/python -m proof.schemas --server '$(SERVER)' --tenant $(TENANT) $(if $(DUMP),--dump $(DUMP)) $(if $(SOURCE),--source '$(SOURCE)')

crowd: $(READY) ## 50 buyers at once for the last seats, by every door: sold = capacity: GATEWAYS=2 STORE=postgresql
	@$(BIN)/python -m proof.crowd --gateways $(or $(GATEWAYS),1) --store $(STORE)
	@$(if $(filter 2,$(GATEWAYS)),$(BIN)/python -m proof.two_hosts --quick || [ $$? = 2 ])

hosts: $(READY) ## two gateways on two hosts, one is cut off from the store, then from everything: network namespaces (QUICK=1)
	@$(BIN)/python -m proof.two_hosts $(if $(QUICK),--quick)

strangers: $(READY) ## applications of others, from registries, behind the gateway: ONLY=drf,json-server QUICK=1 SEED=…
	@$(BIN)/python -m proof.strangers $(if $(ONLY),--only "$(ONLY)") $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED))

hostile: $(READY) ## attacks on a running gateway, each with its worst stall and memory: SEED=11 QUICK=1 ONLY=name
	@$(BIN)/python -m proof.hostile $(if $(SEED),--seed $(SEED)) $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

chaos: $(READY) ## faults of replicas, shards, workers, store, names, clock and crowds under load, alone and in pairs: QUICK=1 ONLY=name
	@$(BIN)/python -m proof.chaos $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

.venv-scan/.ready:
	$(PYTHON) -m venv --clear .venv-scan
	.venv-scan/bin/pip install --quiet --disable-pip-version-check sslyze
	@touch $@

scanner: .venv-scan/.ready ## sslyze in an environment of its own: with it, `make hostile` scans TLS, too

.venv-fuzz/.ready: requirements.lock
	$(PYTHON) -m venv --clear .venv-fuzz
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check --no-deps -e . -e examples/bookings
	.venv-fuzz/bin/pip install --quiet --disable-pip-version-check atheris || echo "make: there is no atheris for this Python; inputs are mutated without guidance"
	@touch $@

fuzz: .venv-fuzz/.ready ## inputs that break parsers, guided by coverage: TIME=600 TARGET=request_head
	@.venv-fuzz/bin/python -m tests.fuzz --time $(TIME) $(if $(TARGET),--target $(TARGET)) $(if $(SEED),--seed $(SEED))

.venv-api/.ready: requirements-api.lock
	$(PYTHON) -m venv --clear .venv-api
	.venv-api/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-api.lock
	@touch $@

# With URL, the one address; without, a monolith and the gateway over three shards, compared.
api-tests: $(if $(URL),,$(READY)) .venv-api/.ready ## every operation of the platform from outside: URL=https://staging.example.com API_TOKEN=… ONLY=name
ifneq ($(URL),)
	@.venv-api/bin/python -m api_tests --url '$(URL)' $(if $(ONLY),-k "$(ONLY)")
else
	@$(BIN)/python -m proof.api_tests $(if $(ONLY),-k "$(ONLY)")
endif

partners: $(READY) ## the load of the partners, with their limits as thresholds: URL=… RATE=408 SECONDS=60
	@$(BIN)/python -m bench.partners $(if $(URL),--url '$(URL)') $(if $(RATE),--rate $(RATE)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ACCESS_LOG),--access-log '$(ACCESS_LOG)')

bench: $(READY) ## shardgate beside its peers: CPU time, rates, first bytes, memory (QUICK=1 for a short look)
	@QUICK=$(QUICK) $(BIN)/python -m bench.run
	@$(BIN)/python -m bench.study.tables

bench-against: $(READY) ## this checkout beside another revision, in one interleaved run: REV=HEAD~1 RATIO_MAX=1.02
	@$(BIN)/python -m bench.against --rev $(REV) $(if $(WORKS),--works $(WORKS)) $(if $(RATIO_MAX),--ratio-max $(RATIO_MAX))

bench-k6: $(READY) ## the same work asked by k6, where it is on the PATH: TTFB with thresholds (QUICK=1 for a short look)
	@QUICK=$(QUICK) $(BIN)/python -m bench.k6

bench-pages: $(READY) ## what a page costs, however deep, over 2 to 16 shards
	@$(BIN)/python -m bench.pages

scale: $(READY) ## what a request costs by shards, tenants and gateways; the curves of docs/scale.md (QUICK=1 ONLY=shards,late,gateways,tenants)
	@QUICK=$(QUICK) $(BIN)/python -m bench.scale $(if $(ONLY),--only "$(ONLY)")

bench-directory: $(READY) ## a directory of 1,000 to 10,000,000 keys: start, memory, changes (QUICK=1 for a short look; BEFORE=REV)
	@QUICK=$(QUICK) $(BIN)/python -m bench.directory $(if $(BEFORE),--before $(BEFORE))

bench-catalogue: $(READY) ## a list of 33,000 rows: first byte, memory, and how long the loop is held
	@$(BIN)/python -m bench.catalogue

bench-micro: $(READY) ## what the hot modules cost, each alone, in nanoseconds and instructions
	@$(BIN)/python -m bench.micro

bench-micro-baseline: $(READY) ## the same, kept as what `make test` allows from now on
	@$(BIN)/python -m bench.micro --baseline

study: $(READY) ## a copy beside the platform and the gateway: staleness, cost; writes the tables of docs/study.md
	@QUICK=$(QUICK) $(BIN)/python -m bench.study

.venv-docs/.ready: requirements-docs.lock
	$(PYTHON) -m venv --clear .venv-docs
	.venv-docs/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

docs: .venv-docs/.ready ## the site of the documentation, into site/; every link and anchor is checked
	PYTHONPATH=. NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict
	@echo "docs: site/index.html"

docs-reference: $(READY) ## write the tables of the documentation anew from the source
	@$(BIN)/python -m tools.docs.reference

docs-test: $(READY) ## all tests of the documentation; the tutorial as its reader does it, installed from a clone
	$(BIN)/pytest tests/docs
	@$(BIN)/python -m tools.docs.walkthrough docs/tutorial.md --install

.venv-supply/.ready: requirements-supply.lock
	$(PYTHON) -m venv --clear .venv-supply
	.venv-supply/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-supply.lock
	@touch $@

audit: .venv-supply/.ready ## known vulnerabilities of all that is used; fails too where they could not be looked up
	@.venv-supply/bin/python -m tools.supply.audit $(wildcard requirements*.lock deploy/image/*.lock)

IMAGE    ?= localhost/shardgate:dev
FOR_S    ?= 60
FAILED_PERCENT_MAX ?= 0
P90_MS_MAX ?= 1000
RUNTIME  ?= podman
LATE     ?=
BUILT    ?=
ENVIRONMENT ?= production

.actionlint/actionlint:
	GOBIN=$(CURDIR)/.actionlint go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

workflows: .actionlint/actionlint ## check .github/workflows by actionlint; needs Go
	@.actionlint/actionlint -no-color && echo "workflows: no mistake"

scan: $(READY) .venv-supply/.ready ## known vulnerabilities of what is in the image: IMAGE=localhost/shardgate:dev
	@.venv-supply/bin/python -m tools.delivery.scan $(IMAGE)

smoke: $(READY) ## a few questions to a running gateway, reads only: URL=https://…
	@$(BIN)/python -m tools.delivery.smoke '$(URL)'

load-thresholds: $(READY) ## an open load with thresholds: URL=https://… RATE=25 FOR_S=60 FAILED_PERCENT_MAX=0 P90_MS_MAX=1000
	@$(BIN)/python -m tools.delivery.load '$(URL)' --rate $(or $(RATE),25) --seconds $(FOR_S) \
	  --failed-percent-max $(FAILED_PERCENT_MAX) --p90-ms-max $(P90_MS_MAX)

publish: $(READY) ## push an image into the registry, and say its digest: REGISTRY=…/shardgate IMAGE=localhost/shardgate:dev
	@$(BIN)/python -m tools.delivery.publish $(IMAGE)

deploy-staging: $(READY) ## Terraform applies an image to staging, and waits for the service: IMAGE=…@sha256:…
	@$(BIN)/python -m tools.delivery staging $(IMAGE)

deploy-production: $(READY) ## blue/green, the watch, and the rollback by itself: IMAGE=…@sha256:…
	@$(BIN)/python -m tools.delivery production $(IMAGE)

take-back: $(READY) ## take the deployment back that is under way: ENVIRONMENT=production
	@$(BIN)/python -m tools.delivery back $(ENVIRONMENT)

rehearse: $(READY) ## four deployments under load on this machine, three of them bad: RUNTIME=process QUICK=1 LATE=1 BUILT=image
	@$(BIN)/python -m proof.rehearsal --rate $(or $(RATE),25) --runtime $(RUNTIME) $(if $(QUICK),--quick) $(if $(LATE),--late) $(if $(BUILT),--image $(BUILT))

.venv-terraform/.ready: requirements-terraform.lock
	$(PYTHON) -m venv --clear .venv-terraform
	.venv-terraform/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-terraform.lock
	@touch $@

terraform-test: $(READY) ## deploy/terraform on a stand-in for AWS: validate, plan, apply, all tests, checkov (ONLY=gateway)
	@$(BIN)/python -m tools.terraform --needs
	@$(MAKE) --no-print-directory .venv-terraform/.ready
	@nice $(BIN)/python -m tools.terraform $(if $(ONLY),--only "$(ONLY)")

terraform-docs: $(READY) ## write the tables of the modules' READMEs anew from their variables and outputs
	@$(BIN)/python -m tools.terraform.readme

sbom: $(READY) .venv-supply/.ready ## what an installed gateway consists of, as CycloneDX: dist/shardgate.cdx.json
	@mkdir -p dist
	@$(BIN)/python -m tools.supply.runtime > dist/runtime.lock
	@$(PYTHON) -m venv --clear --without-pip .venv-runtime
	@$(BIN)/pip --python .venv-runtime install --quiet --disable-pip-version-check --require-hashes -r dist/runtime.lock
	@.venv-supply/bin/cyclonedx-py environment .venv-runtime --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --validate -o dist/shardgate.cdx.json
	@echo "sbom: dist/shardgate.cdx.json"

licences: $(READY) ## write docs/licences.md anew from what is installed
	@$(BIN)/python -m tools.supply.licences

lock: $(READY) ## choose newer versions of what is used
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group dev --extra dns --extra icu --extra jwt --extra postgresql --extra split pyproject.toml examples/bookings/pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group docs -o requirements-docs.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group supply -o requirements-supply.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group wheels -o requirements-wheels.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group api -o requirements-api.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group terraform -o requirements-terraform.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --group build --constraint requirements.lock -o deploy/image/build.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --extra icu --extra jwt --extra postgresql --constraint requirements.lock pyproject.toml -o deploy/image/runtime.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --python-version 3.11 --extra split --constraint requirements.lock pyproject.toml examples/bookings/pyproject.toml \
	  -o deploy/compose/platform.lock

clean: ## remove what was made
	rm -rf .actionlint $(VENV) $(wildcard .venv-*) .strangers .containers wheelhouse .terraform-test .api-tests site dist .demo .bench .pytest_cache .mypy_cache \
	  .ruff_cache .hypothesis .import_linter_cache
