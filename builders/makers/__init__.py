"""Makers: steps that turn surviving rows into new ones. One file, one maker."""
