"""A folder's lock: one process at a time, whoever died holds nothing, and disks that have no locks."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from filelock import UnixFileLock

from vitlab.base import lock
from vitlab.base.errors import UserError
from vitlab.base.lock import alone_in

HOLD = """
import sys, time
from pathlib import Path
from vitlab.base import lock
if sys.argv[2:]:
    lock.FileLock.acquire = lambda *a, **k: (_ for _ in ()).throw(OSError(int(sys.argv[2]), "no locks here"))
with lock.alone_in(Path(sys.argv[1]), "works here"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder():
    """`holder(folder)`: a process that holds its lock until it is killed."""
    begun = []

    def hold(folder, *more):
        process = subprocess.Popen([sys.executable, "-c", HOLD, folder, *more], stdout=subprocess.PIPE, text=True)
        begun.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in begun:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits for a lock."""
    monkeypatch.setattr(lock, "_PATIENCE", 0.0)


def no_locks(number):
    def acquire(*arguments, **named):
        raise OSError(number, "no locks here")

    return acquire


def test_another_is_refused_and_told_who_is_there(tmp_path, holder, impatient):
    process = holder(tmp_path)
    said = rf"--out {tmp_path}: another process works here \(process {process.pid} on "
    with pytest.raises(UserError, match=said), alone_in(tmp_path, "works here"):
        pass


def test_whoever_was_killed_holds_nothing(tmp_path, holder, impatient):
    process = holder(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with alone_in(tmp_path, "works here"):
        assert f"process {os.getpid()} on" in (tmp_path / ".owner").read_text()
    assert not (tmp_path / ".owner").exists()


def test_it_waits_for_one_that_is_about_to_end(tmp_path, holder):
    process = holder(tmp_path)
    threading.Timer(0.3, process.kill).start()
    began = time.monotonic()
    with alone_in(tmp_path, "works here"):
        assert time.monotonic() - began >= 0.2


def test_folders_that_were_made_for_the_lock_go_with_it_unless_something_stands_there(tmp_path):
    with alone_in(tmp_path / "one" / "in" / "another", "works here"):
        pass
    with alone_in(tmp_path / "used", "works here"):
        (tmp_path / "used" / "spec.json").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["used"]


def test_a_folder_above_that_another_process_has_locked_meanwhile_stays_with_its_lock(tmp_path):
    with alone_in(tmp_path / "study" / "run", "works here"):
        (tmp_path / "study" / ".lock").touch()  # whose owner has not said yet who it is
    assert [path.name for path in (tmp_path / "study").iterdir()] == [".lock"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_disk_without_locks_gets_a_file_instead(number, tmp_path, holder, impatient, monkeypatch):
    process = holder(tmp_path, str(number))
    monkeypatch.setattr(UnixFileLock, "acquire", no_locks(number))
    said = r"works here .*; if that one is gone, with its machine, remove .*\.lock-mark"
    with pytest.raises(UserError, match=said), alone_in(tmp_path, "works here"):
        pass
    process.kill()
    process.wait()
    with alone_in(tmp_path, "works here"):
        pass
    with alone_in(tmp_path / "new", "works here"):
        pass
    assert not (tmp_path / "new").exists()


def test_what_lies_in_the_place_of_an_owner_is_not_written_to(tmp_path):
    (tmp_path / "theirs").write_text("precious")
    (tmp_path / ".owner").symlink_to(tmp_path / "theirs")
    with alone_in(tmp_path, "works here"):
        assert (tmp_path / ".owner").read_text().startswith("process ")
    os.mkfifo(tmp_path / ".owner")
    with alone_in(tmp_path, "works here"):
        assert (tmp_path / ".owner").is_file()
    assert (tmp_path / "theirs").read_text() == "precious"


def test_another_error_of_the_disk_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(UnixFileLock, "acquire", no_locks(errno.EIO))
    with pytest.raises(OSError, match="no locks here"), alone_in(tmp_path, "works here"):
        pass


def test_an_owner_that_is_no_text_is_not_told(tmp_path, holder, impatient):
    holder(tmp_path)
    (tmp_path / ".owner").write_bytes(b"\xff\x1b[2J")
    with pytest.raises(UserError, match=r"another process works here$"), alone_in(tmp_path, "works here"):
        pass
