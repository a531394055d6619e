"""File formats: bytes → records. One file, one format."""
