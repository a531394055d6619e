"""Strategies: which scored completions of a prompt make a pair. One file, one strategy."""
