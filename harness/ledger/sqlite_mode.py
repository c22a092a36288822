"""How SQLite keeps a file safe: a write-ahead log on a local disk, a rollback journal on a network disk, where that log
cannot work."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import psutil

_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "afpfs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "prl_fs",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
        "webdav",
    ]
)
"""File systems that may be mounted by several machines, or that share no memory between processes."""


_PAGES = 32_000
"""Pages (of 4 KB) of the write-ahead log after which whoever writes carries it into the file itself and starts it anew,
with all requests in flight waiting for the disk meanwhile: some 3,000 calls. By then `LogCarrier` has done most of
it."""


def set_journal(connection: sqlite3.Connection, path: Path) -> str:
    """Choose the journal mode for the database at `path`; returns ``wal`` or ``delete``.

    A process that dies loses nothing that was committed in either mode. A write-ahead log needs memory shared by all
    processes, so it is not used on network disks, nor where SQLite refuses it.
    """
    mode = "delete" if _on_network(path) else _try_wal(connection)
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        return "delete"
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES}")
    return mode


def _try_wal(connection: sqlite3.Connection) -> str:
    for pause in (*[0.05] * 200, None):
        try:
            mode = str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            # The first read maps the shared memory; that is where a disk that cannot do it says so.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return mode
        except sqlite3.OperationalError as error:
            # Another process is choosing its mode just now; SQLite does not wait for that by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or pause is None:
                return "delete"
            time.sleep(pause)
    raise AssertionError("unreachable")


def _on_network(path: Path) -> bool:

    with contextlib.suppress(OSError, RuntimeError):
        place = path.resolve()
        mounts = [part for part in psutil.disk_partitions(all=True) if place.is_relative_to(part.mountpoint)]
        # The longest mount point is the one that holds the file; of two on one place the later covers the earlier.
        holding = max(enumerate(mounts), key=lambda item: (len(Path(item[1].mountpoint).parts), item[0]), default=None)
        return holding is not None and holding[1].fstype.lower() in _NETWORK
    return False
