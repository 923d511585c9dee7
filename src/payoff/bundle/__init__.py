"""One folder that holds a whole decision: declaration, model, policy, evidence, pages.

Everything in it is data (TOML, JSON, plain arrays, Arrow, LightGBM text, ONNX, HTML, Markdown):
opening a bundle runs nobody's code. This package is the only writer.
"""

from payoff.bundle.folder import (
    FORMAT,
    check_target,
    differences,
    is_list_bundle,
    manifest_of,
    without_secrets,
)
from payoff.bundle.ledger import Past
from payoff.bundle.lists import ItemTable, Ranker, RecommendBundle, opened, write_lists
from payoff.bundle.rows import Bundle, write

__all__ = [
    "FORMAT",
    "Bundle",
    "ItemTable",
    "Past",
    "Ranker",
    "RecommendBundle",
    "check_target",
    "differences",
    "is_list_bundle",
    "manifest_of",
    "opened",
    "without_secrets",
    "write",
    "write_lists",
]
