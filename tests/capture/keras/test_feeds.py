"""How much of a pipeline is read beside the script's own passes; no Keras is needed."""

from __future__ import annotations

import numpy as np
import pytest

from plateau_cause.capture.keras_child.feeds import Feed, some


class Pipeline:
    """Eight batches, as tf.data gives them; it knows how many were read."""

    element_spec = None

    def __init__(self):
        self.read = 0

    def __iter__(self):
        for _ in range(8):
            self.read += 1
            yield np.zeros((2, 4, 4, 3)), np.zeros(2)


@pytest.mark.parametrize(
    ("steps", "goes_on", "read"),
    [(None, False, 3), (None, True, 8), (5, True, 3)],
    ids=["a peek ends early", "a cache is filled", "it may be endless"],
)
def test_a_pass_is_read_to_its_end_where_the_script_goes_on(steps, goes_on, read):
    pipeline = Pipeline()
    assert len(some(Feed(pipeline, steps=steps), 3, goes_on=goes_on)) == 3
    assert pipeline.read == read
