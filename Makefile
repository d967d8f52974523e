# `make` lists the targets. `make demo` and `make test` need Swift, git and make, and get the rest themselves.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
MAKEFLAGS += --no-print-directory

BUILD_PACKAGES := g++ libbz2-dev libcurl4-openssl-dev libdeflate-dev liblzma-dev libmicrohttpd-dev libmsgpack-dev libsimdjson-dev libssl-dev libxxhash-dev libzstd-dev pkg-config zlib1g-dev
TEST_PACKAGES := binutils chromium fish iso-codes libsqlite3-0 man-db mandoc minisign netbase openjdk-17-jdk-headless publicsuffix python3 python3-dev python3-venv strace tzdata \
  unicode-data valgrind zsh zstd
DEMO_PACKAGES := python3
BENCH_PACKAGES := jq libcdb-dev liblmdb-dev libmaxminddb-dev libsqlite3-dev python3 python3-venv unicode-data valgrind
# Unpacked alone: installed, it would begin to serve.
SERVER_PACKAGES := libmaxminddb0 libnginx-mod-http-geoip2 nginx
DATA_PACKAGES := ieee-data tor-geoipdb

SWIFT_LOG := build/logs/swift.log
PYTEST_LOG := build/logs/pytest.log
TEST_LOGS := $(addprefix build/logs/,dependent.log instructions.log swift.log pytest.log wheel.log)
ENDURANCE_LOGS := $(addprefix build/logs/,leaks.log store-stress.log store-endure.log stress.log stress-thread.log stress-address.log store-stress-thread.log store-stress-address.log hostile.log hostile-maxmind.log hostile-compact.log hostile-serve.log city.log sanitize-python.log spark.log)
# All that is in Swift's format.
SWIFT_SOURCES := Sources Tests Snippets Package.swift Benchmarks/Sources Benchmarks/Package.swift
# The tests of a file stay together unless a processor has nothing to do: some files prepare something for all of theirs.
PYTEST := FUSEDB="$(CURDIR)/build/fusedb" FUSEDB_COMPACT_TOOL="$(CURDIR)/build/CompactTool" .venv/bin/python -B -m pytest -q -p no:cacheprovider -n 2 --dist worksteal

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## build everything for debugging
	@Scripts/install-packages $(BUILD_PACKAGES)
	swift build --build-tests --explicit-target-dependency-import-check error

.PHONY: release
release: ## build the command as a release, at build/fusedb, with build/fusedb-delivery, build/fusedb-serve and build/fusedb-store beside it
	@Scripts/install-packages $(BUILD_PACKAGES)
	@mkdir -p build
	@for name in fusedb fusedb-delivery fusedb-serve fusedb-store; do \
	  echo "swift build -c release --product $$name --static-swift-stdlib"; \
	  swift build -c release --product $$name --static-swift-stdlib; \
	  strip -o build/$$name "$$(swift build -c release --static-swift-stdlib --show-bin-path)/$$name"; \
	  stat --printf="build/$$name: %s bytes\n" build/$$name; \
	done

# What the tests of compact files ask; as a release, since it asks millions of times.
build/CompactTool: FORCE
	swift build -c release --product CompactTool --static-swift-stdlib
	@mkdir -p build
	@cp "$$(swift build -c release --static-swift-stdlib --show-bin-path)/CompactTool" $@

.PHONY: FORCE
FORCE:

.PHONY: library
library: ## build the libraries for C as a release, at build/c
	@Scripts/install-packages $(BUILD_PACKAGES) binutils
	@Scripts/build-library

.PHONY: install
PREFIX ?= /usr/local
install: release library ## install the command, its manual and completions, and the libraries and headers for C: PREFIX=/usr/local DESTDIR=
	@Scripts/install "$(PREFIX)" "$(DESTDIR)"

# Its tests are in python/tests, and run in an environment of their own.
.PHONY: wheel
wheel: library ## build the Python package as a wheel, at build/wheel, and test it where no Swift is
	@Scripts/install-packages python3 python3-dev python3-venv
	@Scripts/build-wheel

.PHONY: test
test: ## check format, documentation, Swift's tests, a dependent package, the other implementation (installs what is missing)
	@rm -rf build/logs && mkdir -p build/logs
	@Scripts/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@Scripts/install-packages --unpack build/servers $(SERVER_PACKAGES)
	@Scripts/install-packages --unpack build/data $(DATA_PACKAGES)
	@$(MAKE) .venv/ready lint
	swift build --build-tests --explicit-target-dependency-import-check error
	@$(MAKE) -j2 SIDE_BY_SIDE=yes test-here test-apart
	$(PYTEST) Tests/Interop --deselect Tests/Interop/test_city_whole.py::test_city_comes_out_with_all_of_its_networks 2>&1 | tee $(PYTEST_LOG)
	Scripts/build-wheel 2>&1 | tee build/logs/wheel.log
	@Scripts/closing-lines $(TEST_LOGS)

# Two of these have no step in common, so that no processor waits for the last step of a build. What the second of them prints is in a
# file, for two at once can't be read.
.PHONY: test-here test-apart
test-here:
	swift test --skip-build --disable-xctest 2>&1 | tee $(SWIFT_LOG)
	@$(MAKE) SIDE_BY_SIDE= release library build/CompactTool

test-apart:
	@echo "meanwhile: the documentation, and a dependent package; see build/logs/apart.log"
	@{ Scripts/make-docs && $(MAKE) SIDE_BY_SIDE= dependent; } >build/logs/apart.log 2>&1 || { tail -n 60 build/logs/apart.log; exit 1; }
	@grep 'Docs passed' build/logs/apart.log
	@echo "done meanwhile: the documentation, and a dependent package"

.PHONY: endure endure-apart endure-here
endure: ## check what takes time to show: reading while files are replaced, under sanitizers too; long calls, a thousand times each
	@mkdir -p build/logs
	@Scripts/install-packages $(BUILD_PACKAGES)
	@$(MAKE) -j2 SIDE_BY_SIDE=yes endure-here endure-apart
	@$(MAKE) test-spark
	@Scripts/closing-lines $(ENDURANCE_LOGS)

endure-here:
	@$(MAKE) SIDE_BY_SIDE= KILLS=300 stress store-stress store-endure leaks city sanitize-python hostile-serve

endure-apart:
	@echo "meanwhile: programs under sanitizers; see build/logs/sanitize.log"
	@$(MAKE) SIDE_BY_SIDE= sanitize hostile-files >build/logs/sanitize.log 2>&1 || { tail -n 60 build/logs/sanitize.log; exit 1; }
	@echo "done meanwhile: programs under sanitizers"

.PHONY: dependent
dependent: ## build and run a package that depends on this one and calls all of it, for debugging and as a release; count instructions there
	@mkdir -p build/logs
	Scripts/test-dependent 2>&1 | tee build/logs/dependent.log
	Scripts/count-instructions 2>&1 | tee build/logs/instructions.log

.PHONY: leaks
leaks: ## make every long call a thousand times and count what stays: about a minute
	@mkdir -p build/logs
	swift build -c release --product LongCalls --static-swift-stdlib
	"$$(swift build -c release --static-swift-stdlib --show-bin-path)/LongCalls" 2>&1 | tee build/logs/leaks.log

.PHONY: mutate
mutate: ## remove each guard that bears a rule id, one at a time, and run the tests that should notice: about half an hour
	@Scripts/install-packages $(BUILD_PACKAGES)
	Scripts/mutate --scratch build/mutate

.PHONY: stress sanitize
stress: ## read on many threads while files are replaced, a thousand times: one to two minutes
	@mkdir -p build/logs
	swift build -c release --product ServingStress --static-swift-stdlib
	"$$(swift build -c release --static-swift-stdlib --show-bin-path)/ServingStress" 2>&1 | tee build/logs/stress.log

STORE_STRESS = "$$(swift build -c release --static-swift-stdlib --show-bin-path)/StoreStress"
.PHONY: store-stress store-bits store-calls store-endure
KILLS ?= 1000
store-stress: ## kill processes that write to, read and collect a store, a thousand times (KILLS=1000): about two minutes
	@mkdir -p build/logs
	swift build -c release --product StoreStress --static-swift-stdlib
	$(STORE_STRESS) --kills $(KILLS) 2>&1 | tee build/logs/store-stress.log

store-bits: ## flip every bit of every file of small stores
	@mkdir -p build/logs
	swift build -c release --product StoreStress --static-swift-stdlib
	$(STORE_STRESS) --bits 2>&1 | tee build/logs/store-bits.log

store-calls: ## kill each command of a store, and let its calls fail, at every call that changes a file: some minutes
	@mkdir -p build/logs
	FUSEDB_STORE_CALLS=all $(PYTEST) Tests/Interop/test_store_calls.py 2>&1 | tee build/logs/store-calls.log

store-endure: ## put a file of 2 GB, 24 hourly versions of a look-up file and six source trees into a store: about five minutes, 8 GB of disk
	@mkdir -p build/logs
	.venv/bin/python -B Tests/Interop/store_endure.py build/fusedb build/store-endure 2>&1 | tee build/logs/store-endure.log

sanitize: ## the same, not as often, under ThreadSanitizer and AddressSanitizer
	@mkdir -p build/logs
	swift build --sanitize=thread --product ServingStress --scratch-path .build/thread
	TSAN_OPTIONS=halt_on_error=1 .build/thread/debug/ServingStress --rebuilds 100 2>&1 | tee build/logs/stress-thread.log
	swift build --sanitize=address --product ServingStress --scratch-path .build/address -Xswiftc -use-ld=lld
	ASAN_OPTIONS=detect_leaks=1 .build/address/debug/ServingStress --rebuilds 100 2>&1 | tee build/logs/stress-address.log
	swift build --sanitize=thread --product StoreStress --scratch-path .build/thread
	TSAN_OPTIONS=halt_on_error=1 .build/thread/debug/StoreStress --kills 60 2>&1 | tee build/logs/store-stress-thread.log
	swift build --sanitize=address --product StoreStress --scratch-path .build/address -Xswiftc -use-ld=lld
	ASAN_OPTIONS=detect_leaks=1 .build/address/debug/StoreStress --kills 60 2>&1 | tee build/logs/store-stress-address.log

# In an environment of its own, of half a gigabyte, which nothing else needs.
SPARK_PACKAGES := openjdk-17-jdk-headless python3 python3-dev python3-venv
.PHONY: test-spark spark-ready spark-shards
test-spark: spark-ready ## look up, write and read from a real Spark on two threads: about a minute, after make wheel
	@mkdir -p build/logs
	FUSEDB="$(CURDIR)/build/fusedb" build/spark/venv/bin/python -B -m pytest -q -p no:cacheprovider Tests/Spark 2>&1 | tee build/logs/spark.log

spark-ready: build/spark/venv/ready
	@Scripts/install-packages $(SPARK_PACKAGES)
	@[ -x build/fusedb ] || $(MAKE) SIDE_BY_SIDE= release
	@ls build/wheel/*/dist/*.whl >/dev/null 2>&1 || $(MAKE) SIDE_BY_SIDE= wheel
	@build/spark/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$$(ls -t build/wheel/*/dist/*.whl | head -n 1)"

build/spark/venv/ready: Tests/Spark/requirements.txt
	@Scripts/install-packages $(SPARK_PACKAGES)
	@mkdir -p $(@D)
	Scripts/make-venv $(@D) $<
	@touch $@

spark-shards: spark-ready ## write 20,000,000 keys from Spark, and compare the shards with those of the command: some minutes, 10 GB of disk
	build/spark/venv/bin/python -B Tests/Spark/identical.py build/fusedb build/spark/identical

.PHONY: sanitize-python
sanitize-python: ## run the tests of the Python package under AddressSanitizer: about a minute, after make wheel
	@mkdir -p build/logs
	@ls -d build/wheel/*/venv >/dev/null 2>&1 || $(MAKE) wheel
	Scripts/sanitize-python 2>&1 | tee build/logs/sanitize-python.log

.PHONY: hostile hostile-files hostile-serve
hostile: hostile-files hostile-serve ## ask changed files and send spoilt requests, under AddressSanitizer: about half an hour

hostile-files: ## ask files with a million changed sections of networks, read a million changed MaxMind DBs, ask a million changed compact files, under AddressSanitizer: about twenty minutes
	@mkdir -p build/logs
	swift build -c release --sanitize=address --product HostileNetworks --scratch-path .build/address -Xswiftc -use-ld=lld
	.build/address/release/HostileNetworks 2>&1 | tee build/logs/hostile.log
	swift build -c release --sanitize=address --product HostileMaxMind --scratch-path .build/address -Xswiftc -use-ld=lld
	ASAN_OPTIONS=max_allocation_size_mb=1 .build/address/release/HostileMaxMind 2>&1 | tee build/logs/hostile-maxmind.log
	swift build -c release --sanitize=address --product CompactTool --scratch-path .build/address -Xswiftc -use-ld=lld
	ASAN_OPTIONS=max_allocation_size_mb=64 .build/address/release/CompactTool hostile 2>&1 | tee build/logs/hostile-compact.log

hostile-serve: ## send 100,000 spoilt requests to the server, under AddressSanitizer: a few minutes
	@mkdir -p build/logs
	@$(MAKE) .venv/ready
	swift build --product fusedb
	swift build --sanitize=address --product fusedb-serve --scratch-path .build/address -Xswiftc -use-ld=lld
	FUSEDB=.build/debug/fusedb FUSEDB_SERVE=.build/address/debug/fusedb-serve .venv/bin/python -B Tests/Interop/hostile_serve.py 100000 \
	  2>&1 | tee build/logs/hostile-serve.log

.PHONY: city
city: ## ask two million addresses of City, its blocks and its whole, beside libmaxminddb: about ten minutes
	@mkdir -p build/logs
	@$(MAKE) .venv/ready release
	FUSEDB_CITY_ADDRESSES=2000000 $(PYTEST) Tests/Interop/test_city.py Tests/Interop/test_city_whole.py 2>&1 | tee build/logs/city.log

.PHONY: fleet
fleet: ## a thousand subscriptions in four processes follow 24 versions, half of them through a proxy that spoils answers: about half an hour
	@mkdir -p build/logs
	@Scripts/install-packages $(BUILD_PACKAGES)
	@Scripts/install-packages --unpack build/servers $(SERVER_PACKAGES)
	@$(MAKE) .venv/ready release
	swift build -c release --product Fleet --static-swift-stdlib
	FUSEDB_FLEET=1000x24 FUSEDB_FLEET_PROGRAM="$$(swift build -c release --static-swift-stdlib --show-bin-path)/Fleet" \
	  FUSEDB="$(CURDIR)/build/fusedb" .venv/bin/python -B -m pytest -q -p no:cacheprovider Tests/Interop/test_fleet.py 2>&1 | tee build/logs/fleet.log

.PHONY: lint
lint: ## check the format of the Swift code, the reasons for what is unsafe, and who calls the system
	swift format lint --strict --parallel -r $(SWIFT_SOURCES)
	Scripts/check-unsafe
	@! grep -rnE 'import (Glibc|Musl|Darwin)' Sources | grep -v '^Sources/FuseDBLibc/' || { echo 'only FuseDBSystem calls the system, by FuseDBLibc' >&2; exit 1; }

.PHONY: docs
docs: ## make the documentation as a site in build/docs, with every public symbol
	@Scripts/install-packages $(BUILD_PACKAGES) python3
	swift build --explicit-target-dependency-import-check error
	Scripts/make-docs

.PHONY: format
format: ## put the Swift code into its format
	swift format --in-place --parallel -r $(SWIFT_SOURCES)

.PHONY: demo
demo: ## build two databases from real registries and ask them (installs what is missing)
	@Scripts/install-packages $(DEMO_PACKAGES)
	@Scripts/install-packages --unpack build/data $(DATA_PACKAGES)
	@$(MAKE) SIDE_BY_SIDE= release
	@Examples/registries/demo

.PHONY: screenshots
screenshots: ## take the two pictures of the pages that README shows, into docs/ (after make demo)
	@Scripts/install-packages chromium
	@$(MAKE) .venv/ready
	@[ -e build/demo/geo.fsdb ] || $(MAKE) demo
	FUSEDB="$(CURDIR)/build/fusedb" .venv/bin/python -B Scripts/screenshots

.PHONY: bench bench-full bench-build bench-serving bench-values bench-networks bench-compact bench-shards
bench: ## measure FuseDB beside its peers, about five minutes (installs what is missing)
bench-full: ## the same with 10,000,000 keys too: about half an hour, 10 GB of disk and memory
bench-build: ## measure building alone, with 10,000,000 keys: about ten minutes, 10 GB of disk and memory
bench-serving: ## measure look-ups while files are swapped, about one minute
bench-values: ## measure reading fields and whole values, about two minutes
bench-networks: ## measure which block holds an address, beside libmaxminddb, about two minutes
bench-shards: ## measure a set of 64 shards beside one file of the same keys, about three minutes, 2 GB of disk and memory
bench-compact: ## measure compact files beside those of version 2 and LMDB, with 10,000,000 keys too: about ten minutes, 5 GB of disk and memory
bench bench-full bench-build bench-serving bench-values bench-networks bench-compact bench-shards:
	@Scripts/install-packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) build/benchmarks/venv/ready
	@$(MAKE) SIDE_BY_SIDE= release
	swift build -c release --package-path Benchmarks
	@$(if $(filter bench bench-full,$@),Scripts/test-dependent --instructions)
	cd Benchmarks && .build/release/Benchmarks $@ ../build/benchmarks/data ../build/benchmarks/venv/bin/python \
	  ../build/fusedb

.PHONY: bench-python
bench-python: wheel ## measure the Python package beside fusedb 0.3.0, about a minute
	"$$(ls -td build/wheel/*/venv | head -n 1)/bin/python" Benchmarks/python.py build/benchmarks/data

.PHONY: bench-spark
bench-spark: spark-ready ## measure look-ups from Spark beside its own joins, 2 and 20 million rows against 1 and 20 million keys: about half an hour, 10 GB of disk
	build/spark/venv/bin/python -B Benchmarks/spark.py build/benchmarks/spark | tee Benchmarks/Results/table-spark.md

.PHONY: bench-enrich
bench-enrich: ## measure adding fields to lines, beside scripts over maxminddb and jq, a few minutes after make demo
	@Scripts/install-packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)
	@$(MAKE) build/benchmarks/venv/ready
	@[ -e build/demo/geo.fsdb ] && $(MAKE) SIDE_BY_SIDE= release || $(MAKE) demo
	build/benchmarks/venv/bin/python Benchmarks/enrich.py build/fusedb build/demo/geo.fsdb build/benchmarks/data \
	  | tee Benchmarks/Results/table-enrich.md

.PHONY: bench-serve
bench-serve: ## measure the server beside nginx, Redis and Datasette, and while its file is swapped: about four minutes
	@Scripts/install-packages $(BUILD_PACKAGES) python3 python3-venv redis-tools wrk
	@Scripts/install-packages --unpack build/servers $(SERVER_PACKAGES)
	@$(MAKE) build/benchmarks/datasette/ready
	@$(MAKE) SIDE_BY_SIDE= release
	@mkdir -p build/benchmarks/data
	python3 Benchmarks/serve.py build/fusedb build/servers build/benchmarks/data build/benchmarks/datasette/bin/datasette \
	  | tee Benchmarks/Results/table-serve.md

.PHONY: bench-store
bench-store: ## measure the store beside restic, borg, casync, chunkstore, rsdos, disk-objectstore: about 15 minutes, 12 GB of disk
	@Scripts/install-packages $(BUILD_PACKAGES) borgbackup casync python3 python3-venv restic zstd
	@$(MAKE) build/benchmarks/stores/ready
	@$(MAKE) SIDE_BY_SIDE= release
	swift build -c release --product StoreGets
	@mkdir -p build/benchmarks/data
	build/benchmarks/stores/bin/python -B Benchmarks/store.py build/fusedb .build/release/StoreGets build/benchmarks/data $(ROWS) \
	  | tee Benchmarks/Results/table-store.md

.PHONY: clean
clean: ## remove everything that was built
	rm -rf .build .venv build Benchmarks/.build Tests/Dependent/.generated

# The Python environment of the tests, made again when its list of packages changes.
.venv/ready: Tests/Interop/requirements.txt
	Scripts/make-venv .venv $<
	@touch $@

# Datasette, which the server is compared with, in an environment of its own.
build/benchmarks/datasette/ready: Benchmarks/requirements-datasette.txt
	@mkdir -p $(@D)
	Scripts/make-venv $(@D) $<
	@touch $@

# The stores that ours is compared with, in an environment of their own.
build/benchmarks/stores/ready: Benchmarks/requirements-store.txt
	@mkdir -p $(@D)
	Scripts/make-venv $(@D) $<
	@touch $@

# The Python environment of the benchmarks.
build/benchmarks/venv/ready: Benchmarks/requirements.txt
	@mkdir -p $(@D)
	Scripts/make-venv $(@D) $<
	@touch $@
