"""Releases: cut, open, diff, verify, yank; the local registry and the Hub."""
