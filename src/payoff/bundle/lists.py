"""The bundle of a decision that recommends: recommenders, histories, catalogue, offer, policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from payoff.bundle.asking import Ask
from payoff.bundle.folder import (
    ITEMS,
    is_list_bundle,
    json_text,
    manifest_of,
    read_folder,
    read_json,
    verified,
    without_secrets,
    write_folder,
)
from payoff.bundle.ledger import Past
from payoff.bundle.listing import Rules, miss_of, recommend
from payoff.declare import Decision
from payoff.declare.file import from_toml, to_toml
from payoff.errors import BundleError
from payoff.load.interactions.split import moment_text
from payoff.model.recommend.blend import recommender_from
from payoff.model.recommend.histories import Histories
from payoff.model.recommend.ranker import Recommender
from payoff.model.text.arrays import array_from, bytes_of
from payoff.policy.listing.policy import ListPolicy, Offer

if TYPE_CHECKING:
    import pyarrow as pa

    from payoff.evidence.evidence import Evidence
    from payoff.load.interactions.events import Catalogue

__all__ = ["ItemTable", "Ranker", "RecommendBundle", "is_list_bundle", "opened", "write_lists"]

_USERS: Final = "catalogue/users.arrow"
#: Columns whose texts are longer than this on average are descriptions; they are left out.
_LONG: Final = 200
#: Columns that name an item to a person, the best first.
_NAMES: Final = ("label", "name", "title", "description", "item_name", "product_name")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranker:
    """A list policy with the recommender of its name; None for the policy that shows nothing."""

    policy: ListPolicy
    recommender: Recommender | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemTable:
    """The m items: ids, and what is known of each.

    Parameters
    ----------
    labels
        Ids, (m,).
    attributes
        One row for each item, first its id: what filters and rules may read and answers show.
    """

    labels: NDArray[Any]
    attributes: pa.Table

    @classmethod
    def of(cls, decision: Decision, catalogue: Catalogue) -> ItemTable:
        """Return the items of a catalogue as it was read; the id is a column in any case."""
        import pyarrow as pa

        declared = decision.recommend
        assert declared is not None
        name = declared.interactions.item if declared.items is None else declared.items.id
        ids = pa.array([str(i) for i in catalogue.labels], pa.string())
        table = pa.table({name: ids})
        known = catalogue.attributes
        for other in () if known is None else known.column_names:
            if other != name and known is not None:
                table = table.append_column(other, known.column(other))
        return cls(labels=catalogue.labels, attributes=table)

    @cached_property
    def code(self) -> Mapping[str, int]:
        """Id -> number."""
        return {str(label): i for i, label in enumerate(self.labels)}

    @cached_property
    def name_column(self) -> str | None:
        """The column that names an item to a person; None where there is none."""
        import pyarrow as pa

        texts = {
            f.name.casefold(): f.name for f in self.attributes.schema if pa.types.is_string(f.type)
        }
        return next((texts[name] for name in _NAMES if name in texts), None)

    @cached_property
    def names(self) -> Sequence[str]:
        """What to call each item: its name where there is one, else its id."""
        if self.name_column is None:
            return [str(label) for label in self.labels]
        named = self.attributes.column(self.name_column).to_pylist()
        return [str(n or label) for n, label in zip(named, self.labels, strict=True)]

    @cached_property
    def shown(self) -> Mapping[str, Sequence[Any]]:
        """Attribute -> value of each item, JSON-ready; the name is not repeated."""
        return {
            name: [_plain(v) for v in self.attributes.column(name).to_pylist()]
            for name in self.attributes.column_names
            if name not in (self.name_column, self.attributes.column_names[0])
        }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return str(value)


@dataclass(frozen=True, kw_only=True, eq=False)
class RecommendBundle:
    """An opened bundle of kind ``"recommend"``.

    Parameters
    ----------
    id
        SHA-256 over the digests of all files but the documents: equal ids answer alike.
    ranker
        The recommended policy and its recommender.
    cold
        What answers where nothing is known of a user.
    histories
        What each known user did before the evidence was made, or the bundle was updated.
    users
        Ids of the users, (n,), in the order of ``histories``.
    segments
        Names of the segments of ``histories.segment``.
    dates
        Whether times are microseconds since 1970.
    updates
        What `payoff update` added since the evidence was made, one entry each time.
    left_out
        Item attributes that are not kept, and why.
    """

    path: Path
    id: str
    decision: Decision
    ranker: Ranker
    cold: Ranker
    histories: Histories
    users: NDArray[Any]
    items: ItemTable
    offer: Offer
    dates: bool
    segments: tuple[str, ...] = ()
    updates: tuple[Mapping[str, Any], ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> RecommendBundle:
        """Open a bundle after checking every byte against its manifest.

        Raises
        ------
        BundleError
            ``PAY-B001`` not a bundle, ``PAY-B002`` changed, ``PAY-B004`` another format,
            ``PAY-B008`` a bundle of another kind.
        """
        path = Path(path)
        manifest = verified(path)
        if not is_list_bundle(manifest):
            raise BundleError.decides_rows(str(path))
        try:
            return cls._read(path, manifest)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Every byte is as it was written, so another version of payoff wrote it.
            raise BundleError.incompatible(
                str(path), f"{type(error).__name__}: {error}", "the keys of this version"
            ) from None

    @classmethod
    def _read(cls, path: Path, manifest: Mapping[str, Any]) -> RecommendBundle:
        choice = read_json(path / "policy.json")
        items = _arrow(path / ITEMS)
        users = _arrow(path / _USERS)
        arrays = read_folder(path / "histories")
        histories = Histories(
            n_items=items.num_rows,
            segment=array_from(arrays, "segment.npy"),
            **{n: array_from(arrays, f"{n}.npy") for n in ("start", "item", "time", "weight")},
        )
        return cls(
            path=path,
            id=str(manifest["id"]),
            decision=from_toml((path / "decision.toml").read_text(encoding="utf-8")),
            ranker=_ranker(choice["policy"], read_folder(path / "model")),
            cold=_ranker(choice["cold"], read_folder(path / "cold")),
            histories=histories,
            users=users.column("user").to_numpy(),
            items=ItemTable(labels=items.column(0).to_numpy(), attributes=items),
            offer=_offer(choice, read_folder(path / "offer")),
            dates=bool(choice["dates"]),
            segments=tuple(choice["segments"]),
            updates=tuple(choice["updates"]),
            left_out=dict(choice["left_out"]),
            manifest=manifest,
        )

    def evidence(self) -> Evidence:
        """Read the evidence (not needed to answer, so not read when the bundle is opened)."""
        from payoff.evidence.evidence import Evidence

        return Evidence.from_dict(read_json(self.path / "evidence.json"))

    def past(self) -> Past:
        """Read what later interactions are joined to (not needed to answer).

        Raises
        ------
        BundleError
            ``PAY-B005`` when the bundle holds no ledger.
        """
        return Past.read(self.path)

    def recommend(
        self, *, list_id: str | None = None, explain: bool = True, **asked: Any
    ) -> dict[str, Any]:
        """Return a list for a user, for a visitor's session, or for what goes with an item.

        Parameters
        ----------
        list_id
            Id of the answer; left out, a new one. The same id gives the same list again.
        explain
            Whether to say why each item is listed.
        **asked
            ``user``, ``session``, ``item``, ``k``, ``filter``, ``exclude``, ``only`` and
            ``at_most``, as :class:`payoff.bundle.asking.Ask` describes them.

        Returns
        -------
        dict
            ``list_id``; ``user`` and whether it is ``known`` (None where no user was named);
            ``made_by`` and ``made_by_label``, name and label of the policy that answered: the one
            for strangers where nothing is known; ``histories_until``, the newest interaction known;
            ``items``, each with ``item``, ``label``, ``attributes``, ``score``, ``money_if_hit``
            (money of the decision's currency), ``expected_money`` of its place (None where the
            policy knows no chance of a hit), ``propensity`` (probability of being in the list),
            ``explored``, ``filled`` (the policy for strangers fills the places that the list leaves
            empty) and ``why``; ``explored``, whether chance took a place; ``others``: how
            many further items could have been shown, and how likely each was; ``ignored``: ids
            that no item has.

        Raises
        ------
        RequestError
            ``PAY-S001`` when the question is malformed or names an unknown item or attribute.
        ExpressionError
            ``PAY-D051`` .. when the filter is no condition over attributes of items.
        """
        return recommend(self, Ask.of(asked), list_id=list_id, explain=explain)

    @cached_property
    def rules(self) -> Rules:
        """Filters and groups of items, worked out once each."""
        return Rules(self)

    @cached_property
    def explore(self) -> float:
        """Share of lists with one place left to chance."""
        declared = self.decision.recommend
        return 0.0 if declared is None else float(declared.list.explore)

    @cached_property
    def latest(self) -> float:
        """The last time of any interaction: when a session is taken to happen."""
        return self.histories.latest

    @property
    def histories_until(self) -> str:
        """The moment of the newest interaction that lists are made from, for people."""
        return moment_text(self.latest, self)

    @property
    def evidence_until(self) -> str:
        """The moment of the newest interaction when the evidence was made, for people."""
        first = self.updates[0] if self.updates else None
        return self.histories_until if first is None else str(first["until"]["before"])

    @cached_property
    def miss(self) -> float:
        """Money of a place that was no hit."""
        return miss_of(self)

    @cached_property
    def user_code(self) -> Mapping[str, int]:
        """User id -> number."""
        return {str(label): i for i, label in enumerate(self.users)}


def opened(path: str | Path) -> Any:
    """Open a bundle of either kind: a `Bundle` or a `RecommendBundle`.

    Raises
    ------
    BundleError
        As those do.
    """
    from payoff.bundle.rows import Bundle

    kind: Any = RecommendBundle if is_list_bundle(manifest_of(Path(path))) else Bundle
    return kind.open(path)


def write_lists(  # noqa: PLR0913 (the parts of a bundle)
    folder: str | Path,
    *,
    decision: Decision,
    ranker: Ranker,
    cold: Ranker,
    histories: Histories,
    users: NDArray[Any],
    items: ItemTable,
    offer: Offer,
    dates: bool,
    evidence: Evidence | bytes,
    made_with: Mapping[str, Any] | None = None,
    segments: Sequence[str] = (),
    past: Past | None = None,
    updates: Sequence[Mapping[str, Any]] = (),
    documents: Callable[[str], Mapping[str, str]] = lambda _: {},
    force: bool = False,
) -> Path:
    """Write a bundle of kind ``"recommend"``.

    What a run of a recommendation hands over, once everything is chosen and judged::

        write_lists(
            folder,
            decision=checked.decision,
            ranker=Ranker(policy=recommended, recommender=fitted),  # None shows nothing
            cold=Ranker(policy=popular_policy, recommender=popular),  # fitted on the same events
            histories=histories,  # of everybody known, in the order of checked.data.users
            users=checked.data.users.labels,
            items=ItemTable.of(checked.decision, checked.data.items),
            offer=offer,  # what can be shown from now on
            dates=checked.data.dates,
            segments=labels_of_the_groups_in_histories_segment,
            past=Past(ledger=checked.data.ledger, windows=checked.data.windows),
            evidence=evidence,
            documents=lambda own_id: report.documents(evidence, own_id),
            force=force,
        )

    Parameters
    ----------
    folder
        A new or empty folder, or, with ``force``, an earlier bundle to replace.
    ranker, cold
        The recommended policy, and the one for users of whom nothing is known.
    histories, users
        What each known user did, and the users' ids, (n,) in the same order.
    items
        Ids and attributes of the m items.
    offer
        What may be shown, what a hit earns, and the limits of groups.
    past
        What later interactions are joined to; None where there will be none.
    evidence
        The evidence, or its bytes as another bundle holds them (then with its ``made_with``).
    documents
        Makes the pages and records that go with it (file name -> text) from the bundle's id.

    Raises
    ------
    BundleError
        ``PAY-B003`` when the folder holds something else, ``PAY-B006`` an earlier bundle.
    EnvironmentError_
        ``PAY-X003`` when it cannot be written; nothing is left half-written.
    """
    import pyarrow as pa

    table, left_out = _kept(items.attributes, decision)
    choice = {
        "policy": ranker.policy.to_dict(),
        "cold": cold.policy.to_dict(),
        "dates": dates,
        "segments": list(segments),
        "at_most": [most for _, most in offer.at_most],
        "updates": [dict(u) for u in updates],
        "left_out": left_out,
    }
    of_users = pa.table({"user": pa.array([str(u) for u in users], pa.string())})
    arrays = {
        **{f"histories/{n}": getattr(histories, n) for n in _HISTORY},
        **{
            f"offer/{f.name}": getattr(offer, f.name)
            for f in fields(offer)
            if isinstance(getattr(offer, f.name), np.ndarray)
        },
        **{f"offer/at_most_{j}": codes for j, (codes, _) in enumerate(offer.at_most)},
    }
    facts = evidence if isinstance(evidence, bytes) else evidence.to_json().encode()
    found = {} if isinstance(evidence, bytes) else evidence.made_with
    files = {
        "decision.toml": to_toml(without_secrets(decision)).encode(),
        "policy.json": json_text(choice),
        "evidence.json": facts,
        ITEMS: _arrow_bytes(table),
        _USERS: _arrow_bytes(of_users),
        **{f"{name}.npy": bytes_of(a) for name, a in arrays.items()},
        **({} if past is None else past.files()),
        **{f"model/{n}": content for n, content in _files(ranker)},
        **{f"cold/{n}": content for n, content in _files(cold)},
    }
    return write_folder(
        folder,
        files,
        name=decision.name,
        made_with=found if made_with is None else made_with,
        documents=documents,
        force=force,
    )


_HISTORY: Final = ("start", "item", "time", "weight", "segment")


def _files(ranker: Ranker) -> list[tuple[str, bytes]]:
    return [] if ranker.recommender is None else list(ranker.recommender.files().items())


def _ranker(policy: Mapping[str, Any], files: Mapping[str, bytes]) -> Ranker:
    return Ranker(
        policy=ListPolicy.from_dict(policy),
        recommender=recommender_from(files) if files else None,
    )


def _offer(choice: Mapping[str, Any], arrays: Mapping[str, bytes]) -> Offer:
    names = [f.name for f in fields(Offer) if f"{f.name}.npy" in arrays]
    return Offer(
        **{name: array_from(arrays, f"{name}.npy") for name in names},
        at_most=tuple(
            (array_from(arrays, f"at_most_{j}.npy"), int(most))
            for j, most in enumerate(choice["at_most"])
        ),
    )


def _kept(table: pa.Table, decision: Decision) -> tuple[pa.Table, dict[str, str]]:
    """Return the attributes that are kept, as plain columns, and why others are not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rules = decision.recommend
    read = {} if rules is None else rules.list.columns
    columns, left_out = {}, {}
    for column in table.schema:
        values, kind = table.column(column.name), column.type
        if pa.types.is_dictionary(kind):
            values, kind = values.cast(kind.value_type), kind.value_type
        if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            values, kind = values.cast(pa.string()), pa.string()
        if pa.types.is_string(kind):
            length = pc.mean(pc.utf8_length(values)).as_py() or 0.0
            if length > _LONG and column.name not in read:
                left_out[column.name] = f"long texts, {length:,.0f} characters on average"
                continue
        elif not (
            pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
        ):
            left_out[column.name] = f"values of type {kind}"
            continue
        columns[column.name] = values
    return pa.table(columns), left_out


def _arrow_bytes(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    plain = table.replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_file(sink, plain.schema) as writer:
        writer.write_table(plain)
    return bytes(sink.getvalue())


def _arrow(path: Path) -> pa.Table:
    import pyarrow as pa

    try:
        with pa.ipc.open_file(path) as reader:
            return reader.read_all()
    except (OSError, pa.ArrowException) as error:
        raise BundleError.not_a_bundle(str(path.parent.parent), str(error)[:200]) from None
