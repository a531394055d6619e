"""Providers: who answers a question. One unit a file."""
