"""Generators: what a model is asked to write. One unit a file."""
