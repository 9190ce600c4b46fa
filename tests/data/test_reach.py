"""What a row of a table may name in place of a picture: files of its own folder, addresses of the hub, nothing else."""

import os

import fsspec
import pytest

from vitlab.data.reach import NOWHERE, Reach, of_hub
from vitlab.data.values import Unreadable


@pytest.fixture
def data(tmp_path):
    """A folder of data with a picture, and a file beside it that is none of its business."""
    (tmp_path / "data" / "inside").mkdir(parents=True)
    (tmp_path / "data" / "inside" / "a.png").write_bytes(b"a")
    (tmp_path / "private.png").write_bytes(b"private")
    (tmp_path / "data" / "link.png").symlink_to(tmp_path / "private.png")
    return tmp_path / "data"


def test_files_of_the_folder_are_named_from_there_or_as_a_whole(data, monkeypatch):
    monkeypatch.chdir("/")
    reach = Reach((data,))
    for path in ("inside/a.png", "./inside/../inside/a.png", str(data / "inside" / "a.png")):
        assert reach.picture(path) == data / "inside" / "a.png"


@pytest.mark.parametrize(
    "path", ["../private.png", "{}/../private.png", "/etc/passwd", "link.png", "inside/../../private.png", "~/a.png"]
)
def test_nothing_else_is_read(path, data):
    reach = Reach((data,))
    if path == "~/a.png":  # a name like any other
        assert reach.picture(path) == data / "~" / "a.png"
        return
    with pytest.raises(Unreadable, match="is outside of the data's folder, and is not read"):
        reach.picture(path.format(data))


def test_a_pipe_is_not_opened(data):
    os.mkfifo(data / "pipe.png")
    with pytest.raises(Unreadable, match=r"pipe\.png is not a file"):
        Reach((data,)).picture("pipe.png")


@pytest.mark.parametrize("hub", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "memory://a.png",
        "zip://a.png::file:///tmp/a.zip",
        "hf://datasets/a/b.png::file:///etc/passwd",
        "simplecache::hf://datasets/a/b.png",
        "local://etc/passwd",
    ],
)
def test_no_address_is_followed_but_the_hub_s(address, hub, data, monkeypatch):
    monkeypatch.setattr(fsspec, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(Unreadable, match="a table may only name files of its own folder or of the hub"):
        Reach((data,), hub).picture(address)


@pytest.mark.parametrize("address", ["hf://datasets/a/b@main/c.png", "zip://c.png::hf://datasets/a/b/c.zip"])
def test_the_hub_s_are_followed_for_a_set_of_the_hub_alone(address, data, monkeypatch):
    opened = []

    def lent(asked, mode):
        opened.append(asked)
        return fsspec.filesystem("memory").open("/reach.png", mode)

    with fsspec.open("memory://reach.png", "wb") as file:
        file.write(b"content")
    monkeypatch.setattr(fsspec, "open", lent)
    assert Reach((data,), hub=True).picture(address) == b"content"
    with pytest.raises(Unreadable):
        Reach((data,)).picture(address)
    assert opened == [address]


def test_a_set_of_the_hub_reads_what_was_downloaded():
    reach = of_hub()
    for folder in reach.folders:
        assert reach.picture(os.path.join(folder, "downloads", "a.png")) == folder.resolve() / "downloads" / "a.png"
    with pytest.raises(Unreadable):
        reach.picture("/etc/passwd")


def test_a_table_that_has_all_bytes_reaches_nowhere(data):
    with pytest.raises(Unreadable):
        NOWHERE.picture(str(data / "inside" / "a.png"))
