"""Where images come from: the steps of a tf.data pipeline, folders, generators, with their lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plateau_cause.capture.child.places import Place
from plateau_cause.capture.keras_child import quiet
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.scene import Built, Scene

AUGMENTS = ("rotation_range", "width_shift_range", "height_shift_range", "brightness_range", "shear_range",
            "zoom_range", "channel_shift_range", "horizontal_flip", "vertical_flip")  # fmt: skip
SAME_RANGE = 4.0  # times: brightness changes it, a rescaling by 255 is another thing
TRIES = 8  # times that a step is done again to see whether chance changes it: a flip may not, half the time


def chain(data: Any, scene: Scene) -> list[tuple[Any, Built | None]]:
    """Returns the data sets of a tf.data pipeline from the last step to the first, each with its step."""
    found: list[tuple[Any, Built | None]] = []
    waiting: Any = data
    while waiting is not None and len(found) < 64:
        step = scene.steps.of(waiting)
        found.append((waiting, step))
        if scene.readers.of(waiting) is not None:
            break
        before = step.arguments.get("self") if step else getattr(waiting, "_input_dataset", None)
        waiting = None if before is waiting else before
    return found


def reader(feed: Feed, scene: Scene) -> Built | None:
    """Returns what read the folder that the images come from; None where nothing of Keras did."""
    if feed.kind != "tf.data":
        return scene.readers.of(feed.x)
    found = (scene.readers.of(one) for one, _ in chain(feed.x, scene))
    return next((one for one in found if one is not None), None)


def generator(feed: Feed, scene: Scene) -> Built | None:
    """Returns the ImageDataGenerator behind an iterator."""
    held = getattr(feed.x, "image_data_generator", None)
    return None if held is None else scene.readers.of(held)


def class_names(feed: Feed, scene: Scene) -> list[str] | None:
    """Returns the names of the classes by their number, where the pipeline knows them."""
    indices = getattr(feed.x, "class_indices", None)
    if isinstance(indices, dict):
        return sorted(indices, key=lambda name: int(indices[name]))
    parts = [one for one, _ in chain(feed.x, scene)] if feed.kind == "tf.data" else [feed.x]
    named = (getattr(one, "class_names", None) for one in parts)
    found = next((one for one in named if one), None)
    if found:
        return [str(one) for one in found]
    inner = getattr(getattr(feed.x, "dataset", None), "classes", None)
    return [str(one) for one in inner] if isinstance(inner, (list, tuple)) else None


def is_shuffled(feed: Feed, scene: Scene) -> bool | None:
    """Returns whether the images come in another order in every pass; None where that is not known."""
    if feed.kind == "arrays":
        return feed.shuffle
    if feed.kind == "tf.data":
        read = reader(feed, scene)
        steps = [step for _, step in chain(feed.x, scene) if step]
        return any(step.by == "shuffle" for step in steps) or _reads_shuffled(read)
    if feed.kind == "torch":
        return type(feed.x.sampler).__name__ != "SequentialSampler"
    shuffles = getattr(feed.x, "shuffle", None)
    return bool(shuffles) if shuffles is not None else None


def is_part(feed: Feed, scene: Scene) -> bool:
    """Returns whether a pipeline ends after some of its batches: images to be looked at."""
    return feed.kind == "tf.data" and any(step and step.by == "take" for _, step in chain(feed.x, scene))


def shuffled_at(feed: Feed, scene: Scene) -> Place | None:
    """Returns the line of the step that shuffles a pipeline; the last one where there are several."""
    steps = [step for _, step in chain(feed.x, scene) if step] if feed.kind == "tf.data" else []
    return next((step.place for step in steps if step.by == "shuffle"), None)


def _reads_shuffled(read: Built | None) -> bool:
    return read is not None and bool(read.arguments.get("shuffle", True))


def random_maps(feed: Feed, scene: Scene) -> list[Built]:
    """Returns the `map` steps of a pipeline that give something else for the same image each time."""
    found = []
    for _, step in chain(feed.x, scene) if feed.kind == "tf.data" else []:
        if step is not None and step.by == "map" and _varies(step):
            found.append(step)
    return found


def caches_behind_chance(feed: Feed, scene: Scene) -> list[Built]:
    """Returns the `cache` steps that keep images as chance has changed them the first time."""
    random = [id(one) for one in random_maps(feed, scene)]
    behind = list[Built]()
    for _, step in chain(feed.x, scene) if random else []:
        if behind and id(step) in random:
            return behind
        if step is not None and step.by == "cache":
            behind.append(step)
    return []


def at_random(feed: Feed, scene: Scene) -> list[str]:
    """Returns the steps of a pipeline that change images at random and can be left out."""
    made = generator(feed, scene)
    if made is not None:
        return [name for name in AUGMENTS if made.arguments.get(name)]
    return [f"map{_argument(step)}" for step in random_maps(feed, scene)]


def varies(feed: Feed, scene: Scene) -> tuple[bool | None, Place | None]:
    """Returns whether chance changes the images of a pipeline, and the line that decides it."""
    made = generator(feed, scene)
    if made is not None:
        return any(made.arguments.get(name) for name in AUGMENTS), made.place
    if feed.kind == "tf.data":
        maps = random_maps(feed, scene)
        return bool(maps), maps[0].place if maps else None
    if feed.kind == "arrays":
        return False, None
    if feed.kind in ("sequence", "torch"):
        return _reads_differently(feed), scene.places.of(feed.x)
    return None, None


def steps(feed: Feed, scene: Scene) -> Iterator[str]:
    """Yields the steps of a pipeline in words, first ones first."""
    read, made = reader(feed, scene), generator(feed, scene)
    if read is not None:
        yield read.by
    if made is not None:
        told = {key: value for key, value in made.arguments.items() if value not in (None, False, 0, 0.0)}
        for key, value in told.items():
            name = getattr(value, "__name__", None)
            origin = str(getattr(value, "__module__", "")).rpartition(".")[2]
            yield f"{key}={origin + '.' if name else ''}{name or value}"
    if feed.kind == "tf.data":
        for made_by, step in reversed(chain(feed.x, scene)):
            if step is not None and scene.readers.of(made_by) is None:
                yield step.by + _argument(step)


def batch_size(feed: Feed, scene: Scene) -> int | None:
    """Returns how many images a batch has; None where that is not known."""
    if feed.kind == "arrays":
        return feed.batch_size or 32
    for _, step in chain(feed.x, scene) if feed.kind == "tf.data" else []:
        if step is not None and step.by == "batch":
            return int(step.arguments["batch_size"])
    read = reader(feed, scene)
    given = read.arguments.get("batch_size", 32) if read else getattr(feed.x, "batch_size", None)
    return given if isinstance(given, int) else None


def _argument(step: Built) -> str:
    for key in ("batch_size", "buffer_size", "count"):
        if isinstance(step.arguments.get(key), int) and step.arguments[key] >= 0:
            return f"({step.arguments[key]})"
    function = step.arguments.get("map_func", step.arguments.get("predicate"))
    return f"({getattr(function, '__name__', type(function).__name__)})" if function is not None else ""


def is_chance_named(step: Built) -> bool:
    """Returns whether all that a `map` step does at random is drawn by `tf.image`."""
    with quiet.without_chance():
        return not _varies(step)


def only_varies(step: Built) -> bool:
    """Returns whether a `map` step at random leaves images in the range that it finds them in."""
    import numpy as np

    before, after = _given(step)[0], _image(quiet.plain(step.arguments["map_func"])(*_given(step)))
    found = [float(np.abs(np.asarray(one, dtype=np.float64)).max()) for one in (before, after)]
    return before.shape == after.shape and max(found) <= SAME_RANGE * max(min(found), 1e-6)


def _varies(step: Built) -> bool:
    function, given = quiet.plain(step.arguments["map_func"]), _given(step)
    results = [_image(function(*given)) for _ in range(TRIES)]
    return any(one.shape != results[0].shape or bool((one != results[0]).any()) for one in results[1:])


def _given(step: Built) -> tuple[Any, ...]:
    element = next(iter(step.arguments["self"]))
    return element if isinstance(element, tuple) else (element,)


def _image(result: Any) -> Any:
    import numpy as np

    return np.asarray(result[0] if isinstance(result, (tuple, list)) else result)


def _reads_differently(feed: Feed) -> bool | None:
    import numpy as np

    source = feed.x.dataset if feed.kind == "torch" else feed.x
    first, second = (np.asarray(source[0][0]) for _ in range(2))
    return first.shape != second.shape or bool((first != second).any())
