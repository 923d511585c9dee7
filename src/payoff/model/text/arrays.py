"""Arrays as bytes: the plain NumPy format, never with objects in it."""

from __future__ import annotations

import ctypes
import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.errors import BundleError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["array_from", "bytes_of", "give_back", "sparse_bytes", "sparse_from"]

#: The C library this process runs on; only glibc has what is asked of it.
_C_LIBRARY: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def bytes_of(array: NDArray[Any]) -> bytes:
    """Return an array in the .npy format.

    Examples
    --------
    >>> array_from({"a.npy": bytes_of(np.arange(3))}, "a.npy")
    array([0, 1, 2])
    """
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def array_from(files: Mapping[str, bytes], name: str) -> NDArray[Any]:
    """Read an array back.

    Raises
    ------
    BundleError
        ``PAY-B001`` when the file is missing.
    """
    if name not in files:
        raise BundleError.not_a_bundle(name, "the model's file is missing")
    found: NDArray[Any] = np.load(io.BytesIO(files[name]), allow_pickle=False)
    return found


def sparse_bytes(name: str, x: csr_matrix) -> dict[str, bytes]:
    """Return a sparse matrix as three arrays."""
    return {
        f"{name}.data.npy": bytes_of(x.data),
        f"{name}.columns.npy": bytes_of(x.indices.astype(np.int32)),
        f"{name}.ends.npy": bytes_of(x.indptr.astype(np.int64)),
    }


def sparse_from(files: Mapping[str, bytes], name: str, width: int) -> csr_matrix:
    """Read a sparse matrix back."""
    from scipy.sparse import csr_matrix

    data, columns, ends = (
        array_from(files, f"{name}.{part}.npy") for part in ("data", "columns", "ends")
    )
    return csr_matrix((data, columns, ends), shape=(len(ends) - 1, width))


def give_back() -> None:
    """Hand memory that is free again back to the system, where it would be kept for later.

    Arrow keeps what it used while the rows were read. glibc keeps the place of rows that were laid
    out one by one, as liblinear does, for more of the same size.
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = getattr(_C_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
