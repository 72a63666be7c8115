"""Marks parts of a program, so that `mete run` can tell what each cost. docs/regions.md.

    with mete.region("epoch"):
        ...

    @mete.region("step")
    def step(batch): ...

    mete.progress()        # one more step of the program's own count is done

Needs nothing but Python: the session that runs the program says where its library is. Without one, marks do nothing.
SPDX-License-Identifier: BSD-3-Clause
"""
import ctypes
import functools
import os


def _load():
    path = os.environ.get("METE_REGION_LIBRARY")
    if not path or not os.environ.get("METE_REGION_SHM"):
        return None
    try:
        library = ctypes.CDLL(path)
        library.mete_region_begin.argtypes = [ctypes.c_char_p]
        library.mete_region_begin.restype = ctypes.c_uint64
        library.mete_region_end.argtypes = [ctypes.c_uint64]
        library.mete_region_end.restype = None
        library.mete_progress.argtypes = [ctypes.c_uint64]
        library.mete_progress.restype = None
        return library if library.mete_region_listening() else None
    except (OSError, AttributeError):
        return None  # a session of another build: the program must run all the same


_library = _load()


class region:
    """A named part of the program: a context manager, which may be entered again and again, and a decorator."""

    __slots__ = ("name", "_bytes", "_marks")

    def __init__(self, name):
        if not isinstance(name, str) or not name or "\0" in name:
            raise ValueError("region: expected a name, as in mete.region('epoch')")
        self.name = name
        self._bytes = name.encode()
        self._marks = []

    def __enter__(self):
        if _library is not None:
            self._marks.append(_library.mete_region_begin(self._bytes))
        return self

    def __exit__(self, *_):
        if self._marks:
            _library.mete_region_end(self._marks.pop())
        return False

    def __call__(self, function):
        @functools.wraps(function)
        def marked(*args, **kwargs):
            # One of its own for each call: calls may overlap in several threads.
            with region(self.name):
                return function(*args, **kwargs)
        return marked


def progress(n=1):
    """n more steps of the program's own count (epochs, batches) are done."""
    if n < 0:
        raise ValueError(f"progress: expected a count, got {n}")
    if _library is not None:
        _library.mete_progress(n)


def listening():
    """True if a session listens."""
    return _library is not None
