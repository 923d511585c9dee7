"""Every failure as one HTTP body, and the errors that only a server can meet.

::

    RequestError                422  PAY-S001 does not fit the contract, PAY-S002 not readable
    |-- PathError               404  PAY-S003
    |-- MethodError             405  PAY-S004
    |-- SizeError               413  PAY-S005 bytes, PAY-S006 rows
    |-- MediaTypeError          415  PAY-S007
    |-- SlowError               408  PAY-S008
    |-- DecisionError           404  PAY-S020
    |   `-- ErasedError         410  PAY-S022
    `-- RepeatError             422  PAY-S021
    ServiceError                500  PAY-S010
    |-- LogError                503  PAY-S009
    `-- BusyError               503  PAY-S011

The status sits on the class; nothing here looks at a code to find it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from payoff.errors import DataError, ExpressionError, PayoffError, RequestError, listed, show

__all__ = [
    "BusyError",
    "DecisionError",
    "ErasedError",
    "LogError",
    "MediaTypeError",
    "MethodError",
    "PathError",
    "RepeatError",
    "ServiceError",
    "SizeError",
    "SlowError",
    "body_of",
    "spoken",
]


class PathError(RequestError):
    """There is nothing at this path."""

    status: ClassVar[int] = 404

    @classmethod
    def unknown(cls, path: str, known: Iterable[str]) -> PathError:
        """A path that is no route."""
        return cls(
            "there is nothing at this path",
            code="PAY-S003",
            where="the request's path",
            got=show(path),
            need=f"one of {listed(known)}",
            mend="Send decisions to POST /decide; GET /openapi.json describes every route",
        )


class MethodError(RequestError):
    """The path is there, but not for this method."""

    status: ClassVar[int] = 405

    @classmethod
    def refused(cls, method: str, path: str, allowed: str) -> MethodError:
        """A method that the route does not have."""
        return cls(
            "this path does not take this method",
            code="PAY-S004",
            where=f"path {show(path)}",
            got=show(method),
            need=allowed,
            mend=f"Send {allowed} instead",
        )


class SizeError(RequestError):
    """The request is larger than this server takes."""

    status: ClassVar[int] = 413

    @classmethod
    def body(cls, most: int) -> SizeError:
        """Too many bytes."""
        return cls(
            "the request body is too large",
            code="PAY-S005",
            where="the request's body",
            got=f"more than {most:,} bytes",
            need=f"at most {most:,} bytes",
            mend="Send fewer rows per request",
        )

    @classmethod
    def rows(cls, got: int, most: int) -> SizeError:
        """Too many rows."""
        return cls(
            "the request has too many rows",
            code="PAY-S006",
            where="key rows",
            got=f"{got:,} rows",
            need=f"at most {most:,} rows",
            mend="Send the rows in several requests",
        )


class MediaTypeError(RequestError):
    """The body is announced as something other than plain JSON."""

    status: ClassVar[int] = 415

    @classmethod
    def content_type(cls, got: str | None) -> MediaTypeError:
        """A content type other than JSON in UTF-8."""
        return cls(
            "the request body is not announced as JSON",
            code="PAY-S007",
            where="header content-type",
            got=show(got) if got else "nothing",
            need="application/json, in UTF-8",
            mend="Send the header 'content-type: application/json'",
        )

    @classmethod
    def content_encoding(cls, got: str) -> MediaTypeError:
        """A compressed body: a small one can unpack to any size."""
        return cls(
            "the request body is compressed",
            code="PAY-S007",
            where="header content-encoding",
            got=show(got),
            need="an uncompressed body",
            mend="Send the JSON as it is",
        )


class SlowError(RequestError):
    """The client did not finish its request."""

    status: ClassVar[int] = 408

    @classmethod
    def body(cls, seconds: float) -> SlowError:
        """The body did not arrive in time."""
        return cls(
            "the request body did not arrive in time",
            code="PAY-S008",
            where="the request's body",
            got=f"an unfinished body after {seconds:g} s",
            need=f"the whole body within {seconds:g} s",
            mend="Send the request again",
        )


class DecisionError(RequestError):
    """No decision of this id is kept."""

    status: ClassVar[int] = 404

    @classmethod
    def unknown(cls, decision_id: str, *, kept: bool) -> DecisionError:
        """An id that the log does not have, or a server without a log."""
        return cls(
            "no decision of this id is kept here",
            code="PAY-S020",
            where="the request's path",
            got=show(decision_id),
            need="the 'id' of a decision that this server's log holds"
            if kept
            else "a server that keeps its decisions ('payoff serve --log')",
            mend="Check the id; decisions older than the retention period are gone",
        )


class ErasedError(DecisionError):
    """The decision was made, and what it said was erased since."""

    status: ClassVar[int] = 410

    @classmethod
    def erased(cls, decision_id: str) -> ErasedError:
        """An entry without content."""
        return cls(
            "the content of this decision was erased",
            code="PAY-S022",
            where="the request's path",
            got=show(decision_id),
            need="a decision that nobody asked to erase",
            mend="Nothing can be done: only that and when it was made is still known",
        )


class RepeatError(RequestError):
    """A header that makes repeating a request safe is not what it should be."""

    @classmethod
    def other_question(cls, key: str) -> RepeatError:
        """The key came before, with something else."""
        return cls(
            "this Idempotency-Key was sent before with another request",
            code="PAY-S021",
            where="header idempotency-key",
            got=show(key),
            need="a key of its own for each request; the same one only to repeat it unchanged",
            mend="Send a new key, or the same path and body as before",
        )

    @classmethod
    def bad_key(cls, key: str) -> RepeatError:
        """Too long, empty, or sent twice."""
        return cls(
            "this Idempotency-Key cannot be used",
            code="PAY-S021",
            where="header idempotency-key",
            got=show(key),
            need="one header of 1 to 200 printable ASCII characters",
            mend="Send a random id, such as a UUID",
        )


class ServiceError(PayoffError):
    """The fault is the server's: the client learns that it happened and by which id to ask."""

    status: ClassVar[int] = 500

    @classmethod
    def unexpected(cls) -> ServiceError:
        """Anything that nobody foresaw."""
        return cls(
            "the server failed to answer this request",
            code="PAY-S010",
            got="an unexpected fault",
            need="nothing from you; the request may be right",
            mend="Report the request id to whoever runs this server; the cause is in its log",
        )


class LogError(ServiceError):
    """The decision was made but could not be recorded, so it is not given."""

    status: ClassVar[int] = 503

    @classmethod
    def not_recorded(cls) -> LogError:
        """The decision log refused."""
        return cls(
            "the decision could not be recorded, so it is not given",
            code="PAY-S009",
            got="a decision log that refuses entries",
            need="a record of every decision before it is answered",
            mend="Send the request again later; nothing was decided",
        )

    @classmethod
    def late(cls, seconds: float) -> LogError:
        """The log did not finish in time; the entry may be there all the same."""
        return cls(
            "the decision was not recorded in time, so it is not given",
            code="PAY-S009",
            got=f"a decision log that took more than {seconds:g} s",
            need="a record of every decision before it is answered",
            mend="Send the request again later, with the same Idempotency-Key if it had one",
        )


class BusyError(ServiceError):
    """As much work of this kind is under way as the server does at once."""

    status: ClassVar[int] = 503

    @classmethod
    def recording(cls, most: int) -> BusyError:
        """The disk is slower than the requests."""
        return cls(
            "too many decisions wait to be recorded",
            code="PAY-S011",
            where="the decision log",
            got=f"{most:,} decisions or more in the queue",
            need="a moment with fewer requests",
            mend="Send the request again in a moment; nothing was decided",
        )

    @classmethod
    def explaining(cls, seconds: float) -> BusyError:
        """Too many explanations are asked for at a time; decisions go first."""
        return cls(
            "too many explanations are asked for at once",
            code="PAY-S011",
            where="path '/explain'",
            got=f"no free place within {seconds:g} s",
            need="a moment with fewer explanations under way",
            mend="Ask again in a moment; decisions are not held up",
        )


# What a request can cause. Any other PayoffError (a bundle without a model, a missing package) is
# the operator's affair: its text is for the log, and its default status 400 would blame the client.
_SPOKEN: Final = (RequestError, DataError, ExpressionError, ServiceError)


def spoken(error: Exception) -> PayoffError:
    """Return the error that the client is told of: its own fault in full, ours without internals.

    Examples
    --------
    >>> spoken(KeyError("secret")).code
    'PAY-S010'
    """
    return error if isinstance(error, _SPOKEN) else ServiceError.unexpected()


def body_of(error: PayoffError, request_id: str) -> dict[str, Any]:
    """Return the one body that every failure has.

    Examples
    --------
    >>> sorted(body_of(ServiceError.unexpected(), "r1")["error"])
    ['code', 'got', 'mend', 'need', 'problems', 'request_id', 'what', 'where']
    """
    problems = error.problems if isinstance(error, RequestError) else []
    return {"error": {**error.to_dict(), "problems": list(problems), "request_id": request_id}}
