import numpy as np
import pytest

from gambeson.attacks.poisoning.victims import require_victim
from gambeson.core.errors import UsageError
from tests.poison_worlds import picture_task


def test_a_victim_is_handed_over_and_its_absence_or_shape_refused():
    assert require_victim(picture_task(victim=np.zeros((1, 8, 8)))).dtype == np.float32
    for wrong in (None, np.zeros(5)):
        with pytest.raises(UsageError, match="on one input"):
            require_victim(picture_task(victim=wrong))
