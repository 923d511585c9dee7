import sys

import numpy as np
import pytest

from payoff.errors import EnvironmentError_, TrainingError
from payoff.model import portable
from payoff.model.portable import Portable, class_of, fit_portable


def rows(n=240, classes=2):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, np.digitize(x[:, 0] + rng.normal(size=n) * 0.3, [0.0, 1.0][: classes - 1]), np.ones(n)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("os.system", "neither a short name"),
        ("sklearn", "neither"),
        ("sklearn.tree", "neither"),
        ("sklearn..tree.DecisionTreeClassifier", "neither"),
        ("sklearn_evil.Tree", "neither"),
        ("sklearn.nowhere.Tree", "cannot be imported"),
        ("sklearn.tree.NoTree", "cannot be imported"),
        ("sklearn.linear_model.Ridge", "not a classifier"),
        ("sklearn.svm.LinearSVC", "no probabilities"),
    ],
)
def test_other_names_are_refused(name, why):
    with pytest.raises(TrainingError, match=f"PAY-T002.*{why}"):
        class_of(name)


def test_a_slip_of_the_pen_is_recognised():
    with pytest.raises(TrainingError, match="Did you mean 'lightgbm'"):
        class_of("lightgmb")


@pytest.mark.parametrize("name", ["sklearn.svm.SVC", "sklearn.ensemble.VotingClassifier"])
def test_classes_that_cannot_be_used_as_they_come_are_refused(name):
    x, y, w = rows()
    with pytest.raises(TrainingError, match="PAY-T002"):
        fit_portable(name, x, y, w, n_outcomes=2, seed=0, trial=False)


onnx = pytest.mark.packages("onnxruntime", "skl2onnx")


@onnx
@pytest.mark.parametrize(
    "name",
    [
        "sklearn.tree.DecisionTreeClassifier",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.neighbors.KNeighborsClassifier",
    ],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_the_onnx_form_predicts_what_scikit_learn_does(name, classes):
    x, y, w = rows(classes=classes)
    again = [
        fit_portable(name, x, y * 2, w, n_outcomes=5, seed=3, trial=False)[0] for _ in range(2)
    ]
    native, _, _ = fit_portable(name, x, y * 2, w, n_outcomes=5, seed=3, trial=True)
    assert isinstance(again[0], Portable)
    assert again[0].content == again[1].content
    assert again[0].predict(x) == pytest.approx(native.predict(x), abs=1e-4)
    assert again[0].predict(x[:0]).shape == (0, 5)
    assert (again[0].predict(x)[:, 1] == 0).all()


@onnx
def test_a_class_that_does_not_convert_is_refused_early():
    x, y, w = rows()
    for trial in (True, False):
        with pytest.raises(TrainingError, match="PAY-T003"):
            fit_portable(
                "sklearn.dummy.DummyClassifier", x, y, w, n_outcomes=2, seed=0, trial=trial
            )


@onnx
def test_a_conversion_that_predicts_something_else_is_refused(monkeypatch):
    x, y, w = rows()
    monkeypatch.setattr(portable, "_TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match=r"PAY-T003.*differs by"):
        fit_portable(
            "sklearn.tree.DecisionTreeClassifier", x, y, w, n_outcomes=2, seed=0, trial=False
        )


def test_without_the_extra_the_reader_is_told_what_to_install(monkeypatch):
    x, y, w = rows()
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(EnvironmentError_, match="onnx"):
        fit_portable(
            "sklearn.tree.DecisionTreeClassifier", x, y, w, n_outcomes=2, seed=0, trial=False
        )
