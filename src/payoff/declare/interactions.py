"""Who bought what, and what a list of it earns: the tables of a decision of kind ``"recommend"``.

The unit is a list shown to a user. Each place of the list is a hit, when the user then buys the
item, or a miss; ``[payoffs.show]`` says what each is worth, and not showing a list earns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from payoff.declare import expression
from payoff.declare.expression import Node
from payoff.declare.listing import ListSettings
from payoff.declare.payoffs import Action, Cell, Outcome, PayoffTable, money_text
from payoff.declare.settings import frozen_map
from payoff.errors import DeclarationError, ExpressionError, listed

if TYPE_CHECKING:
    from payoff.declare.decision import Decision

__all__ = [
    "DUPLICATES",
    "HIT_COLUMNS",
    "PARTLY",
    "Attributes",
    "InteractionData",
    "Recommend",
    "Stock",
    "check_recommend",
    "list_payoffs",
]

DUPLICATES: Final = ("drop", "keep")
#: What the money of a hit may read: the figures of the purchase that the list foresaw.
HIT_COLUMNS: Final = ("value", "margin", "price", "quantity")
#: Tables of a decision file that a list of recommendations has no use for, at least not yet.
PARTLY: Final = (
    "data",
    "outcomes",
    "actions",
    "limits",
    "constraints",
    "current_rule",
    "text",
    "past",
    "automation",
    "multilabel",
    "predictions",
)


def _one_source(source: str | None, query: str | None, key: str) -> None:
    if source is not None and query is not None:
        raise DeclarationError.bad_value(f"{key}.query", query, "either 'source' or 'query'")


def _reasons(patterns: Mapping[str, str], key: str) -> Mapping[str, str]:
    for pattern, reason in patterns.items():
        if not pattern.strip() or not reason.strip():
            raise DeclarationError.bad_value(
                f"{key}.{pattern}",
                reason,
                "a pattern and the reason, in words",
                'Write, for example, "POST*" = "postage is no product"',
            )
    return frozen_map(patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionData:
    """Where the interactions are (one row: a user did something with an item) and what they say.

    Parameters
    ----------
    user, item, time
        Columns: who, with what, when (dates, or numbers that rise with time).
    source, query, database
        A file or pattern of files, or SQL and the database it runs on.
    quantity, price, value
        Columns: pieces; money per piece; money of the whole row. Without ``value`` it is price
        times quantity; without ``quantity`` it is 1.
    margin
        Money the owner keeps of the row: an expression over the columns of the interactions, the
        attributes of the items, and ``value``, ``price`` and ``quantity``.
    cancelled
        Condition that tells a return or cancellation from a purchase; without it, a negative
        quantity does. Each takes back the latest earlier purchases of that user and item.
    where
        Condition of the rows that count, such as ``event = 'purchase'``.
    part
        Column that holds ``fit``, ``choose`` or ``judge``, when the split is made elsewhere.
    duplicates
        ``"drop"``: rows that repeat user, item, time, quantity and money are the export's fault.
        ``"keep"``: they are further pieces.
    exclude
        Pattern of item ids (``*`` and ``?``) -> reason: postage, vouchers, samples.

    Raises
    ------
    DeclarationError
        ``PAY-D006`` when the parts contradict each other.

    Examples
    --------
    >>> InteractionData(user="customer", item="sku", time="day", price="price").roles["price"]
    'price'
    """

    user: str
    item: str
    time: str
    source: str | None = None
    query: str | None = None
    database: str | None = None
    quantity: str | None = None
    price: str | None = None
    value: str | None = None
    margin: str | None = None
    cancelled: str | None = None
    where: str | None = None
    part: str | None = None
    duplicates: str = "drop"
    exclude: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the mapping; check roles and expressions."""
        _one_source(self.source, self.query, "interactions")
        object.__setattr__(self, "exclude", _reasons(self.exclude, "interactions.exclude"))
        if self.margin is not None:
            object.__setattr__(self, "margin", money_text(self.margin, "interactions.margin"))
        if self.duplicates not in DUPLICATES:
            raise DeclarationError.bad_value(
                "interactions.duplicates", self.duplicates, f"one of {listed(DUPLICATES)}"
            )
        seen: dict[str, str] = {}
        for role, column in self.roles.items():
            if column in seen:
                raise DeclarationError.bad_value(
                    f"interactions.{role}",
                    column,
                    f"a column that is not '{seen[column]}' too",
                    "Give each role a column of its own",
                )
            seen[column] = role
        for key in ("margin", "cancelled", "where"):
            self.node(key)
        for key in ("cancelled", "where"):
            node = self.node(key)
            if isinstance(node, expression.Number | expression.Text | expression.Null):
                raise DeclarationError.bad_value(
                    f"interactions.{key}", getattr(self, key), "a condition, true or false"
                )

    @property
    def roles(self) -> dict[str, str]:
        """Role -> column, for the roles that have one."""
        names = ("user", "item", "time", "quantity", "price", "value", "part")
        return {n: getattr(self, n) for n in names if getattr(self, n) is not None}

    @property
    def has_value(self) -> bool:
        """Whether a row has money at all."""
        return self.value is not None or self.price is not None

    def node(self, key: str) -> Node | None:
        """Return the parsed ``margin``, ``cancelled`` or ``where``; None when not declared."""
        text = getattr(self, key)
        if text is None:
            return None
        try:
            return expression.parse(text)
        except ExpressionError as error:
            raise error.within(f"key interactions.{key}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """One row per item, or per user, with what is known of it.

    Parameters
    ----------
    id
        Column that names the item or user as the interactions do.
    source, query, database
        Where the rows are.
    where
        Of items: condition over their attributes; others are no products, and are left out.
    from_, until
        Of items: columns of when the item is in the catalogue; empty means always.
    exclude
        Pattern of ids -> reason; such users (tests, staff, bots) take no part.
    """

    id: str
    source: str | None = None
    query: str | None = None
    database: str | None = None
    from_: str | None = None
    until: str | None = None
    where: str | None = None
    exclude: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the mapping; check the source and the condition."""
        if self.where is not None and isinstance(
            self.node, expression.Number | expression.Text | expression.Null
        ):
            raise DeclarationError.bad_value(
                "items.where", self.where, "a condition, true or false"
            )
        _one_source(self.source, self.query, "items or users")
        object.__setattr__(self, "exclude", _reasons(self.exclude, "users.exclude"))

    @property
    def node(self) -> Node | None:
        """The parsed condition; None when not declared."""
        if self.where is None:
            return None
        try:
            return expression.parse(self.where)
        except ExpressionError as error:
            raise error.within("key items.where") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """When each item can be delivered: one row per item and stretch of time.

    An item without a row is always there. ``from_`` counts, ``until`` no longer does.
    """

    item: str
    from_: str | None = None
    until: str | None = None
    source: str | None = None
    query: str | None = None
    database: str | None = None

    def __post_init__(self) -> None:
        """Check the source and that there is a limit at all."""
        _one_source(self.source, self.query, "stock")
        if self.from_ is None and self.until is None:
            raise DeclarationError.missing_key(
                "stock.from", "the column of when the item arrives", 'from = "arrived"'
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommend:
    """Everything a decision of kind ``"recommend"`` declares beyond the common tables."""

    interactions: InteractionData
    items: Attributes | None = None
    users: Attributes | None = None
    stock: Stock | None = None
    list: ListSettings = field(default_factory=ListSettings)


def list_payoffs(value: Mapping[str, Mapping[str, Cell]], data: InteractionData) -> dict[str, Any]:
    """Return actions, outcomes and payoffs of a list: show it or not, hit or miss per place.

    A hit is worth ``margin`` where it is declared, else ``value``; a miss costs nothing, unless
    ``[payoffs.show]`` says otherwise.
    """
    known = "margin" if data.margin is not None else "value" if data.has_value else None
    for action in value:
        if action != "show":
            raise DeclarationError.unknown_name("payoffs", action, "action", ["show"])
    shown = dict(value.get("show", {}))
    for outcome in shown:
        if outcome not in ("hit", "miss"):
            raise DeclarationError.unknown_name("payoffs.show", outcome, "outcome", ["hit", "miss"])
    if "hit" not in shown and known is None:
        raise DeclarationError.missing_cell("show", "hit")
    cells = {("none", o): Cell(money="0") for o in ("hit", "miss")}
    cells[("show", "hit")] = shown["hit"] if "hit" in shown else Cell(money=str(known))
    cells[("show", "miss")] = shown.get("miss", Cell(money="0"))
    return {
        "outcomes": (
            Outcome(name="hit", values=("hit",), label="then bought"),
            Outcome(name="miss", values=("miss",), label="not bought"),
        ),
        "actions": (Action(name="show", label="Show"), Action(name="none", label="Show nothing")),
        "payoffs": PayoffTable(cells=cells),
    }


def check_recommend(decision: Decision) -> None:
    """Check what recommendations need of the rest of a declaration (``PAY-D006``)."""
    recommend, kind = decision.recommend, decision.kind
    split = decision.split
    windows = split.choose_from is not None or split.judge_from is not None
    if (kind == "recommend") != (recommend is not None):
        raise DeclarationError.bad_value(
            "decision.kind",
            kind,
            "kind = 'recommend' and [interactions] together",
            "Recommendations learn from interactions; no other kind does",
        )
    if recommend is None:
        if split.method == "last" or windows:
            raise DeclarationError.bad_value(
                "split.method" if split.method == "last" else "split.judge_from",
                split.method if split.method == "last" else split.judge_from or split.choose_from,
                "kind = 'recommend' in [decision]",
                "Only interactions are split by the last of each user, or by declared dates",
            )
        return
    _check_split(decision, windows=windows)
    for key in recommend.list.columns.values():
        if recommend.items is None:
            raise DeclarationError.missing_key(
                "items", f"the attributes of items that {key} reads", "[items] with source and id"
            )
    data = recommend.interactions
    lacking = [n for n in HIT_COLUMNS if getattr(data, n) is None]
    known = [n for n in HIT_COLUMNS if n not in lacking or n == "quantity"]
    known += ["value", "price"] if data.has_value else []
    for outcome in ("hit", "miss"):
        for column in expression.columns_of(decision.payoffs.cell("show", outcome).node):
            if outcome == "miss" or column not in known:
                raise DeclarationError.bad_value(
                    f"payoffs.show.{outcome}",
                    column,
                    f"money made of {listed(dict.fromkeys(known))}"
                    if outcome == "hit"
                    else "a number: nothing was bought, so there is no purchase to read",
                    "Declare it in [interactions]; attributes and other columns go into 'margin'"
                    if outcome == "hit"
                    else "Write what a place of the list costs, such as -0.01",
                )


def _check_split(decision: Decision, *, windows: bool) -> None:
    split = decision.split
    if split.method == "cluster":
        raise DeclarationError.bad_value(
            "split.method",
            "cluster",
            "'time', 'last' or 'random' for interactions",
            "Whole users in one part would all be strangers to the model; judge by time",
        )
    if windows and split.method not in ("auto", "time"):
        raise DeclarationError.bad_value(
            "split.method", split.method, "'time' beside 'choose_from' and 'judge_from'"
        )
