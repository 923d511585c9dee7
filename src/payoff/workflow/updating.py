"""Later interactions join a bundle that recommends; nothing is fitted or judged again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff import report
from payoff.bundle import Past, RecommendBundle, check_target, write_lists
from payoff.load.interactions.cancel import settle
from payoff.load.interactions.events import Catalogue, Interactions
from payoff.load.interactions.more import Joined, Later, join, read_later
from payoff.load.interactions.split import moment_text
from payoff.model.recommend.histories import Histories
from payoff.policy.listing.world import offer_of
from payoff.progress import Progress, silent

__all__ = ["Updated", "update"]

#: New items that the answer names.
_NAMED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Updated:
    """A bundle with later interactions.

    Parameters
    ----------
    folder
        The new bundle.
    bundle_id
        Its id: that of the old one where the file held nothing new.
    added
        What came in, JSON-ready: ``source`` and ``fingerprint``; ``rows`` read and ``left_out``
        with the reasons; ``purchases`` that are ``new``, already ``known``, or known with other
        pieces (``changed``); ``cancellations`` that are ``new`` or ``known``; ``new_users``;
        ``new_items`` with their number ``n``, their ``rows`` and the ``items`` with most rows: no
        list can hold them; ``until``, the newest interaction ``before`` and ``after``.
    """

    folder: Path
    bundle_id: str
    added: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether the file held anything new of known items."""
        return _anything(self.added)


def update(
    bundle: str | Path,
    interactions: Any,
    out: str | Path,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Updated:
    """Write a bundle that also knows later interactions.

    The recommenders stay as they were fitted and judged, and so does the evidence. What changes is
    what each user did, who is known, what an item is expected to earn, and, where the decision
    declares a catalogue or stock over time, what is offered at the newest interaction.

    Parameters
    ----------
    bundle
        Folder of a bundle of kind ``"recommend"``.
    interactions
        Path, pattern, SQL or frame with the columns that the decision declares. It may overlap what
        is known: the same user, item and moment counts once.
    out
        Folder of the new bundle.
    force
        Whether to replace an earlier bundle there.

    Raises
    ------
    BundleError
        ``PAY-B003`` and ``PAY-B006`` about ``out``; ``PAY-B005`` when the bundle cannot be updated;
        ``PAY-B008`` when it decides rows.
    DataError
        As :func:`payoff.load.interactions.more.read_later`.
    """
    check_target(Path(out), force=force)
    progress("open", 0, 1)
    known = RecommendBundle.open(bundle)
    past = known.past()
    items = Catalogue(labels=known.items.labels, attributes=known.items.attributes)
    progress("open", 1, 1)
    progress("read", 0, 1)
    later = read_later(
        known.decision, interactions, items=items, users=known.users, dates=known.dates
    )
    joined = join(past.ledger, later.ledger, len(items))
    progress("read", 1, 1, f"{sum(joined.purchases.values()):,} purchases")
    data = _together(known, past, later, joined, items)
    events = data.known(np.ones(len(data.events), dtype=np.bool_))
    histories = Histories.of(
        events.user,
        events.item,
        n_users=len(data.users),
        n_items=len(items),
        time=events.time,
        segment=_segments(known, later),
    )
    offer = offer_of(data, events, histories.latest)
    added = _record(known, later, joined, histories.latest)
    evidence = known.evidence()
    folder = write_lists(
        out,
        decision=known.decision,
        ranker=known.ranker,
        cold=known.cold,
        histories=histories,
        users=data.users.labels,
        items=known.items,
        offer=replace(offer, alike=known.offer.alike),
        dates=known.dates,
        evidence=(known.path / "evidence.json").read_bytes(),
        made_with=known.manifest["made_with"],
        segments=known.segments,
        past=Past(ledger=joined.ledger, windows=past.windows),
        updates=(*known.updates, added) if _anything(added) else known.updates,
        documents=lambda own_id: (
            report.documents(evidence, bundle={"id": own_id}) if _has_pages(known) else {}
        ),
        force=force,
    )
    progress("write", 1, 1, str(folder))
    return Updated(folder=folder, bundle_id=RecommendBundle.open(folder).id, added=added)


def _together(
    known: RecommendBundle, past: Past, later: Later, joined: Joined, items: Catalogue
) -> Interactions:
    """Return all interactions as if they had been read at once."""
    rules = known.decision.recommend
    assert rules is not None
    settled = settle(joined.ledger, len(items), repeats=rules.list.repeats)
    users = np.concatenate([known.users.astype(object), later.new_users.astype(object)])
    return Interactions(
        decision=known.decision,
        events=settled.events,
        taken_back=settled.taken_back,
        ledger=joined.ledger,
        users=Catalogue(labels=users),
        items=items,
        windows=tuple(past.windows),
        part=None,
        dates=known.dates,
        facts=later.facts,
        source=later.source,
        fingerprint=later.fingerprint,
    )


def _segments(known: RecommendBundle, later: Later) -> NDArray[np.int32]:
    """Return the segment of each user, int32 (n,): -1 for new ones in a group not met before."""
    code = {label: j for j, label in enumerate(known.segments)}
    new = [code.get(later.group_of.get(str(user), ""), -1) for user in later.new_users]
    return np.concatenate([known.histories.segment, np.array(new, dtype=np.int32)])


def _record(known: RecommendBundle, later: Later, joined: Joined, latest: float) -> dict[str, Any]:
    return {
        "source": later.source,
        "fingerprint": later.fingerprint,
        "rows": int(later.facts["rows"]),
        "left_out": {k: int(n) for k, n in later.facts["left_out"].items() if n},
        "repeated_rows": int(later.facts["repeated_rows"]),
        "purchases": dict(joined.purchases),
        "cancellations": dict(joined.cancellations),
        "new_users": len(later.new_users),
        "new_items": {
            "n": len(later.new_items),
            "rows": sum(later.new_items.values()),
            "items": list(islice(later.new_items, _NAMED)),
        },
        "until": {"before": known.histories_until, "after": moment_text(latest, known)},
    }


def _anything(added: Mapping[str, Any]) -> bool:
    bought = added["purchases"]
    return bool(bought["new"] or bought["changed"] or added["cancellations"]["new"])


def _has_pages(known: RecommendBundle) -> bool:
    return any(facts.get("document") for facts in known.manifest["files"].values())
