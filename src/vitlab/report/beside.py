"""`Beside`: what stands beside a page, pictures and tables, computed and not yet saved."""

from pathlib import Path

from vitlab.base.files import replacing


class Beside(dict[str, bytes]):
    """The contents of files by name."""

    def add_text(self, name: str, text: str) -> None:
        """A file of text."""
        self[name] = text.encode()

    def save(self, folder: Path) -> None:
        """Write all of them into a folder, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.items():
            with replacing(folder / name) as temporary:
                temporary.write_bytes(content)
