# The two commands of the README, and what developers run. Everything lands in .venv and .tilth under this folder.
PYTHON ?= python3
PIP := .venv/bin/pip --quiet --disable-pip-version-check

.PHONY: demo test slow lint types clean

demo: .venv/.core            ## install without torch, build and release the demo corpus
	TILTH_HOME=$${TILTH_HOME:-$(CURDIR)/.tilth} .venv/bin/tilth demo

test: .venv/.test            ## install all extras, run the tests
	.venv/bin/pytest

slow: .venv/.test            ## the tests that take minutes
	.venv/bin/pytest -m slow

lint: .venv/.dev             ## ruff
	.venv/bin/ruff check .

types: .venv/.dev            ## type checkers infer a package's name from its folder, hence the link
	mkdir -p .cache/ns && ln -sfn ../.. .cache/ns/tilth
	MYPYPATH=.cache/ns .venv/bin/mypy -p tilth

.venv/bin/pip:
	$(PYTHON) -m venv .venv

KERNELS := $(wildcard filters/kernels/*.[ch])

.venv/.core: .venv/bin/pip pyproject.toml $(KERNELS)
	$(PIP) install -c constraints.txt -e . && touch $@

.venv/.test: .venv/bin/pip pyproject.toml constraints.txt $(KERNELS)
	$(PIP) install -c constraints.txt -e '.[test]' && touch $@ .venv/.core

.venv/.dev: .venv/bin/pip pyproject.toml constraints.txt $(KERNELS)
	$(PIP) install -c constraints.txt -e '.[dev]' && touch $@ .venv/.test .venv/.core

clean:
	rm -rf .venv .cache .tilth build dist *.egg-info
