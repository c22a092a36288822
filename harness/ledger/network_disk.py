"""Whether a file lies on a disk of the network, where locks and shared memory between processes do not hold."""

from __future__ import annotations

from contextlib import suppress
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


def is_on_network(path: Path) -> bool:
    """Whether the file or folder `path` may be used by several machines."""
    with suppress(OSError, RuntimeError):
        place = path.resolve()
        mounts = [part for part in psutil.disk_partitions(all=True) if place.is_relative_to(part.mountpoint)]
        # The longest mount point is the one that holds the file; of two on one place the later covers the earlier.
        holding = max(enumerate(mounts), key=lambda item: (len(Path(item[1].mountpoint).parts), item[0]), default=None)
        return holding is not None and holding[1].fstype.lower() in _NETWORK
    return False
