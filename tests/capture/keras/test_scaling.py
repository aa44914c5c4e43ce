"""Where a script scales its pixels: in a step of a pipeline, in a function, in an assignment."""

import linecache

import pytest

from plateau_cause.capture.keras_child.describe.scaling import in_function, of_variable

FUNCTIONS = {  # source, name of the function of a `map`, line
    "a lambda": ("f = lambda image, label: (image / 255.0, label)\n", 1),
    "a function": (
        "def f(image, label):\n    image = image * 2\n    image /= 255\n    return image, label\n",
        3,
    ),
    "one over 255": ("def f(x):\n    y = x\n    return y * (1.0 / 255)\n", 3),
    "less one": ("def f(x):\n    return x / 127.5 - 1\n", 2),
    "by a call": ("def f(x):\n    return tf.image.convert_image_dtype(x, tf.float32)\n", 2),
    "another function": (
        "def inner(x):\n    return preprocess_input(x)\ndef f(x, y):\n    return inner(x), y\n",
        2,
    ),
    "arithmetic first": ("def f(x):\n    x = x / 255\n    return preprocess_input(x)\n", 2),
    "decorated": ("def same(g):\n    return g\n@same\ndef f(x):\n    return x / 255\n", 5),
    "nothing": ("SCALE = 1 / 255\ndef f(x):\n    return x * 2\n", None),
}
VARIABLES = {
    "an assignment": ("x = read()\nx = x / 255.0\n", 2),
    "in place": ("x = read()\nx /= 255\n", 2),
    "of two": ("x, z = x / 255.0, z / 255.0\n", 1),
    "a function": ("def read():\n    images = []\n    return images / 255.0\nx = read()\n", 3),
    "another one": ("z = z / 255.0\nx = read()\n", None),
}


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "train.py"
        path.write_text(text)
        linecache.checkcache(str(path))
        return str(path)

    return write


@pytest.mark.parametrize("name", FUNCTIONS)
def test_of_a_step(name, script):
    text, line = FUNCTIONS[name]
    path, given = script(text), {}
    exec(compile(text, path, "exec"), given)
    found = in_function(given["f"])
    assert (found and found.line) == line


@pytest.mark.parametrize("name", VARIABLES)
def test_of_a_variable(name, script):
    text, line = VARIABLES[name]
    found = of_variable("x", script(text))
    assert (found and found.line) == line
