"""polars alone: a file read whole and written again, .jsonl.zst or .parquet by the names of the files."""

from __future__ import annotations

from pathlib import Path

from runner import SETTINGS, FileTask, imports, main


class ReadWrite(FileTask):
    """Both formats."""

    def work(self, source: Path, target: Path) -> int:
        import polars as pl

        compression = SETTINGS["read_write"]["compression"]
        if source.suffix == ".parquet":
            frame = pl.read_parquet(source)
            frame.write_parquet(target, compression=compression)
        else:
            frame = pl.read_ndjson(source)
            frame.write_ndjson(target, compression=compression)
        return len(frame)


if __name__ == "__main__":
    main("polars", {"read_write": ReadWrite}, lambda: imports("polars"))
