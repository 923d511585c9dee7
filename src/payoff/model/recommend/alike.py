"""How alike items are, as short vectors of length 1: by attributes, else by who had them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from payoff.model.recommend.histories import Histories

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["alike"]

_WIDTH: Final = 32


def alike(histories: Histories, attributes: csr_matrix | None, *, rng: int) -> NDArray[np.float32]:
    """Return vectors whose cosine says how alike two items are, float32 (m, a); 0 where unknown.

    Parameters
    ----------
    histories
        What users did.
    attributes
        Attributes of items (m, a); None takes the users who had an item instead.
    rng
        Seed of the randomised singular vectors, which stand in for more than 32 columns.

    Examples
    --------
    >>> past = Histories.sessions([[0, 1], [0, 1], [2]], 3)
    >>> v = alike(past, None, rng=0)
    >>> (v @ v.T).round(6).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    from sklearn.utils.extmath import randomized_svd

    x = histories.matrix().T.tocsr() if attributes is None else attributes.tocsr().copy()
    x = x.astype(np.float64)
    row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    size = np.sqrt(np.bincount(row, weights=x.data**2, minlength=x.shape[0]))
    x.data = x.data / np.maximum(size, 1e-300)[row]
    if min(x.shape) <= _WIDTH:
        short = x.toarray() if x.shape[1] <= _WIDTH else (x @ x.T).toarray()
    else:
        u, s, _ = randomized_svd(
            x, _WIDTH, n_iter=4, random_state=np.random.RandomState(rng % (2**32))
        )
        short = u * s
    length = np.linalg.norm(short, axis=1, keepdims=True)
    there = (length > 1e-12) & (size[:, None] > 0)
    return np.where(there, short / np.maximum(length, 1e-12), 0.0).astype(np.float32)
