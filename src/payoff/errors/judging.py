"""Faults of fitting and of judging: ``PAY-T0xx`` and ``PAY-E0xx``."""

from __future__ import annotations

from collections.abc import Iterable

from payoff.errors.base import PayoffError
from payoff.errors.wording import counted, listed, nearest, plain, show

__all__ = ["EvidenceError", "TrainingError"]


class TrainingError(PayoffError):
    """No model can be fitted."""

    @classmethod
    def no_features(cls, why: str) -> TrainingError:
        """Nothing is left to learn from."""
        return cls(
            "no column is left to learn from",
            code="PAY-T001",
            got=plain(why),
            need="at least one feature with two different values",
            mend="Check 'features' and 'data.exclude' in the decision file",
        )

    @classmethod
    def bad_candidate(cls, name: str, why: str, known: Iterable[str]) -> TrainingError:
        """A candidate's name is not known or cannot be used."""
        near = nearest(name, known)
        return cls(
            "a candidate model cannot be used",
            code="PAY-T002",
            where="key training.candidates",
            got=f"{show(name)}: {plain(why)}",
            need=f"one of {listed(known)}, or a scikit-learn classifier such as "
            "'sklearn.ensemble.RandomForestClassifier'",
            mend=f"Did you mean {show(near)}?" if near else "Name another candidate",
        )

    @classmethod
    def not_portable(cls, name: str, why: str) -> TrainingError:
        """The model cannot be written as data, so it cannot be bundled."""
        return cls(
            "this model cannot be saved as data",
            code="PAY-T003",
            got=f"{show(name)}: {plain(why)[:300]}",
            need="a model that converts to ONNX (payoff never loads pickles)",
            mend="Use another candidate, or judge its predictions with 'payoff judge'",
        )

    @classmethod
    def bad_plugged(cls, name: str, why: str, need: str) -> TrainingError:
        """A registered embedding or vectoriser cannot be used."""
        return cls(
            "a registered embedding or vectoriser cannot be used",
            code="PAY-T005",
            where=f"registered as {show(name)}",
            got=plain(why)[:300],
            need=need,
            mend="Register one that does (payoff.register_embedding, payoff.register_vectoriser)",
        )

    @classmethod
    def bad_plugged_recommender(cls, name: str, why: str, need: str) -> TrainingError:
        """A registered recommender cannot be used."""
        return cls(
            "a registered recommender cannot be used",
            code="PAY-T005",
            where=f"registered as {show(name)}",
            got=plain(why)[:300],
            need=need,
            mend="Register one that does (payoff.register_recommender)",
        )

    @classmethod
    def unknown_recommender(cls, name: str, known: Iterable[str]) -> TrainingError:
        """A recommender that neither payoff has nor anybody registered."""
        known = list(known)
        near = nearest(name, known)
        return cls(
            "a candidate model cannot be used",
            code="PAY-T002",
            where="key training.candidates",
            got=f"{show(name)}: no recommender of this name",
            need=f"one of {listed(known, 20)}, or one registered with payoff.register_recommender",
            mend=f"Did you mean {show(near)}?" if near else "Name another candidate",
        )

    @classmethod
    def bad_names(cls, name: str, why: str, need: str) -> TrainingError:
        """A registered finder of names cannot be used."""
        return cls(
            "a registered finder of names cannot be used",
            code="PAY-T006",
            where=f"registered as {show(name)}",
            got=plain(why)[:300],
            need=need,
            mend="Register one that does (payoff.register_names)",
        )

    @classmethod
    def nothing_fitted(cls, reasons: Iterable[str]) -> TrainingError:
        """Every candidate failed."""
        return cls(
            "no candidate model could be fitted",
            code="PAY-T004",
            got="; ".join(plain(r) for r in reasons)[:600],
            need="at least one candidate that fits",
            mend="Read the reasons; 'payoff check' may name the column at fault",
        )

    @classmethod
    def too_large(cls, what: str, need: float, there: float, instead: str) -> TrainingError:
        """Fitting would need more memory than there is."""
        return cls(
            "this model does not fit into memory",
            code="PAY-T007",
            where=plain(what),
            got=f"{there / 1e6:,.0f} MB that may be used",
            need=f"{need / 1e6:,.0f} MB",
            mend=instead,
        )

    @classmethod
    def bad_interactions(cls, where: str, got: str, need: str, mend: str = "") -> TrainingError:
        """Arrays of interactions contradict each other."""
        return cls(
            "these interactions cannot be used",
            code="PAY-T008",
            where=where,
            got=plain(got),
            need=need,
            mend=mend or "Correct the arrays; payoff numbers users and items from 0",
        )


class EvidenceError(PayoffError):
    """These rows cannot judge this policy."""

    @classmethod
    def part_reused(cls, part: str, tuned_on: str) -> EvidenceError:
        """The rows that chose would also judge."""
        return cls(
            "the rows that chose this policy may not judge it",
            code="PAY-E001",
            got=f"rows of part {show(part)} for a policy tuned on {show(tuned_on)}",
            need="rows of part 'judge'",
            mend="Judge on rows that took no part in fitting or choosing",
        )

    @classmethod
    def bad_lists(cls, where: str, got: str, need: str) -> EvidenceError:
        """Ranked lists cannot be measured against what users did."""
        return cls(
            "these lists cannot be measured",
            code="PAY-E031",
            where=where,
            got=plain(got),
            need=need,
            mend="Rank every item the user could be shown, best first, and pad with -1",
        )

    @classmethod
    def sampled_ranking(cls, candidates: str) -> EvidenceError:
        """A list ranked among a sample of items measures another thing."""
        return cls(
            "a ranking among sampled items is not measured",
            code="PAY-E032",
            where="candidates",
            got=show(candidates),
            need="'full': every item that could be shown was ranked",
            mend="Rank the whole catalogue: among a sample a hit rate of .28 reads as .70, and the "
            "better of two models can come out as the worse",
        )

    @classmethod
    def no_contest(cls, got: str, need: str, mend: str = "") -> EvidenceError:
        """Several policies cannot be compared."""
        return cls(
            "these cannot be compared",
            code="PAY-E008",
            got=plain(got),
            need=need,
            mend=mend or "payoff compare BUNDLE BUNDLE, or NAME=COLUMN with --data and --decision",
        )

    @classmethod
    def bad_probabilities(cls, got: str, rows: int, need: str, mend: str) -> EvidenceError:
        """Predictions are not probabilities."""
        return cls(
            "the predicted probabilities cannot be used",
            code="PAY-E002",
            where=counted(rows, "row"),
            got=got,
            need=need,
            mend=mend,
        )

    @classmethod
    def unknown_action(
        cls, column: str, values: Iterable[object], rows: int, known: Iterable[str]
    ) -> EvidenceError:
        """The recorded action is not a declared one."""
        return cls(
            "the action column holds values that are not declared actions",
            code="PAY-E003",
            where=f"column {plain(column)}, {counted(rows, 'row')}",
            got=listed(values),
            need=f"one of {listed(known)}",
            mend="Declare the action, or correct the column",
        )

    @classmethod
    def no_predictions(cls, known: Iterable[str], wanted: str) -> EvidenceError:
        """No column holds scores, probabilities or actions."""
        return cls(
            "the file has no predictions that payoff recognises",
            code="PAY-E004",
            got=f"columns {listed(known)}",
            need=wanted,
            mend="Name the column with --probability, --score or --action, or under [predictions]",
        )

    @classmethod
    def needs_rows(cls, why: str) -> EvidenceError:
        """Sums over the rows cannot judge this decision."""
        return cls(
            "this decision cannot be judged from cells",
            code="PAY-E010",
            got=plain(why)[:400],
            need="figures that sums over cells of rows can give",
            mend="Judge the single rows with --rows, on a machine that can hold them",
        )

    @classmethod
    def unknown_group(
        cls, name: str, subgroup: str, group: str, known: Iterable[str]
    ) -> EvidenceError:
        """A limit or constraint is about a group that no row has."""
        known = list(known)
        near = nearest(group, known)
        return cls(
            "a limit or constraint names a group that the rows do not have",
            code="PAY-E021",
            where=f"{show(name)}, subgroup {show(subgroup)}",
            got=show(group),
            need=f"one of {listed(known, 20)}",
            mend=f"Did you mean {show(near)}?" if near else "Name one of the groups",
        )

    @classmethod
    def constraints_clash(cls, names: Iterable[str]) -> EvidenceError:
        """Limits and constraints that no policy can keep together."""
        return cls(
            "these limits and constraints cannot all hold, whatever is done",
            code="PAY-E022",
            got=listed(names),
            need="limits and constraints that at least one way of acting keeps",
            mend="Lower the floor, raise the cap or the capacity, or drop one of those named",
        )

    @classmethod
    def moving_groups(cls, subgroup: str, column: str) -> EvidenceError:
        """Groups that are cut from the data, not declared, cannot be found for a single row."""
        return cls(
            "a limit or constraint needs groups that do not depend on the data at hand",
            code="PAY-E023",
            where=f"subgroup {show(subgroup)}, column {plain(column)}",
            got="a number that is cut at its quartiles",
            need="the same group for the same unit, whenever it is decided",
            mend="Give the subgroup 'bands', such as bands = [30, 45, 60]",
        )

    @classmethod
    def no_frame(cls, asked: str, why: str, known: Iterable[str]) -> EvidenceError:
        """The figures cannot be handed over as asked."""
        near = nearest(asked, known)
        return cls(
            "these figures cannot be handed over as a frame",
            code="PAY-E011",
            got=f"{show(asked)}: {plain(why)[:300]}",
            need=f"one of {listed(known)}",
            mend=f"Did you mean {show(near)}?"
            if near and near != asked
            else "Name another one; to_dict() always works",
        )

    @classmethod
    def no_propensity(cls, got: str) -> EvidenceError:
        """Past decisions without the probability of what was done."""
        return cls(
            "past decisions cannot be judged without knowing how actions were chosen",
            code="PAY-E025",
            where="key past",
            got=plain(got),
            need="'randomised = true', or the column of the probability of the action taken",
            mend='Write [past] randomised = true or propensity = "<column>"; with '
            "'payoff run' the probability can also be modelled from the features",
        )

    @classmethod
    def no_outcome(cls, action: str, rows: int) -> EvidenceError:
        """An action's money depends on an outcome that was not recorded under it."""
        return cls(
            "the money of a past action is not known",
            code="PAY-E025",
            where=counted(rows, "row"),
            got=f"no outcome where {show(action)} was done, and money that depends on the outcome",
            need="the outcome, or money that is the same under every outcome",
            mend="Leave out 'randomised' and 'propensity': payoff then reports bounds",
        )

    @classmethod
    def no_sql(cls, why: str, known: Iterable[str] = ()) -> EvidenceError:
        """The figures do not follow from the columns of the rows by SQL."""
        names = list(known)
        return cls(
            "these figures cannot be written as SQL",
            code="PAY-E012",
            got=plain(why)[:400],
            need=f"one of {listed(names)}" if names else "figures that follow from the rows",
            mend="Name another figure with --figure"
            if names
            else "Read them in evidence.json; how they were made is in the report",
        )

    @classmethod
    def not_scored(cls, column: str, known: Iterable[str]) -> EvidenceError:
        """The table lacks the columns that payoff score adds."""
        return cls(
            "the table has no scores of this bundle",
            code="PAY-E013",
            where=f"column {plain(column)}",
            got=f"columns {listed(known)}",
            need="the rows as 'payoff score' writes them",
            mend="Score them first: payoff score BUNDLE DATA -o scored.parquet",
        )
