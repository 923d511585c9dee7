"""A disk that forgets what was not synced: SQLite's own file layer, wrapped.

SQLite reads and writes through a table of functions, its VFS. Here writing, truncating and syncing
go through Python on their way to the real files, and each file is also held in memory as a disk has
it: what was synced, and what was written since. :meth:`Disk.cut` gives the files as they may be
after a power cut: all that was synced, and of what was written since any part, even half a write.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import sqlite3
import threading
import time
from collections import defaultdict
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p, cast
from pathlib import Path

#: What a disk takes.
_SYNC_SECONDS = 0.003
# The name is passed on as the same address: SQLite keeps it as long as the file is open.
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    _fields_ = (
        [(n, c_int) for n in ("iVersion", "szOsFile", "mxPathname")]
        + [("pNext", c_void_p), ("zName", c_char_p), ("pAppData", c_void_p)]
        + [("xOpen", _OPEN), ("xDelete", _DELETE)]
        # xAccess to xNextSystemCall, passed on as they are
        + [(f"rest{i}", c_void_p) for i in range(14)]
    )


class _Methods(Structure):
    _fields_ = (
        [("iVersion", c_int), ("xClose", c_void_p), ("xRead", c_void_p)]
        + [("xWrite", _WRITE), ("xTruncate", _TRUNCATE), ("xSync", _SYNC)]
        # xFileSize to xUnfetch
        + [(f"rest{i}", c_void_p) for i in range(13)]
    )


class _File(Structure):
    _fields_ = (("methods", POINTER(_Methods)),)


def library():
    """Return the SQLite that the interpreter uses, or None where it cannot be reached."""
    name = ctypes.util.find_library("sqlite3")
    if name is None:
        return None
    found = ctypes.CDLL(name)
    found.sqlite3_libversion.restype = c_char_p
    found.sqlite3_vfs_find.restype = POINTER(_Vfs)
    with open("/proc/self/maps") as maps:  # an interpreter with its own SQLite within is no use
        shared = [line for line in maps if "/libsqlite3." in line]
    import _sqlite3

    linked = b"libsqlite3" in Path(_sqlite3.__file__).read_bytes()
    same = found.sqlite3_libversion().decode() == sqlite3.sqlite_version
    return found if shared and linked and same else None


class Disk:
    """Stands between SQLite and the files, for every connection opened within :meth:`wired`."""

    def __init__(self):
        self._lock = threading.RLock()
        self._synced = {}
        self._since = defaultdict(list)
        self._names = {}
        self._made = {}
        self.syncs = 0

    @contextlib.contextmanager
    def wired(self):
        """Lead SQLite's writing through this disk."""
        lib = library()
        real = lib.sqlite3_vfs_find(None)
        mine = _Vfs.from_buffer_copy(real.contents)
        mine.zName = b"power"
        mine.xOpen = _OPEN(lambda *a: self._open(real, *a))
        mine.xDelete = _DELETE(lambda *a: self._delete(real, *a))
        lib.sqlite3_vfs_register(byref(mine), 1)
        try:
            yield self
        finally:
            lib.sqlite3_vfs_unregister(byref(mine))
            lib.sqlite3_vfs_register(real, 1)

    def cut(self, folder, draw):
        """Write the files as a power cut now may leave them."""
        folder.mkdir()
        with self._lock:
            for path, synced in self._synced.items():
                content = bytearray(synced)
                pending = self._since[path]
                # A disk may keep all that is on its way, nothing, or any part in any order.
                chance = draw.choice([0.0, 0.5, 1.0])
                for what, at, data in pending:
                    if draw.random() >= chance:
                        continue
                    part = data
                    if data and draw.random() < 0.2:
                        part = data[: draw.randrange(len(data))]
                    _apply(content, what, at, part)
                (folder / Path(path).name).write_bytes(content)

    def _open(self, real, vfs, name, file, flags, out):
        code = real.contents.xOpen(cast(real, c_void_p), name, file, flags, out)
        handle = cast(file, POINTER(_File)).contents
        if code == 0 and name is not None and handle.methods:
            path = ctypes.string_at(name).decode()
            with self._lock:
                self._names[file] = path
                if path not in self._synced:
                    self._synced[path] = Path(path).read_bytes() if Path(path).exists() else b""
            address = cast(handle.methods, c_void_p).value
            handle.methods = POINTER(_Methods)(self._methods(address))
        return code

    def _delete(self, real, vfs, name, sync):
        with self._lock:
            code = real.contents.xDelete(cast(real, c_void_p), name, sync)
            self._synced.pop(name.decode(), None)
            self._since.pop(name.decode(), None)
        return code

    def _methods(self, address):
        """Return SQLite's functions for a file, with three of them wrapped."""
        if address not in self._made:
            real = cast(address, POINTER(_Methods)).contents
            mine = _Methods.from_buffer_copy(real)

            def write(file, data, size, at):
                with self._lock:
                    kept = ctypes.string_at(data, size)
                    self._since[self._names[file]].append(("write", at, kept))
                    return real.xWrite(file, data, size, at)

            def truncate(file, size):
                with self._lock:
                    self._since[self._names[file]].append(("truncate", size, b""))
                    return real.xTruncate(file, size)

            def sync(file, flags):
                time.sleep(_SYNC_SECONDS)
                with self._lock:
                    path = self._names[file]
                    content = bytearray(self._synced[path])
                    for change in self._since.pop(path, ()):
                        _apply(content, *change)
                    self._synced[path] = bytes(content)
                    self.syncs += 1
                    return 0  # the real disk need not be asked: this one is the judge

            mine.xWrite, mine.xTruncate, mine.xSync = (
                _WRITE(write), _TRUNCATE(truncate), _SYNC(sync),
            )  # fmt: skip
            self._made[address] = mine
        return self._made[address]


def _apply(content, what, at, data):
    if what == "truncate":
        del content[at:]
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at : at + len(data)] = data
