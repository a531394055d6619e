"""Questions: what is asked about a row. One unit a file."""
