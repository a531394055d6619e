"""Recipes that ship, and the demo data."""
