"""Calibration in money, on the analyst's page: the isotonic curve, its split, what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payoff.report import blocks, wording
from payoff.report.escape import visible
from payoff.report.facts import Facts

__all__ = ["calibration_in_money", "reliability_curve"]


def reliability_curve(facts: Facts, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the reliability drawing adds: the isotonic curve and the band around it."""
    curve = (found.get("corp") or {}).get("curve") or []
    if not curve:
        return {}
    return {
        "line": curve,
        "line_label": f"isotonic curve (band: where right probabilities lie, {facts.level})",
    }


def calibration_in_money(facts: Facts, found: Mapping[str, Any]) -> list[blocks.Block]:
    """Return the split of the scores, and what recalibrating and a better model are worth."""
    made = [blocks.text(visible(s, 400)) for s in found.get("sentences", ())]
    corp = found.get("corp")
    if corp:
        rows = [
            [label, *(f"{corp[name][key]:.4g}" for key in _PARTS)]
            for name, label in (("brier", "Brier score"), ("log_loss", "Log loss"))
        ]
        made.append(
            blocks.table(
                f"Each score is miscalibration less discrimination plus uncertainty, on "
                f"{wording.number(float(found.get('n') or 0), 0)} rows",
                ["Score", "Total", "Miscalibration", "Discrimination", "Uncertainty"],
                rows,
                note=f"As much miscalibration comes by chance in {_chance(corp['p_value'])} of "
                f"{corp['simulations']} draws from the probabilities themselves.",
            )
        )
    pairs: list[tuple[str, str]] = []
    again = found.get("recalibrating") or {}
    if "difference" in again:
        told = wording.figure(again["difference"], plus=True)
        said = f"{told['text']} ({told['interval']}); {wording.share(again['differ'])} treated "
        pairs.append(("Recalibrating would have earned", said + "otherwise"))
    elif "not_measured" in again:
        made.append(blocks.absent("Recalibrating", str(again["not_measured"])))
    better = found.get("better_model") or {}
    if "most" in better:
        told = wording.figure(better["most"])
        pairs.append(("A perfect model would earn more by", f"{told['text']} ({told['interval']})"))
        groups = better["groups"] if isinstance(better["groups"], list) else []
        for one in groups:
            told = wording.figure(one["difference"], plus=True)
            name = visible(one["subgroup"], 40)
            pairs.append(
                (f"Moving the odds within each {name}", f"{told['text']} ({told['interval']})")
            )
    elif "not_measured" in better:
        made.append(blocks.absent("A perfect model", str(better["not_measured"])))
    for key, label in (("probability", "probabilities"), ("amount", "amounts")):
        part = (found.get("parts") or {}).get(key)
        if part:
            told = wording.figure(part, plus=True)
            pairs.append(
                (f"Realised less promised, from {label}", f"{told['text']} ({told['interval']})")
            )
    return [*made, blocks.facts(pairs)] if pairs else made


_PARTS = ("score", "miscalibration", "discrimination", "uncertainty")


def _chance(p: float) -> str:
    return wording.chance(p)
