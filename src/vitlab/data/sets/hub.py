"""A data set of the Hugging Face hub, `hub:ORG/NAME`: downloaded once, or streamed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError
from vitlab.data import cache, tables
from vitlab.data.ingest import Source
from vitlab.data.roles import assigned
from vitlab.data.sets._tables import TablesSpec


@dataclass(frozen=True, kw_only=True)
class Spec(TablesSpec):
    """`repo` is ORG/NAME; `config` is one of its configurations, `revision` a branch, tag or commit of it."""

    repo: str
    config: str | None = None
    revision: str | None = None

    @property
    def origin(self) -> str:
        return f"hub:{self.repo}"

    @property
    def _asked(self) -> tuple[str | None, ...]:
        return self.repo, self.config, self.revision, str(self.splits), self.held_out, self.image, self.label

    def _open(self, streaming: bool) -> dict[str, Any]:
        """The splits by role. Raises DataError."""
        opened = tables.open_hub(self.repo, self.config, self.revision, streaming)
        roles = assigned(list(opened), self.origin, self.splits or None, self.held_out)
        if not roles:
            raise DataError(f"{self.origin} has no split train; it has {', '.join(opened)}")
        return {role: opened[name] for role, name in roles.items()}

    def source(self) -> Source:
        opened = self._open(streaming=False)
        files = [Path(file["filename"]) for table in opened.values() for file in table.cache_files]

        def open_() -> tables.Listing:
            return tables.hub_listing(opened, self.origin, self.image, self.label, self.frame, self.renumber)

        return Source("hub", f"{self._asked} {self.renumber}", open_, files)

    def open_stream(self) -> Mapping[str, Any]:
        return self._open(streaming=True)

    def memory(self, streamed: Mapping[str, Any]) -> Path:
        said = [(split, table.features, table.info.splits) for split, table in streamed.items()]
        return cache.entry("hub", repr((*self._asked, said))).with_suffix(".json")

    def num_rows(self, streamed: Mapping[str, Any]) -> int | None:
        said = (streamed["train"].info.splits or {}).get("train")
        return said.num_examples if said is not None else None
