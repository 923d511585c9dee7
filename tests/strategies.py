"""Shared hypothesis strategies: odd names, expressions, whole decisions, small tables."""

from __future__ import annotations

import math
from functools import cache

from hypothesis import strategies as st

from payoff.declare import (
    PERIODS,
    Action,
    Capacity,
    Case,
    Cell,
    Constraint,
    CurrentRule,
    Data,
    Decision,
    EvidenceSettings,
    Limit,
    Outcome,
    PayoffTable,
    Predictions,
    Review,
    Split,
    Subgroup,
    Training,
)
from payoff.declare import expression as ex

# ------------------------------------------------------------------------------------ names

_LETTERS = "abXYZéßΩж客"
names = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(_LETTERS),
    st.text(alphabet=_LETTERS + "0123456789_- ", max_size=8),
)
#: Text as files and forms bring it: quotes, braces, controls, bidi, markup, line ends.
odd_text = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(
        [
            "a.b",
            "{x}",
            'say "no"',
            "it's",
            "a\nb",
            "a\x1b[31m",
            "\u202eabc",
            "</script>",
            "\\",
            "null",
        ]
    ),
)
columns = odd_text.filter(lambda t: t != "")

# ------------------------------------------------------------------------------ expressions

numbers = st.one_of(
    st.integers(-1000, 1000).map(float),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: 0.0 if v == 0 else v),
)
texts = st.sampled_from(["a", "b", "it's", "", "A"])


@st.composite
def expressions(draw, number_columns, text_columns, *, depth: int = 4, exact: bool = False):
    """Expressions of number, by kind; ``exact`` leaves out what no two libraries round alike."""
    return draw(_number(tuple(number_columns), tuple(text_columns), depth, exact))


@cache
def _number(number_columns, text_columns, depth, exact):
    leaves = st.one_of(
        numbers.map(ex.Number),
        st.sampled_from([ex.Column(c) for c in number_columns]),
        st.sampled_from([ex.Column(c) for c in number_columns]),
    )
    if depth <= 0:
        return leaves
    inner = st.deferred(lambda: _number(number_columns, text_columns, depth - 1, exact))
    when = st.deferred(lambda: _condition(number_columns, text_columns, depth - 1, exact))
    one = ["abs", "ceil", "floor", "sqrt", "ln"] + ([] if exact else ["exp"])
    return st.one_of(
        leaves,
        st.builds(ex.Binary, st.sampled_from("+-*/"), inner, inner),
        st.builds(ex.Unary, st.just("-"), inner.filter(lambda n: not isinstance(n, ex.Number))),
        st.builds(lambda f, x: ex.Call(f, (x,)), st.sampled_from(one), inner),
        st.builds(
            lambda f, xs: ex.Call(f, tuple(xs)),
            st.sampled_from(["coalesce", "greatest", "least"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.builds(
            lambda x, d: ex.Call("round", (x,) if d is None else (x, ex.Number(float(d)))),
            leaves,
            st.one_of(st.none(), st.integers(0, 3)),
        ),
        st.builds(
            lambda branches, other: ex.Case(tuple(branches), other),
            st.lists(st.tuples(when, inner), min_size=1, max_size=2),
            st.one_of(inner, st.just(ex.Null())),
        ),
    )


@st.composite
def conditions(draw, number_columns, text_columns, *, depth: int = 3, exact: bool = False):
    """Expressions that are true, false or missing."""
    return draw(_condition(tuple(number_columns), tuple(text_columns), depth, exact))


@cache
def _condition(number_columns, text_columns, depth, exact):
    number = _number(number_columns, text_columns, max(0, min(depth, 1)), exact)
    text = st.one_of(texts.map(ex.Text), st.sampled_from([ex.Column(c) for c in text_columns]))
    compare = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    leaves = st.one_of(
        st.booleans().map(ex.Boolean),
        st.builds(ex.Binary, compare, number, number),
        st.builds(ex.Binary, compare, text, text),
        st.builds(
            lambda x, xs, no: ex.In(x, tuple(xs), no),
            number,
            st.lists(number, min_size=1, max_size=3),
            st.booleans(),
        ),
        st.builds(
            lambda x, xs, no: ex.In(x, tuple(xs), no),
            text,
            st.lists(text, min_size=1, max_size=3),
            st.booleans(),
        ),
        st.builds(ex.IsNull, st.one_of(number, text), st.booleans()),
        st.builds(  # between, as the parser writes it
            lambda x, a, b: ex.Binary("and", ex.Binary(">=", x, a), ex.Binary("<=", x, b)),
            number,
            number,
            number,
        ),
    )
    if depth <= 0:
        return leaves
    inner = st.deferred(lambda: _condition(number_columns, text_columns, depth - 1, exact))
    return st.one_of(
        leaves,
        st.builds(ex.Binary, st.sampled_from(["and", "or"]), inner, inner),
        st.builds(ex.Unary, st.just("not"), inner.filter(lambda n: not _is_not(n))),
    )


def _is_not(node) -> bool:
    return isinstance(node, ex.Unary) and node.operator == "not"


# --------------------------------------------------------------------------------- decisions

_money = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda v: repr(v + 0.0)),
    expressions(["balance", "a.b", 'say "no"'], ["job", "it's"], depth=2).map(ex.render),
)
_scalars = st.one_of(odd_text, st.integers(-(2**63), 2**63 - 1), st.booleans(), numbers)


@st.composite
def _cells(draw):
    """Money with its source, and a range around it now and then."""
    money = draw(_money)
    cell = Cell(money=money, source=draw(odd_text))
    if not draw(st.booleans()):
        return cell
    constant = ex.constant_of(cell.node)
    size = 0.5 if constant is None else max(1.0, abs(constant))
    now = 1.0 if constant is None else constant
    shape = draw(st.sampled_from(["triangular", "uniform", "normal"]))
    return Cell(money=money, source=cell.source, low=now - size, high=now + size,
                distribution=shape)  # fmt: skip


@st.composite
def _shares(draw):
    first = draw(st.integers(10, 60))
    second = draw(st.integers(10, 30))
    return Split(
        method=draw(st.sampled_from(["auto", "time", "cluster", "random"])),
        fit=first / 100,
        choose=second / 100,
        judge=(100 - first - second) / 100,
    )


@st.composite
def decisions(draw) -> Decision:
    """Whole declarations, with odd names and every optional part now and then."""
    from payoff.declare.payoffs import value_key

    unique = st.lists(names, min_size=2, max_size=4, unique_by=str.casefold)
    actions, outcomes = draw(unique), draw(unique)
    count = st.lists(_scalars, min_size=len(outcomes), max_size=6, unique_by=value_key)
    values = draw(count)
    groups = [values[k :: len(outcomes)] for k in range(len(outcomes))]
    volume = draw(st.one_of(st.none(), st.integers(1, 10**6), st.floats(0.5, 1e6)))
    review = None
    if len(actions) > 2 and draw(st.booleans()):  # the last action is a review of the others
        review = Review(
            cost=draw(st.sampled_from(["4", "0.5", "balance * 0.01"])),
            errors={o: draw(st.sampled_from([0, 0.02, 0.5, 1])) for o in outcomes},
            right={o: draw(st.sampled_from(actions[:-1])) for o in outcomes},
            wrong={o: draw(st.sampled_from(actions[:-1])) for o in outcomes},
        )
    money = {
        (a, o): draw(_cells()) for a in (actions[:-1] if review else actions) for o in outcomes
    }
    outcome_column = draw(
        columns.filter(lambda c: c not in ("balance", "job", "a.b", "it's") and c != 'say "no"')
    )
    reasons = st.text("abc ", min_size=1).filter(str.strip)
    barred = draw(
        st.dictionaries(columns.filter(lambda c: c != outcome_column), reasons, max_size=3)
    )
    limits = [
        st.none(),
        st.builds(Capacity, share=st.floats(0, 1)),
        *([st.builds(Capacity, per_period=st.integers(0, 999))] if volume is not None else []),
    ]
    simple = draw(
        st.lists(
            st.builds(
                Subgroup,
                name=names,
                column=columns,
                bands=st.lists(
                    st.floats(-1e6, 1e6).map(lambda v: v + 0.0), max_size=3, unique=True
                ).map(lambda b: tuple(sorted(b))),
            ),
            max_size=3,
            unique_by=lambda s: s.name.casefold(),
        )
    )
    crossed = []
    if (
        len(simple) > 1
        and "crossed" not in {s.name.casefold() for s in simple}
        and draw(st.booleans())
    ):
        crossed = [Subgroup(name="crossed", intersect=tuple(s.name for s in simple[:2]))]
    resources = draw(
        st.lists(
            st.builds(
                Limit,
                name=names,
                label=odd_text,
                resource=odd_text,
                actions=st.dictionaries(
                    st.sampled_from(actions[1:]), st.sampled_from([1.0, 0.5, 3.0]), min_size=1
                ),
                share=st.floats(0, 10),
                subgroup=st.sampled_from([s.name for s in simple]) if simple else st.none(),
                group=st.one_of(st.none(), odd_text) if simple else st.none(),
            ),
            max_size=2,
            unique_by=lambda x: x.name.casefold(),
        )
    )
    taken = {x.name.casefold() for x in resources}
    rules = draw(
        st.lists(
            st.builds(
                Constraint,
                name=names.filter(lambda n: n.casefold() not in taken),
                label=odd_text,
                kind=st.sampled_from(["floor", "cap"]),
                share=st.floats(0, 1),
                actions=st.just((actions[1],)),
            ),
            max_size=2,
            unique_by=lambda x: x.name.casefold(),
        )
    )
    if simple and "gap" not in taken | {x.name.casefold() for x in rules}:
        gap = Constraint(
            name="gap", kind="max_gap", share=0.1, subgroup=simple[0].name, actions=(actions[0],)
        )
        rules += [gap] if draw(st.booleans()) else []
    rule = draw(
        st.one_of(
            st.none(),
            st.builds(CurrentRule, label=odd_text.filter(bool), column=st.just("what was done")),
            st.builds(
                CurrentRule,
                otherwise=st.sampled_from(actions),
                cases=st.lists(
                    st.builds(
                        Case,
                        when=conditions(["balance"], ["job"], depth=1).map(ex.render),
                        then=st.sampled_from(actions),
                    ),
                    min_size=1,
                    max_size=3,
                ).map(tuple),
            ),
        )
    )
    if "what was done" in barred:
        del barred["what was done"]
    return Decision(
        name=draw(names),
        currency=draw(st.sampled_from(["EUR", "USD", "£", "¥", "kr."])),
        title=draw(odd_text), unit=draw(odd_text), owner=draw(odd_text), approver=draw(odd_text),
        period=draw(st.sampled_from(PERIODS)), volume=volume,
        do_nothing=draw(st.one_of(st.none(), st.sampled_from(actions))),
        positive=draw(st.sampled_from(outcomes)),
        outcomes=tuple(
            Outcome(name=n, values=tuple(g), label=draw(odd_text))
            for n, g in zip(outcomes, groups, strict=True)
        ),
        actions=tuple(
            Action(
                name=n,
                label=draw(odd_text),
                capacity=draw(st.one_of(limits)) if n != actions[0] else None,
                fixed_cost=draw(st.sampled_from([0, 5, 2.5])) if volume is not None else 0.0,
                review=review if n == actions[-1] else None,
            )
            for n in actions
        ),
        limits=tuple(resources), constraints=tuple(rules),
        model_cost=0.0 if volume is None else draw(st.sampled_from([0, 100, 0.5])),
        payoffs=PayoffTable(cells=money),
        data=Data(
            source=draw(st.one_of(st.none(), odd_text)), outcome=outcome_column, exclude=barred,
            unit_id=draw(st.one_of(st.none(), columns)), time=draw(st.one_of(st.none(), columns)),
        ),
        subgroups=(*simple, *crossed), current_rule=rule, split=draw(_shares()),
        training=Training(
            candidates=("logistic",), folds=draw(st.integers(2, 50)),
            seed=draw(st.integers(0, 2**62)),
        ),
        evidence=EvidenceSettings(level=draw(st.sampled_from([0.9, 0.95, 0.99]))),
        predictions=Predictions(probability={outcomes[0]: draw(columns)}),
    )  # fmt: skip


#: Numbers of a small table: ordinary ones, halves for rounding, nulls, zero.
cells = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -0.5, -2.5, 0.125, 100.0]),
    st.floats(-1e4, 1e4, allow_nan=False).map(lambda v: v if math.isfinite(v) else 0.0),
)
