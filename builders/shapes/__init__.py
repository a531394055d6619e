"""Shapes: a record, as published → the content of a row. One file, one shape."""
