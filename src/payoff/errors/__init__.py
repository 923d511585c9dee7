"""Every error payoff raises, in one tree.

::

    PayoffError                 exit code 2, HTTP 400
    |-- DeclarationError        PAY-D0xx  the decision file or a declared value is wrong
    |   `-- ExpressionError     PAY-D05x  an expression cannot be read or evaluated
    |-- DataError               PAY-L0xx  rows are missing, malformed or contradict the declaration
    |-- TrainingError           PAY-T0xx  no model can be fitted from these rows
    |-- EvidenceError           PAY-E0xx  these rows cannot judge this policy
    |-- BundleError             PAY-B0xx  a bundle is missing, changed or from another version
    |-- RequestError            PAY-S0xx  HTTP 422: a request does not fit the contract
    `-- EnvironmentError_       PAY-X0xx  a package, library, address or file system is missing

A message has four parts, always in this order: what is wrong, where, got / need, how to mend it.
The server only translates ``status``; the command line only translates ``exit_code``.
"""

from payoff.errors.base import PayoffError
from payoff.errors.data import DataError
from payoff.errors.declaration import DeclarationError, ExpressionError, said
from payoff.errors.judging import EvidenceError, TrainingError
from payoff.errors.outside import BundleError, EnvironmentError_, RequestError
from payoff.errors.wording import chance, counted, listed, nearest, percent, plain, show

__all__ = [
    "BundleError",
    "DataError",
    "DeclarationError",
    "EnvironmentError_",
    "EvidenceError",
    "ExpressionError",
    "PayoffError",
    "RequestError",
    "TrainingError",
    "chance",
    "counted",
    "listed",
    "nearest",
    "percent",
    "plain",
    "said",
    "show",
]
