"""Apache Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tilth.builders.records import BadRecord, Format, Record
from tilth.core.errors import SourceError


class ParquetFormat(Format, name="parquet", version=1):
    """Records of a Parquet file, in order."""

    suffixes = (".parquet",)
    distributions = ("pyarrow",)

    def records(self, path: Path, shown: str) -> Iterator[tuple[int, Record | BadRecord]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        number = 0
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=1024):
                    for record in batch.to_pylist():
                        number += 1
                        yield number, record
        except UnicodeDecodeError as error:
            raise SourceError(f"{shown}: a string column after record {number} is not UTF-8: {error.reason}") from None
        except (pa.ArrowInvalid, OSError) as error:
            reason = str(error).splitlines()[0]
            raise SourceError(f"{shown}: not a whole Parquet file: {reason}", hint="fetch the file again") from None
