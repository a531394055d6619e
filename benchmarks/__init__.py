"""Benchmarks: commands that anyone can run, and what they measured (README.md)."""
