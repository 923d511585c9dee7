"""The keys of ``decision.toml``: one description to read files by and make the schema from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from payoff.declare.decision import KINDS, PERIODS
from payoff.declare.interactions import DUPLICATES, PARTLY
from payoff.declare.limits import CONSTRAINTS
from payoff.declare.listing import SHOWN_TO
from payoff.declare.multilabel import EMPTY, OTHERS
from payoff.declare.payoffs import DISTRIBUTIONS
from payoff.declare.settings import SPLITS
from payoff.declare.synonyms import meant
from payoff.declare.text import SLICES, TWINS
from payoff.errors import DeclarationError, listed, said, show

__all__ = ["DECISION_FILE", "RECOMMEND", "Key", "Kind", "read"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value: how to check it, and its JSON Schema."""

    need: str
    schema: Mapping[str, Any]
    types: tuple[type, ...] = ()
    items: Kind | None = None
    keys: Mapping[str, Key] = field(default_factory=dict)
    values: Kind | None = None
    either: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its kind, what it means, whether it must be there, and an example.

    ``kinds`` are the kinds of decision that need it or may have it; empty means all.
    """

    kind: Kind
    meaning: str
    required: bool = False
    example: str = ""
    kinds: tuple[str, ...] = ()


def _table(**keys: Key) -> Kind:
    return Kind(need="a table", schema={"type": "object"}, types=(dict,), keys=keys)


def _map(values: Kind) -> Kind:
    return Kind(need="a table", schema={"type": "object"}, types=(dict,), values=values)


def _list(items: Kind) -> Kind:
    return Kind(need="a list", schema={"type": "array"}, types=(list,), items=items)


def _either(need: str, *kinds: Kind) -> Kind:
    return Kind(need=need, schema={"anyOf": [k.schema for k in kinds]}, either=kinds)


def _choice(*values: str) -> Kind:
    return Kind(
        need=f"one of {listed(values)}",
        types=(str,),
        schema={"type": "string", "enum": list(values)},
    )


TEXT: Final = Kind(need="text in quotes", schema={"type": "string"}, types=(str,))
NUMBER: Final = Kind(need="a number", schema={"type": "number"}, types=(int, float))
WHOLE: Final = Kind(need="a whole number", schema={"type": "integer"}, types=(int,))
FLAG: Final = Kind(need="true or false", schema={"type": "boolean"}, types=(bool,))
SCALAR: Final = Kind(
    need="text, a number or true/false",
    schema={"type": ["string", "number", "boolean"]},
    types=(str, int, float, bool),
)
MONEY: Final = Kind(
    need="money: a number, a column or an expression in quotes",
    schema={"type": ["number", "string"]},
    types=(int, float, str),
)
CELL: Final = _either(
    MONEY.need,
    MONEY,
    _table(
        money=Key(MONEY, "Money of this cell; positive is gain to the owner.", True, "money = -1"),
        source=Key(TEXT, "Where the figure comes from: person, document, date."),
        low=Key(NUMBER, "Least the figure may be; of an expression, the least factor on it."),
        high=Key(NUMBER, "Most the figure may be; of an expression, the largest factor on it."),
        distribution=Key(_choice(*DISTRIBUTIONS), "How the figure lies between low and high."),
    ),
)
OUTCOME: Final = _either(
    "the value of the outcome column, or a table with 'value' or 'values'",
    SCALAR,
    _table(
        value=Key(SCALAR, "Value of the outcome column that means this outcome."),
        values=Key(_list(SCALAR), "Several values that all mean this outcome."),
        label=Key(TEXT, "Words for the report."),
    ),
)
REVIEW: Final = _table(
    cost=Key(MONEY, "What one review costs, without a sign.", True, "cost = 4"),
    errors=Key(
        _either("a share from 0 to 1, or a table outcome = share", NUMBER, _map(NUMBER)),
        "Outcome = share of its units that a reviewer gets wrong; one number for all outcomes.",
        True,
        "errors = { fraud = 0.1, fine = 0.02 }",
    ),
    right=Key(_map(TEXT), "Outcome = action of a reviewer who is right; by money if left out."),
    wrong=Key(_map(TEXT), "Outcome = action of a reviewer who is wrong."),
)
ACTION: Final = _either(
    "the label in quotes, or a table with 'label' and 'capacity'",
    TEXT,
    _table(
        label=Key(TEXT, "Words for the report."),
        capacity=Key(NUMBER, "How often the action can be taken per period."),
        capacity_share=Key(NUMBER, "Share of units (0 to 1) the action can reach."),
        fixed_cost=Key(NUMBER, "Money per period that using the action at all costs."),
        review=Key(REVIEW, "A person looks first: its money is derived, so it has no payoffs."),
    ),
)
CASE: Final = _table(
    when=Key(TEXT, "Condition over columns.", True, "when = \"poutcome = 'success'\""),
    then=Key(TEXT, "Action taken when it holds.", True, 'then = "call"'),
)
SUBGROUP: Final = _table(
    name=Key(TEXT, "Heading in the report; the column's name when left out."),
    column=Key(TEXT, "Column whose values are the groups."),
    bands=Key(_list(NUMBER), "Ascending limits that cut a number into groups."),
    intersect=Key(_list(TEXT), "Names of subgroups to combine."),
)
LIMIT: Final = _table(
    name=Key(TEXT, "Short name, used in the evidence.", True, 'name = "hours"'),
    label=Key(TEXT, "Words for the report."),
    actions=Key(
        _either("a list of actions, or a table action = what it uses", _list(TEXT), _map(NUMBER)),
        "Actions that use the resource; a table says how much of it each uses.",
        True,
        'actions = ["call"]',
    ),
    per_period=Key(NUMBER, "Units of the resource per period."),
    share=Key(NUMBER, "Units of the resource per unit decided, instead of 'per_period'."),
    subgroup=Key(TEXT, "Name of a subgroup: the limit holds in each of its groups."),
    group=Key(TEXT, "One group of the subgroup: the limit holds there only."),
    resource=Key(TEXT, "What one unit of the resource is called, in the singular: hour."),
)
CONSTRAINT: Final = _table(
    name=Key(TEXT, "Short name, used in the evidence.", True, 'name = "north"'),
    label=Key(TEXT, "Words for the report."),
    kind=Key(_choice(*CONSTRAINTS), "At least, at most, or largest gap.", True, 'kind = "floor"'),
    share=Key(NUMBER, "Share of units acted on, or gap of shares, 0 to 1.", True, "share = 0.1"),
    actions=Key(_list(TEXT), "Actions counted together; all but doing nothing if left out."),
    subgroup=Key(TEXT, "Name of a subgroup: holds in each of its groups, or between them."),
    group=Key(TEXT, "One group of the subgroup: the constraint holds there only."),
)
LIST_CONSTRAINT: Final = _table(
    measure=Key(TEXT, "The measure of lists, by name.", True, 'measure = "coverage"'),
    at_least=Key(NUMBER, "Least it may be."),
    at_most=Key(NUMBER, "Most it may be."),
    reason=Key(TEXT, "Why, for the record.", True, 'reason = "small suppliers must be seen"'),
)
EXCLUSIONS: Final = _map(TEXT)
#: Kinds of decision whose unit is a row.
ROWS: Final = tuple(k for k in KINDS if k != "recommend")
MOMENT: Final = _either("a date in quotes or a number", TEXT, NUMBER)
WHERE_ROWS: Final = {
    "source": Key(TEXT, "File or pattern of files: CSV, Parquet, Arrow."),
    "query": Key(TEXT, "SQL that yields the rows, instead of 'source'."),
    "database": Key(TEXT, "DuckDB file or postgresql:// address for 'query'."),
}
RECOMMEND: Final = {
    "interactions": Key(
        _table(
            **WHERE_ROWS,
            user=Key(TEXT, "Column of who.", True, 'user = "customer_id"'),
            item=Key(TEXT, "Column of with what.", True, 'item = "sku"'),
            time=Key(TEXT, "Column of when.", True, 'time = "bought_at"'),
            quantity=Key(TEXT, "Column of pieces; 1 when left out."),
            price=Key(TEXT, "Column of money per piece."),
            value=Key(TEXT, "Column of money of the row; price x quantity when left out."),
            margin=Key(MONEY, "Money the owner keeps of the row."),
            cancelled=Key(TEXT, "Condition of rows that take a purchase back."),
            where=Key(TEXT, "Condition of the rows that count."),
            part=Key(TEXT, "Column that holds fit, choose or judge."),
            duplicates=Key(_choice(*DUPLICATES), "What is done with rows that repeat another."),
            exclude=Key(EXCLUSIONS, "Pattern of item ids = why it is no product."),
        ),
        "Who bought what, when, for how much; for kind = 'recommend'.",
        True,
        "[interactions]",
        ("recommend",),
    ),
    "items": Key(
        _table(
            **WHERE_ROWS,
            id=Key(TEXT, "Column that names the item.", True, 'id = "sku"'),
            **{"from": Key(TEXT, "Column: in the catalogue from.")},
            until=Key(TEXT, "Column: in the catalogue until."),
            where=Key(TEXT, "Condition of items that can be shown; others are left out."),
        ),
        "One row per item: its attributes, and when it is in the catalogue.",
    ),
    "users": Key(
        _table(
            **WHERE_ROWS,
            id=Key(TEXT, "Column that names the user.", True, 'id = "customer_id"'),
            exclude=Key(EXCLUSIONS, "Pattern of user ids = why they take no part."),
        ),
        "One row per user: its attributes.",
    ),
    "stock": Key(
        _table(
            **WHERE_ROWS,
            item=Key(TEXT, "Column that names the item.", True, 'item = "sku"'),
            **{"from": Key(TEXT, "Column: can be delivered from.")},
            until=Key(TEXT, "Column: can be delivered until."),
        ),
        "When each item can be delivered: one row per item and stretch of time.",
    ),
    "list": Key(
        _table(
            length=Key(WHOLE, "Items shown."),
            repeats=Key(FLAG, "Whether an item the user has may be shown again."),
            shown_to=Key(_choice(*SHOWN_TO), "Whom lists are judged on: active, or all known."),
            filter=Key(TEXT, "Condition over attributes of items that a list may show."),
            at_most=Key(_map(WHOLE), "Attribute of items = how many of a list may share it."),
            item_groups=Key(_list(TEXT), "Attributes of items by which exposure is reported."),
            explore=Key(NUMBER, "Share of lists in which one place is left to chance."),
            cpu_hour=Key(NUMBER, "Money per processor hour."),
            fits_per_period=Key(NUMBER, "How often the model is fitted anew per period."),
            constraints=Key(_list(LIST_CONSTRAINT), "What the recommended lists must keep to."),
        ),
        "What is shown.",
    ),
}

DECISION_FILE: Final[Mapping[str, Key]] = MappingProxyType(
    {
        "schema_version": Key(WHOLE, "Version of this file format: 1.", True, "schema_version = 1"),
        "decision": Key(
            _table(
                name=Key(TEXT, "Short name, used in file names.", True, 'name = "calls"'),
                title=Key(TEXT, "The decision as a question or heading."),
                kind=Key(
                    _choice(*KINDS),
                    "tabular, text, recommend: learnt here; predictions: made elsewhere.",
                ),
                unit=Key(TEXT, "What one row is, in the singular: customer, order, claim."),
                currency=Key(TEXT, "Currency of all money.", True, 'currency = "EUR"'),
                period=Key(_choice(*PERIODS), "Period that reported money is for."),
                volume=Key(NUMBER, "Units that come up per period; without it, per 1,000 units."),
                model_cost=Key(NUMBER, "Money per period that using a model costs."),
                do_nothing=Key(TEXT, "The action that leaves things as they are."),
                positive=Key(TEXT, "With two outcomes, the one that scores speak of."),
                owner=Key(TEXT, "Who owns the decision."),
                approver=Key(TEXT, "Who may approve its deployment."),
                review_by=Key(TEXT, "When it must be looked at again."),
            ),
            "What is decided, in which money and period.",
            True,
            "[decision]",
        ),
        "data": Key(
            _table(
                **WHERE_ROWS,
                outcome=Key(TEXT, "Column with what happened.", True, 'outcome = "y"'),
                unit_id=Key(TEXT, "Column that names the unit; must be unique."),
                cluster=Key(TEXT, "Column of whom the rows belong to; resampled together."),
                time=Key(TEXT, "Column of when the decision was due."),
                weight=Key(TEXT, "Column of sample weights."),
                part=Key(TEXT, "Column that holds fit, choose or judge."),
                text=Key(_list(TEXT), "Columns that hold documents, for kind = 'text'."),
                features=Key(_list(TEXT), "Columns a model may use; all others when left out."),
                exclude=Key(EXCLUSIONS, "Column = reason it may not be used (leakage, law)."),
                known_later=Key(EXCLUSIONS, "Column = reason; money may read it, models may not."),
            ),
            "Where the rows are and what their columns mean.",
            True,
            "[data]",
            ROWS,
        ),
        "outcomes": Key(
            _map(OUTCOME),
            "What can happen: name = value of the outcome column.",
            True,
            "[outcomes]",
            ROWS,
        ),
        "actions": Key(_map(ACTION), "What can be done: name = label.", True, "[actions]", ROWS),
        "payoffs": Key(
            _map(_map(CELL)),
            "Money of each action under each outcome; gain is positive.",
            True,
            "[payoffs.call]",
            ROWS,
        ),
        **RECOMMEND,
        "subgroups": Key(_list(SUBGROUP), "Groups the report shows apart."),
        "limits": Key(_list(LIMIT), "Resources that actions use up: hours, visits, places."),
        "constraints": Key(_list(CONSTRAINT), "Floors, caps and gaps of the share acted on."),
        "current_rule": Key(
            _table(
                label=Key(TEXT, "Words for the report."),
                cases=Key(_list(CASE), "Conditions tried in order."),
                otherwise=Key(TEXT, "Action where no condition holds."),
                column=Key(TEXT, "Column that holds the action taken, instead of conditions."),
            ),
            "What is done today.",
        ),
        "text": Key(
            _table(
                redact=Key(FLAG, "Replace personal data before anything reads the documents."),
                names=Key(TEXT, "Registered finder of names of persons, which are replaced too."),
                keep=Key(_list(TEXT), "Handles that are no person's and stay, such as '@acme'."),
                twins=Key(_choice(*TWINS), "What the split does with near copies."),
                similarity=Key(NUMBER, "Share of common shingles from which two are twins."),
                languages=Key(_list(TEXT), "Languages expected, as ISO 639 codes."),
                longest=Key(WHOLE, "Characters of one document; a longer one is refused."),
                unfamiliar=Key(NUMBER, "Share of documents that belong taken for strangers."),
                themes=Key(
                    _either("'auto' or a whole number", _choice("auto"), WHOLE),
                    "Themes to learn: auto, at most a number, or 0 for none.",
                ),
                slices=Key(_list(_choice(*SLICES)), "Groups judged beside the declared ones."),
                excerpts=Key(FLAG, "Whether reports may show stretches of documents."),
                behaviour=Key(FLAG, "Whether documents are changed and decided again."),
            ),
            "How documents are read, for kind = 'text'.",
        ),
        "multilabel": Key(
            _table(
                names=Key(_list(TEXT), "Labels that are decided about."),
                columns=Key(_map(TEXT), "Label = its column of true and false, instead."),
                separator=Key(TEXT, "What stands between labels in the outcome column."),
                empty=Key(_choice(*EMPTY), "What an empty cell means."),
                others=Key(_choice(*OTHERS), "What is done with labels that are not named."),
                column=Key(TEXT, "Name under which money and rules read the label."),
                documents=Key(NUMBER, "Documents that come up per period, instead of volume."),
            ),
            "Labels of documents that may carry several, each a yes/no decision.",
        ),
        "past": Key(
            _table(
                action=Key(TEXT, "Column with the action taken.", True, 'action = "segment"'),
                values=Key(_map(SCALAR), "action = its value in that column."),
                randomised=Key(FLAG, "true: chance alone chose the action."),
                shares=Key(_map(NUMBER), "action = probability with which chance chose it."),
                propensity=Key(TEXT, "Column: probability of the action taken."),
                outcomes_known=Key(_list(TEXT), "Actions under which outcomes were recorded."),
            ),
            "What was done in the past, and how it was chosen.",
        ),
        "automation": Key(
            _table(
                max_error=Key(
                    NUMBER, "Largest error rate among automated units.", True, "max_error = 0.02"
                ),
                confidence=Key(NUMBER, "How sure that must be."),
                otherwise=Key(TEXT, "Action for all other units; the only review if left out."),
            ),
            "Act automatically only at a guaranteed error rate.",
        ),
        "predictions": Key(
            _table(
                probability=Key(_map(TEXT), "outcome = column of its probability."),
                score=Key(TEXT, "Column of one score; higher means the positive outcome."),
                action=Key(TEXT, "Column of the action chosen elsewhere."),
            ),
            "Columns of predictions made elsewhere, for 'payoff judge'.",
        ),
        "split": Key(
            _table(
                method=Key(_choice(*SPLITS), "auto: by time, else cluster, else at random."),
                fit=Key(NUMBER, "Share of rows that fit models."),
                choose=Key(NUMBER, "Share of rows that choose calibration and policy."),
                judge=Key(NUMBER, "Share of rows that judge; they do nothing else."),
                choose_from=Key(MOMENT, "Interactions: the choosing part starts here."),
                judge_from=Key(MOMENT, "Interactions: the judging part starts here."),
                judge_until=Key(MOMENT, "Interactions: the judging part ends before."),
            ),
            "How rows get their part.",
        ),
        "training": Key(
            _table(
                candidates=Key(_list(TEXT), "Models to try, by name or scikit-learn path."),
                folds=Key(WHOLE, "Folds of the cross-fitting."),
                calibration=Key(_choice("auto", "raw", "sigmoid", "isotonic"), "auto: by evidence"),
                seed=Key(WHOLE, "Seed of everything random."),
            ),
            "How models are searched.",
        ),
        "evidence": Key(
            _table(
                level=Key(NUMBER, "Confidence level of intervals."),
                smallest_group=Key(WHOLE, "Groups with fewer rows are not shown."),
                smallest_denominator=Key(
                    WHOLE, "Rates of a group among fewer rows are not estimated."
                ),
                margin=Key(NUMBER, "Money per period by which it may be worse and still pass."),
            ),
            "How the policy is judged.",
        ),
    }
)


def read(value: Any, kind: Kind, path: str) -> Any:
    """Check a TOML value against its kind and return it unchanged.

    Raises
    ------
    DeclarationError
        ``PAY-D003`` unknown key, ``PAY-D004`` missing key, ``PAY-D005`` wrong type.
    """
    if kind.either:
        for option in kind.either:
            if _is_a(value, option):
                return read(value, option, path)
        raise DeclarationError.wrong_type(path, value, kind.need)
    if not _is_a(value, kind):
        raise DeclarationError.wrong_type(path, value, kind.need)
    if kind.keys:
        _read_keys(value, kind.keys, path)
    elif kind.values is not None:
        for name, inner in value.items():
            read(inner, kind.values, f"{path}.{name}")
    elif kind.items is not None:
        for number, inner in enumerate(value):
            read(inner, kind.items, f"{path}[{number}]")
    elif "enum" in kind.schema and value not in kind.schema["enum"]:
        raise DeclarationError.bad_value(path, value, kind.need)
    return value


def _is_a(value: Any, kind: Kind) -> bool:
    if isinstance(value, bool):
        return bool in kind.types
    return isinstance(value, kind.types)


def _read_keys(
    value: Mapping[str, Any], keys: Mapping[str, Key], path: str, kind: str | None = None
) -> None:
    prefix = f"{path}." if path else ""
    for name in value:
        if name not in keys:
            tables = {t: k.kind.keys for t, k in DECISION_FILE.items() if k.kind.keys}
            near = meant(prefix + name, keys, tables)
            raise DeclarationError.unknown_key(prefix + name, keys, near)
    for name, key in keys.items():
        if name in value:
            read(value[name], key.kind, prefix + name)
        elif key.required and (kind is None or not key.kinds or kind in key.kinds):
            raise DeclarationError.missing_key(prefix + name, key.meaning.rstrip("."), key.example)


def read_file_keys(value: Mapping[str, Any]) -> None:
    """Check a whole decision file: which tables it needs depends on the kind of decision."""
    declared = value.get("decision")
    kind = declared.get("kind", "tabular") if isinstance(declared, dict) else "tabular"
    recommends = kind == "recommend"
    _read_keys(value, DECISION_FILE, "", "recommend" if recommends else "tabular")
    for name in PARTLY if recommends else (n for n in RECOMMEND):
        if name in value:
            raise DeclarationError.bad_value(
                name,
                said(f"[{name}] beside kind = {show(kind)}"),
                "the tables of this kind of decision"
                if recommends
                else "kind = 'recommend' in [decision]",
                "Remove it: rows are declared in [interactions], money in [payoffs.show]"
                if recommends
                else "Set the kind, or remove the table",
            )
