"""Files that are no params.yaml: one line each, and soon."""

import os
import time

import pytest
from params_files import refusal, write

from plateau_cause.config import params

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [*{chr(97 + n)}, *{chr(97 + n)}]}}\n" for n in range(24)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "params.yaml: empty; allowed: a mapping of sections"),
        ("# nothing\n", "params.yaml: empty"),
        ("---\n", "params.yaml: empty"),
        ("null\n", "params.yaml: empty"),
        ("data:\n\tsource: digits\n", "indent with spaces, not tabs"),
        ("\tdata: {}\n", "indent with spaces, not tabs"),
        (BOMB, "more than 10,000 values, once every alias stands for what it names"),
        (MERGES, "more than 10,000 values"),
        ("a: &a\n  <<: *a\n", "a: unknown key"),
        ("[" * 5000, "not valid YAML"),
        ("data: {path: '" + "x" * 200_000 + "'}", "larger than 128 KiB"),
        (
            "recipe: {batch_size: 0x" + "f" * 6000 + "}",
            "recipe.batch_size: got a number of thousands of digits",
        ),
        ("data:\n  source: table\ndata:\n  source: digits\n", "data: given twice (second time in line 3)"),
        ("data: {source: digits\n", "not valid YAML"),
        ("data: source: digits\n", "not valid YAML"),
        ("<<<<<<< HEAD\ndata: {}\n=======\n", "not valid YAML"),
    ],
)
def test_one_line_and_soon(tmp_path, content, said):
    started = time.process_time()
    assert said in refusal(tmp_path, content)
    assert time.process_time() - started < 3


def test_a_long_value_loses_its_middle(tmp_path):
    path = "start" + "x" * 5000 + "end"
    for section in (
        {"data": {"source": "imagefolder", "path": path}},
        {"data": {"source": "table", "path": f"{path}.csv"}},
        {"backbone": {"weights": f"{path}.pt"}},
        {"recipe": {"code": f"{path}.py"}},
        {"backbone": {"name": f"a/b/{path}"}},
    ):
        text = refusal(tmp_path, section)
        assert "start" in text
        assert "end" in text


def test_a_long_key_too(tmp_path):
    assert refusal(tmp_path, {"y" * 5000: 1}).count("y") < 150


def test_an_alias_is_fine_where_it_is_small(tmp_path):
    text = "x: &s\n  val: 0.1\n"
    found, mistakes = params.examine(
        write(tmp_path, f"data: {{split: &s {{val: 0.3}}}}\nreference_data: {{split: *s}}\n# {text[:1]}")
    )
    assert mistakes == ()
    assert found.reference_data.split.val == 0.3


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xef\xbb\xbfrecipe: {batch_size: 8}\n")
    assert params.load(path).recipe.batch_size == 8


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "params.yaml")
    with pytest.raises(params.ParamsError, match="not a regular file"):
        params.load(tmp_path / "params.yaml")
