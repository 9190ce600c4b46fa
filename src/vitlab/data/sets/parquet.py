"""A folder of parquet files in the hub's layout: `train-*.parquet` with `validation-*` and `test-*`, or `train/…`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.spec import whereabouts
from vitlab.data import parquet, tables
from vitlab.data.ingest import Listing, Source
from vitlab.data.paths import locate
from vitlab.data.reach import Reach
from vitlab.data.sets._tables import Opened, TablesSpec


@dataclass(frozen=True, kw_only=True)
class Spec(TablesSpec):
    """`path` is looked up from here, then where data sets lie (`$VITLAB_DATA`); files may lie in `data/` inside it."""

    path: str = whereabouts()

    @property
    def origin(self) -> str:
        return self.path

    def reach(self) -> Reach:
        return Reach((locate(self.path),))

    def _found(self) -> parquet.Found:
        return parquet.find(locate(self.path), self.splits, self.held_out)

    def class_names(self) -> tuple[str, ...]:
        named = parquet.columns(self._found().files, self.image, self.label)
        return named.class_names or super().class_names()

    def source(self) -> Source:
        files, layout, notes = self._found()
        named = parquet.columns(files, self.image, self.label)
        shards = parquet.row_counts(files)

        def open_() -> Listing:
            listing = tables.listing(tables.open_files(files), named, self.frame, shards, self.reach(), self.renumber)
            return listing._replace(layout=layout, notes=(*notes, *listing.notes))

        facts = f"{named} {shards} {layout} {notes} {self.renumber}"
        return Source("parquet", facts, open_, [file for shards in files.values() for file in shards])

    def open_stream(self) -> Opened:
        files, layout, notes = self._found()
        return Opened(tables.open_files(files, streaming=True), layout, notes)

    def memory(self, streamed: Mapping[str, Any]) -> Path:
        return self.source().entry("streamed").with_suffix(".json")

    def num_rows(self, streamed: Mapping[str, Any]) -> int | None:
        return sum(rows for _, rows in parquet.row_counts(self._found().files)["train"])
