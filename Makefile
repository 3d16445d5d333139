# Needs Python 3.11 or newer and make; everything else is fetched into .venv. `make help` lists what there is to run.
.POSIX:

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
# How many processes run the tests, each with a database of its own.
JOBS = auto
# Installs Debian's packages, as root or through sudo.
APT = apt() { \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	echo "Installing $$* ..."; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$@" >/dev/null; \
	}; apt
POT = build/messages.pot

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1|/' | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

run: $(STAMP) ## start everything: http://127.0.0.1:8000, with demo data (PORT, DATA_DIR, DATABASE_URL, DEMO=0; Ctrl+C stops)
	@exec $(BIN)/python -m webapp.supervisor

test: $(STAMP) browser ## every test, against a real PostgreSQL and a real browser (ARGS="tests/unit -k clock", JOBS=1)
	$(BIN)/python -m webapp.frontend.build
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(STAMP) ## style, types, and which part may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(STAMP) ## the measured goals of the design that take minutes, on this machine
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-full: $(STAMP) ## all of them, a million rows included (ARGS="--only inbox")
	$(BIN)/python -m tests.benchmarks --full $(ARGS)

screenshots: $(STAMP) browser ## pictures of the main pages into screenshots/
	$(BIN)/python -m webapp.frontend.build
	$(BIN)/python -m tests.browser.screenshots

translations: $(STAMP) ## collect new sentences into the catalogues and compile them
	@mkdir -p build
	$(BIN)/pybabel -q extract -F webapp/translations/babel.cfg -k lazy -k _ -k ngettext:1,2 --no-location \
		--sort-output --project=qianyin -o $(POT) webapp handlers
	$(BIN)/pybabel -q update -N --no-wrap -i $(POT) -d webapp/translations
	$(BIN)/python -c 'from webapp import i18n; i18n.compile_catalogues(force=True)'

clean: ## remove what was built and installed; the data directory stays
	rm -rf $(VENV) webapp/static webapp/frontend/node_modules build screenshots *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find webapp/translations -name '*.mo' -exec rm -f {} +

# The browser of the tests, and a Chinese font for it, from the system's packages.
browser:
	@if command -v chromium >/dev/null && fc-list 2>/dev/null | grep -q 'Noto.*CJK'; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "Please install chromium and a Noto CJK font (fonts-noto-cjk): the browser tests need them." >&2; exit 1; fi; \
	$(APT) chromium fontconfig fonts-noto-cjk

# What PDF documents need from the system: Pango, and a Chinese font. Looked for once, when packages are installed.
libraries:
	@pango='import ctypes, ctypes.util; ctypes.CDLL(ctypes.util.find_library("pangoft2-1.0") or "libpangoft2-1.0.so.0")'; \
	if $(BIN)/python -c "$$pango" 2>/dev/null && fc-list :lang=zh 2>/dev/null | grep -q .; then exit 0; fi; \
	if command -v apt-get >/dev/null; then $(APT) libpango-1.0-0 libpangoft2-1.0-0 fontconfig fonts-noto-cjk || true; fi; \
	if ! $(BIN)/python -c "$$pango" 2>/dev/null; then \
		echo "Please install Pango (Debian: libpangoft2-1.0-0, macOS: pango): PDF documents need it." >&2; exit 1; fi; \
	if ! fc-list :lang=zh 2>/dev/null | grep -q .; then \
		echo "No Chinese font was found: PDF documents will lack characters. Install fonts-noto-cjk or your own." >&2; fi

$(STAMP): requirements.lock pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
		for python in python3 python3.14 python3.13 python3.12 python3.11; do \
			if command -v $$python >/dev/null && \
				$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then echo "Python 3.11 or newer is needed." >&2; exit 1; fi; \
		echo "Making $(VENV) with $$($$found --version) ..."; \
		$$found -m venv $(VENV) || { \
			rm -rf $(VENV); echo "Python's venv module is missing (Debian: apt install python3-venv)." >&2; exit 1; }; \
	fi
	@echo "Installing the packages of requirements.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(MAKE) -s libraries
	@touch $(STAMP)

.PHONY: help run test lint bench bench-full screenshots translations clean browser libraries
