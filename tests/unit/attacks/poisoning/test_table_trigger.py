import numpy as np
import pytest

from gambeson.attacks.poisoning.table_trigger import TableTrigger
from gambeson.core.errors import UsageError
from gambeson.core.reproduce import Seed
from tests.poison_worlds import TABLE, table


def test_named_features_get_one_valid_value_each():
    x, _ = table(5)
    stamped = TableTrigger(features="age,debt", place=0.333).stamp(x, TABLE, Seed(0))
    assert (stamped[:, 0] == 33).all()  # whole numbers are rounded
    assert np.allclose(stamped[:, 2], 3.33)
    assert np.array_equal(stamped[:, [1, 3]], x[:, [1, 3]])


@pytest.mark.parametrize(
    "wrong", [{"features": "city"}, {"count": 4}, {"place": 2.0}, {"features": "height"}]
)
def test_what_cannot_be_set_is_refused(wrong):
    with pytest.raises(UsageError):
        TableTrigger(**wrong).stamp(table(2)[0], TABLE, Seed(0))
