"""The engineer's page: how the figures were made, and how to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts
from payoff.report.listing import cost_section
from payoff.report.manager import limits
from payoff.report.measures import PARTS

__all__ = ["engineer_sections", "flat"]

_MOST: Final = 40
_STATUS: Final = {
    "issue": "✕ issue",
    "tip": "! tip",
    "passed": "✓ passed",
    "not_applicable": "/ not applicable",
    "skipped": "○ skipped",
}
_ORDER: Final = ("issue", "tip", "passed", "skipped", "not_applicable")
_METHODS: Final = {
    "time": "by time: the past to learn from, later rows to judge",
    "cluster": "by cluster: rows that belong together stay together",
    "random": "at random",
    "column": "by a column of the data",
    "none": "not split",
    "cross-fit": "cross-fitted: each row is scored by a model that has not seen it",
}
_CHOSEN: Final = (
    "Cross-fitted value: the rows are cut into folds; each fold is decided by a model fitted on "
    "the others, and the money of all folds is averaged. The candidate is chosen by money, not by "
    "accuracy, and never by the rows that judge."
)
_CHOSEN_LISTS: Final = (
    "Each candidate learnt from the fitting part and listed for the users of the choosing part; "
    "the one whose lists earned most there is chosen, among those that keep to the constraints. "
    "What is judged was then fitted again on both parts with the same settings."
)
_REPRODUCE: Final = "payoff run decision.toml"


def engineer_sections(facts: Facts, bundle: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the sections of the engineer's page."""
    return [
        _split(facts),
        *_model(facts),
        *cost_section(facts),
        _checks(facts),
        _reproduce(facts, bundle),
        blocks.section("e-limits", "Limits", [blocks.items(limits(facts))]),
    ]


def flat(value: Any, most: int = 300) -> str:
    """Write a value of a setting on one line.

    Examples
    --------
    >>> flat({"a": 1, "b": [1.5, True]})
    'a = 1, b = 1.5; yes'
    """
    if isinstance(value, Mapping):
        return visible(", ".join(f"{k} = {flat(v)}" for k, v in sorted(value.items())), most)
    if isinstance(value, list | tuple):
        return visible("; ".join(flat(v) for v in value), most)
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return visible(f"{value:g}")
    return visible(value, most)


def _split(facts: Facts) -> dict[str, Any]:
    split: Mapping[str, Any] = facts.evidence.data.get("split", {})
    method = str(split.get("method") or "none")
    parts: Mapping[str, Any] = split.get("parts", {})
    rows = [
        [PARTS.get(name, visible(name)), wording.number(float(part.get("n") or 0), 0)]
        for name, part in sorted(parts.items(), key=_place)
    ]
    made: list[blocks.Block] = [
        blocks.facts(
            [
                ("Method", _METHODS.get(method, visible(method))),
                ("Why", visible(split.get("reason") or "", 400)),
            ]
        ),
        blocks.text(
            "Figures made from rows the model has seen would flatter it, so the rows that judge "
            "must take no part in learning or choosing."
            + (
                " Here that rests on the word of whoever made the predictions."
                if method == "none"
                else ""
            ),
            "term",
        ),
    ]
    if rows:
        made.insert(1, blocks.table("Rows in each part", ["Part", "Rows"], rows))
    return blocks.section("e-split", "How the rows were split", made)


def _place(item: tuple[str, Any]) -> tuple[int, str]:
    known = list(PARTS)
    return (known.index(item[0]) if item[0] in known else len(known), item[0])


def _model(facts: Facts) -> list[dict[str, Any]]:
    model = facts.evidence.model
    why = blocks.missing_of(model)
    if why is not None:
        return [blocks.section("e-model", "The model", [blocks.absent("The model", why)])]
    return [
        blocks.section("e-choice", "How the model was chosen", _candidates(facts, model)),
        blocks.section("e-calibration", "How probabilities were made", _calibration(model)),
        blocks.section("e-model", "The model", _description(model)),
    ]


def _candidates(facts: Facts, model: Mapping[str, Any]) -> list[blocks.Block]:
    found = list(model.get("candidates", ()))[:_MOST]
    strong = [i for i, c in enumerate(found) if c.get("chosen")]
    rows = [_candidate(c) for c in found]
    unit = next((_candidate_value(c)["unit"] for c in found), "money")
    made: list[blocks.Block] = []
    if rows:
        made.append(
            blocks.table(
                f"Candidates by {_measured_by(facts)}, with {facts.level} interval",
                [
                    "Candidate",
                    "Why it was or was not chosen",
                    visible(unit),
                    "nDCG" if facts.lists else "Log loss",
                ],
                rows,
                left=2,
                strong=strong,
            )
        )
        made.append(blocks.text(_CHOSEN_LISTS if facts.lists else _CHOSEN, "term"))
    else:
        made.append(blocks.text(f"One model, no candidates: {visible(model.get('label'))}."))
    failures = [
        [visible(f.get("name")), visible(f.get("reason"), 300)] for f in model.get("failures", ())
    ][:_MOST]
    if failures:
        made.append(
            blocks.table(
                "Candidates left out" if facts.lists else "Candidates that could not be fitted",
                ["Candidate", "Reason"],
                failures,
                left=2,
            )
        )
    return made


def _measured_by(facts: Facts) -> str:
    return "money on the choosing part" if facts.lists else "cross-fitted value"


def _candidate_value(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Read a candidate's value: an estimate, or a bare number with its unit beside it."""
    value = candidate.get("value")
    if value is None or isinstance(value, Mapping):
        return dict(value or {"unit": candidate.get("unit") or "money"})
    return {
        "value": value,
        "unit": candidate.get("unit") or "money",
        "reason": "see the difference",
    }


def _candidate(candidate: Mapping[str, Any]) -> list[Any]:
    told = wording.figure(_candidate_value(candidate))
    label = visible(candidate.get("label") or candidate.get("name"))
    difference = candidate.get("difference_to_best")
    reason = visible(candidate.get("reason") or "", 240)
    if not reason and candidate.get("chosen"):
        reason = "the most money, or as much with a simpler model"
    elif not reason and difference is not None:
        error = wording.plain_number(candidate.get("standard_error"))
        reason = f"{wording.number(difference)} against the best, standard error {error}"
    return [
        blocks.cell(label, "chosen" if candidate.get("chosen") else ""),
        reason or "no reason stated",
        blocks.cell(told["short"], told["ends"] if told["low"] is not None else ""),
        wording.plain_number(candidate.get("ndcg", candidate.get("log_loss"))),
    ]


def _calibration(model: Mapping[str, Any]) -> list[blocks.Block]:
    found: Mapping[str, Any] = model.get("calibration") or {}
    if not found:
        return [blocks.absent("Calibration of the scores", "the evidence does not hold it")]
    made: list[blocks.Block] = [
        blocks.facts(
            [
                ("Method", visible(found.get("kind") or "")),
                ("Why", visible(found.get("reason") or "", 400)),
            ]
        )
    ]
    tried = list(found.get("kinds", ()))[:_MOST]
    if tried:
        keys = sorted(k for k in tried[0] if k != "kind")[:4]
        rows = [[visible(t.get("kind")), *(_value(t.get(k)) for k in keys)] for t in tried]
        made.append(
            blocks.table(
                "Ways of turning scores into probabilities, compared by cross-fitting",
                ["Method", *[wording.opening(visible(k).replace("_", " ")) for k in keys]],
                rows,
            )
        )
    amounts = list(model.get("amounts", ()))[:_MOST]
    if amounts:
        made.append(
            blocks.table(
                "Models of amounts that are known only later",
                ["Amount", "Details"],
                [
                    [visible(a.get("column")), flat({k: v for k, v in a.items() if k != "column"})]
                    for a in amounts
                ],
                left=2,
            )
        )
    return made


def _value(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return wording.plain_number(value) if is_number else flat(value)


def _description(model: Mapping[str, Any]) -> list[blocks.Block]:
    found: Mapping[str, Any] = model.get("description") or {}
    made: list[blocks.Block] = [
        blocks.facts(
            [
                ("Model", visible(model.get("label") or model.get("name") or "")),
                *[
                    (wording.opening(visible(k).replace("_", " ")), _short(v))
                    for k, v in sorted(found.items())[:_MOST]
                    if k not in ("features", "themes")  # each has a section of its own
                ],
            ]
        )
    ]
    features = list(found.get("features", ()))
    if features:
        rows = [
            [
                visible(f.get("name") or f.get("feature"), 80),
                visible(f.get("type") or "not stated"),
                wording.plain_number(f.get("importance")),
            ]
            for f in features[:_MOST]
        ]
        hidden = len(features) - len(rows)
        made.append(
            blocks.table(
                "Columns the model reads",
                ["Column", "Type", "Importance"],
                rows,
                left=2,
                note=f"{hidden} more in the evidence file." if hidden else "",
            )
        )
        made.append(
            blocks.text(
                "Importance: how much the model uses a column, not what the column causes.", "term"
            )
        )
    return made


def _short(value: Any) -> str:
    """Write a setting, or say where it stands when it is too long to be read here."""
    said = flat(value, 2_000)
    return said if len(said) <= 400 else "too long for this page; it stands in the evidence file"


def _checks(facts: Facts) -> dict[str, Any]:
    checks = sorted(
        facts.evidence.checks,
        key=lambda c: (_ORDER.index(c.status) if c.status in _ORDER else 9, c.code),
    )
    if not checks:
        return blocks.section("e-checks", "Checks", [blocks.absent("Checks", "none was run")])
    rows: list[list[Any]] = []
    for c in checks[: 2 * _MOST]:
        detail = visible(c.detail or "nothing to add", 400)
        rows.append(
            [
                visible(c.code),
                _STATUS.get(c.status, visible(c.status)),
                visible(c.title),
                blocks.cell(detail, visible(c.mend, 300)),
            ]
        )
    strong = [i for i, c in enumerate(checks) if c.status == "issue"]
    return blocks.section(
        "e-checks",
        "Checks",
        [
            blocks.table(
                "Every check with its result",
                ["Code", "Result", "Question", "Finding and remedy"],
                rows,
                left=4,
                strong=strong,
            )
        ],
    )


def _reproduce(facts: Facts, bundle: Mapping[str, Any] | None) -> dict[str, Any]:
    evidence = facts.evidence
    known = dict(bundle or {})
    command = visible(known.pop("reproduce", "") or _REPRODUCE, 400)
    pairs = [
        ("Seed of all random draws", visible(evidence.seed)),
        ("Rows (SHA-256)", visible(evidence.data.get("fingerprint") or "")),
        ("Form of the evidence", f"version {evidence.schema_version}"),
        *[(f"Made with {visible(k)}", visible(v)) for k, v in sorted(evidence.made_with.items())],
        *[(f"Bundle: {visible(k)}", flat(v)) for k, v in sorted(known.items())[:_MOST]],
    ]
    return blocks.section(
        "e-reproduce",
        "How to make this again",
        [
            blocks.text(
                "Same rows, same decision file, same seed and same versions give the same "
                "bytes. The seed stands in the decision file or is given to the command."
            ),
            blocks.code(command),
            blocks.facts(pairs),
        ],
    )
