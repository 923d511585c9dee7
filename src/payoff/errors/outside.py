"""Faults of bundles, requests and the machine: ``PAY-B0xx``, ``PAY-S0xx``, ``PAY-X0xx``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from payoff.errors.base import PayoffError
from payoff.errors.wording import listed, plain, show

__all__ = ["BundleError", "EnvironmentError_", "RequestError"]


class BundleError(PayoffError):
    """A bundle is missing, changed, or from another version."""

    status: ClassVar[int] = 500

    @classmethod
    def not_a_bundle(cls, path: str, why: str) -> BundleError:
        """The folder holds no manifest."""
        return cls(
            "this is not a payoff bundle",
            code="PAY-B001",
            where=plain(path),
            got=plain(why),
            need="a folder written by 'payoff train' or 'payoff run'",
            mend="Check the path",
        )

    @classmethod
    def changed(cls, path: str, changes: Iterable[str]) -> BundleError:
        """A byte differs from the manifest."""
        return cls(
            "the bundle has been changed since it was written",
            code="PAY-B002",
            where=plain(path),
            got=listed(changes),
            need="every file exactly as its manifest says",
            mend="Restore the bundle from its origin, or build it again",
        )

    @classmethod
    def earlier(cls, path: str) -> BundleError:
        """The output folder holds an earlier bundle."""
        return cls(
            "the output folder holds an earlier bundle",
            code="PAY-B006",
            where=plain(path),
            got="a bundle that somebody may still use",
            need="a new folder, or leave to replace it",
            mend="Choose another --out, or replace it with --force",
        )

    @classmethod
    def exists(cls, path: str) -> BundleError:
        """The output folder holds something else."""
        return cls(
            "the output folder is not empty",
            code="PAY-B003",
            where=plain(path),
            got="files that payoff did not write",
            need="a new or empty folder, or an earlier bundle",
            mend="Choose another --out",
        )

    @classmethod
    def incompatible(cls, path: str, got: object, need: str) -> BundleError:
        """The bundle's format is of another version."""
        return cls(
            "the bundle is of a format that this version cannot read",
            code="PAY-B004",
            where=plain(path),
            got=show(got),
            need=need,
            mend="Use the payoff version named in its manifest, or build it again",
        )

    @classmethod
    def lacks(cls, path: str, what: str, need: str) -> BundleError:
        """The bundle has no such part."""
        return cls(
            f"the bundle holds no {what}",
            code="PAY-B005",
            where=plain(path),
            got=f"a bundle without {what}",
            need=need,
            mend="Build the bundle with 'payoff run' or 'payoff train'",
        )

    @classmethod
    def decides_rows(cls, path: str) -> BundleError:
        """A list is asked of a bundle that decides rows."""
        return cls(
            "this bundle decides rows; it makes no lists",
            code="PAY-B008",
            where=plain(path),
            got="a bundle of a decision about rows",
            need="a bundle of kind 'recommend'",
            mend="Use 'payoff score', 'payoff explain' or payoff.Bundle.open with it",
        )

    @classmethod
    def makes_lists(cls, path: str) -> BundleError:
        """A row is to be decided by a bundle that recommends."""
        return cls(
            "this bundle makes lists; it decides no rows",
            code="PAY-B008",
            where=plain(path),
            got="a bundle of kind 'recommend'",
            need="a bundle of a decision about rows",
            mend="Use 'payoff recommend' or payoff.RecommendBundle.open with it",
        )

    @classmethod
    def no_names(cls, name: str, known: Iterable[str]) -> BundleError:
        """The decision names a finder of names that is not here."""
        known = sorted(known)
        return cls(
            "the decision needs a finder of names that is not registered",
            code="PAY-B007",
            where=f"key text.names = {show(name)}",
            got=f"registered: {', '.join(map(show, known))}" if known else "none registered",
            need="the finder that its documents are redacted with",
            mend=f"Call payoff.register_names({name!r}, ...) first, in a script of yours",
        )

    @classmethod
    def not_registered(cls, name: str, why: str) -> BundleError:
        """The bundle's model was fitted with an embedding or vectoriser that is not here."""
        return cls(
            "the bundle needs an embedding or vectoriser that it does not hold",
            code="PAY-B007",
            where="model/plugged.json",
            got=plain(why)[:300],
            need=f"the one that was registered as {show(name)} when the model was fitted",
            mend=f"Call payoff.register_embedding({name!r}, ...) or payoff.register_vectoriser("
            f"{name!r}, ...) with it before the bundle is opened; a vectoriser as it was fitted",
        )

    @classmethod
    def recommender_not_registered(cls, name: str, why: str) -> BundleError:
        """The bundle's model is a recommender of another library that is not here."""
        return cls(
            "the bundle needs a recommender that it does not hold",
            code="PAY-B007",
            where="model/recommender.json",
            got=plain(why)[:300],
            need=f"the one that was registered as {show(name)}, as it was fitted",
            mend=f"Call payoff.register_recommender({name!r}, fitted=...) with it before the "
            "bundle is opened",
        )


class RequestError(PayoffError):
    """A request does not fit the contract."""

    status: ClassVar[int] = 422

    def __init__(
        self, what: str, *, problems: Iterable[Mapping[str, Any]] = (), **facts: Any
    ) -> None:
        super().__init__(what, **facts)
        self.problems = [dict(p) for p in problems]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, with every problem."""
        return super().to_dict() | {"problems": self.problems}

    @classmethod
    def invalid(cls, problems: Iterable[Mapping[str, Any]]) -> RequestError:
        """One or more fields break the contract; every problem is listed."""
        problems = list(problems)
        return cls(
            "the request does not fit the contract of this decision",
            code="PAY-S001",
            got=f"{len(problems)} problem{'s' if len(problems) != 1 else ''}",
            need="fields as described at /openapi.json",
            mend="Correct the fields listed under 'problems'",
            problems=problems,
        )

    @classmethod
    def bad_question(cls, problems: Iterable[Mapping[str, Any]]) -> RequestError:
        """A list is asked for in a way that cannot be answered; the first problem is told whole."""
        problems = list(problems)
        first = problems[0]
        return cls(
            "this question cannot be answered",
            code="PAY-S001",
            where=f"field {plain(first['field'])}",
            got=first["got"],
            need=first["need"],
            mend=first["mend"],
            problems=problems,
        )

    @classmethod
    def malformed(cls, why: str) -> RequestError:
        """The body is not JSON of the right outer shape."""
        return cls(
            "the request body cannot be read",
            code="PAY-S002",
            got=plain(why)[:200],
            need='JSON: {"rows": [{...}, ...]} or one row as {...}',
            mend="Send valid JSON with content-type application/json",
        )


class EnvironmentError_(PayoffError):
    """An optional package, a library or the file system is missing."""

    status: ClassVar[int] = 500

    @classmethod
    def missing_extra(cls, package: str, extra: str, why: str) -> EnvironmentError_:
        """A feature needs a package that is not installed."""
        return cls(
            f"the package {show(package)} is needed {why}",
            code="PAY-X001",
            got="it is not installed",
            need=f"the extra {show(extra)}",
            mend=f"Install it with: pip install 'payoff[{extra}]'",
        )

    @classmethod
    def broken_package(cls, package: str, why: str, reason: str) -> EnvironmentError_:
        """A package is installed but does not load."""
        return cls(
            f"the package {show(package)}, needed {why}, does not load",
            code="PAY-X002",
            got=plain(reason)[:300],
            need="a working installation",
            mend="On Debian or Ubuntu 'apt-get install libgomp1' mends a missing libgomp; "
            "otherwise reinstall the package",
        )

    @classmethod
    def cannot_write(cls, path: str, reason: str) -> EnvironmentError_:
        """The disk, folder or permission refuses."""
        return cls(
            "the output cannot be written",
            code="PAY-X003",
            where=plain(path),
            got=plain(reason),
            need="a folder that can be written, with room on the disk",
            mend="Choose another --out, or free space",
        )
