"""Parts of ordinary columns: they sum to the log-odds that the model itself gives."""

import numpy as np
import pytest

from payoff.model import tabular
from payoff.model.explain import column_contributions
from payoff.progress import silent
from tests.model.making import dataset_of, decision_of, planted


@pytest.mark.parametrize("name", ["logistic", "scorecard", "lightgbm"])
@pytest.mark.parametrize("outcomes", [2, 3])
def test_columns_sum_to_the_log_odds(name, outcomes):
    table, y, contract, _ = planted(500, outcomes=outcomes)
    names = ("a", "b", "c")[:outcomes]
    data = dataset_of(table, y, decision=decision_of(names))
    model = tabular.fit(data, contract, name, seed=0, progress=silent)
    for row in data.table.slice(0, 12).to_pylist():
        p = model.predict_rows([row])[0]
        one, two = int(p.argmax()), int(np.argsort(-p)[1])
        found = column_contributions(
            model, row, outcome=model.outcomes[one], against=model.outcomes[two]
        )
        total = sum(found["columns"].values()) + sum(found["rest"].values())
        assert total == pytest.approx(np.log(p[one] / p[two]), abs=1e-6)
        assert found["log_odds"] == pytest.approx(total, abs=1e-9)
