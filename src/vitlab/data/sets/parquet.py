"""A folder of parquet files in the hub's layout: `train-*.parquet` with `validation-*` and `test-*`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.spec import whereabouts
from vitlab.data import parquet, tables
from vitlab.data.ingest import Source
from vitlab.data.paths import locate
from vitlab.data.sets._tables import TablesSpec


@dataclass(frozen=True, kw_only=True)
class Spec(TablesSpec):
    """`path` is looked up from here, then where data sets lie (`$VITLAB_DATA`); files may lie in `data/` inside it."""

    path: str = whereabouts()

    @property
    def origin(self) -> str:
        return self.path

    def _files(self) -> parquet.Files:
        return parquet.split_files(locate(self.path), self.splits, self.held_out)

    def class_names(self) -> tuple[str, ...]:
        named = parquet.columns(self._files(), self.image, self.label)
        return named.class_names or super().class_names()

    def source(self) -> Source:
        files = self._files()
        named = parquet.columns(files, self.image, self.label)
        shards = parquet.row_counts(files)

        def open_() -> tables.Listing:
            return tables.listing(tables.open_files(files), named, self.frame, shards, self.renumber)

        return Source(
            "parquet",
            f"{named} {list(files)} {self.renumber}",
            open_,
            [file for shards in files.values() for file in shards],
        )

    def open_stream(self) -> Mapping[str, Any]:
        return tables.open_files(self._files(), streaming=True)

    def memory(self, streamed: Mapping[str, Any]) -> Path:
        return self.source().entry("streamed").with_suffix(".json")

    def num_rows(self, streamed: Mapping[str, Any]) -> int | None:
        return sum(rows for _, rows in parquet.row_counts(self._files())["train"])
