# make run     set everything up and serve the page
# make test    set everything up and run every check and test
# make format  bring the code into its form
# make bench   print the tables of benchmarks/

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test format bench clean

run: .venv/installed
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tests/browser/install.py
	$(BIN)/pytest --numprocesses 2 --dist loadfile --ignore tests/browser
	$(BIN)/pytest --numprocesses 2 --dist loadfile tests/browser

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.board
	$(BIN)/python -m benchmarks.serve

clean:
	rm -rf .venv

.venv/installed: requirements.txt | .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	touch $@

.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "RegViz needs Python 3.11 or newer; say which with: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "Python's venv module is missing: install your system's python3-venv package."; exit 1; }
