"""A tf.data pipeline built again, step by step: from another root, steps left out or without chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plateau_cause.capture.keras_child import quiet
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.scene import Built, Scene

Redo = Callable[[Any, Built], Any]  # the pipeline so far and a step -> the pipeline behind that step


def root(data: Any, scene: Scene) -> tuple[Any, list[Built]]:
    """Returns where a pipeline begins, as far as it was seen, and the steps behind, first ones first."""
    beginning, steps = data, list[Built]()
    for made, step in origins.chain(data, scene):
        beginning = made
        if step is None or scene.readers.of(made) is not None:
            break
        steps.append(step)
        beginning = step.arguments["self"]
    return beginning, steps[::-1]


def built(beginning: Any, steps: list[Built], redo: Redo) -> Any:
    """Returns a pipeline that begins elsewhere and goes through steps."""
    for step in steps:
        beginning = redo(beginning, step)
    return beginning


def plainly(so_far: Any, step: Built, **changed: Any) -> Any:
    """Returns a pipeline behind a step that is done as it was, some of its arguments changed."""
    arguments = {key: value for key, value in step.arguments.items() if key != "self"}
    return getattr(so_far, step.by)(**{**arguments, **changed})


def quietly(feed: Feed, scene: Scene) -> Redo | None:
    """Returns what does the steps of a feed again without chance; None where there is no chance.

    Of a `map` step that does more than change images at random, what `tf.image` draws is left as it is.
    """
    random = origins.random_maps(feed, scene)
    quieted = [one for one in random if origins.is_chance_named(one)]
    others = [one for one in random if not any(one is other for other in quieted)]
    left_out = [one for one in others if origins.only_varies(one)]
    if not quieted and not left_out:
        return None

    def redo(so_far: Any, step: Built) -> Any:
        if any(step is one for one in left_out):
            return so_far
        if not any(step is one for one in quieted):
            return plainly(so_far, step)
        with quiet.without_chance():
            return plainly(so_far, step, map_func=quiet.plain(step.arguments["map_func"]))

    return redo
