"""A data set of the Hugging Face hub, `hub:ORG/NAME`: downloaded once, or streamed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitlab.base.errors import SpecError
from vitlab.base.words import shown
from vitlab.data import cache, tables
from vitlab.data.ingest import Listing, Source
from vitlab.data.paths import is_repo
from vitlab.data.reach import Reach, of_hub
from vitlab.data.roles import assigned_tables
from vitlab.data.sets._tables import Opened, TablesSpec


@dataclass(frozen=True, kw_only=True)
class Spec(TablesSpec):
    """`repo` is ORG/NAME; `config` is one of its configurations, `revision` a branch, tag or commit of it."""

    repo: str
    config: str | None = None
    revision: str | None = None

    @property
    def origin(self) -> str:
        return f"hub:{self.repo}"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_repo(self.repo):
            raise SpecError(f"repo={shown(self.repo)}: expected ORG/NAME, as the hub has it")

    def reach(self) -> Reach:
        return of_hub()

    @property
    def _asked(self) -> tuple[str | None, ...]:
        return self.repo, self.config, self.revision, str(self.splits), self.held_out, self.image, self.label

    def _open(self, streaming: bool) -> Opened:
        """The splits by role. Raises DataError."""
        opened = tables.open_hub(self.repo, self.config, self.revision, streaming)
        chosen = assigned_tables(list(opened), self.origin, self.splits, self.held_out)
        joined = {role: tables.joined({name: opened[name] for name in names}) for role, names in chosen.names.items()}
        return Opened(joined, chosen.layout, chosen.notes)

    def source(self) -> Source:
        opened, layout, notes = self._open(streaming=False)
        files = [Path(file["filename"]) for table in opened.values() for file in table.cache_files]

        def open_() -> Listing:
            listing = tables.hub_listing(opened, self.origin, self.image, self.label, self.frame, self.renumber)
            return listing._replace(layout=layout, notes=(*notes, *listing.notes))

        return Source("hub", f"{self._asked} {layout} {notes} {self.renumber}", open_, files)

    def open_stream(self) -> Opened:
        return self._open(streaming=True)

    def memory(self, streamed: Mapping[str, Any]) -> Path:
        said = [(split, table.features, table.info.splits) for split, table in streamed.items()]
        return cache.entry("hub", repr((*self._asked, said))).with_suffix(".json")

    def num_rows(self, streamed: Mapping[str, Any]) -> int | None:
        said = (streamed["train"].info.splits or {}).get("train")
        return said.num_examples if said is not None else None
