"""Every key of params.yaml wrong in turn: one clear line that names it."""

import dataclasses
import re

import pytest
import yaml
from params_files import refusal, write

from plateau_cause.config import params, schema
from plateau_cause.config.recipe import Recipe

LEAVES = {key.name: key for key in schema.leaves(params.Params)}
FREE_TEXT = {
    "data.path",
    "data.root",
    "recipe.code",
    "recipe.script",
    "recipe.folder",
    "recipe.python",
    "backbone.name",
    "backbone.weights",
    "tracking.experiment",
}
WRONG_TYPE = {"a": 1}  # no leaf takes a mapping
OUT_OF_RANGE = {
    "data.split.val": [0, 1, -0.1, float("nan")],
    "data.split.test": [0, 1, "most"],
    "data.split.seed": [-1, 2**32, 0.5],
    "data.max_images": [0, -1, 1.5, float("inf")],
    "data.stored_size": [0, 7, 100_000, 96.5],
    "data.max_unreadable": [-0.1, 1.1],
    "reference_data": ["photos", 1],
    "recipe.preprocessing.size": [0, 4096, -64, 64.5],
    "recipe.preprocessing.mean": [0.5, [0.5], [0.5, 0.5, "a"], "imagenet", [0.1, 0.2, None], []],
    "recipe.preprocessing.std": [0.5, [0.5, 0.5, 0], [1, 1, -1], "imagenet"],
    "recipe.head.dropout": [-0.1, 1, "lots"],
    "recipe.loss.label_smoothing": [-0.1, 1],
    "recipe.optimizer.learning_rate": [0, -0.1, float("inf"), float("nan"), True, "fast"],
    "recipe.optimizer.weight_decay": [-1, "huge"],
    "recipe.optimizer.momentum": [-0.1, 1],
    "recipe.schedule.epochs": [0, -1, 1.5, True, "6"],
    "recipe.schedule.warmup": [-0.1, 1.1],
    "recipe.batch_size": [0, -1, 64.0, "64"],
    "recipe.shuffle": [1, 0, "always"],
    "diagnosis.factors": ["heads", [], ["preprocesing"], ["head", "head"], [1], ["all"]],
    "diagnosis.max_cost": [0, -3],
    "diagnosis.seeds": [0, [], [0, 0], [-1], [0.5], ["a"], [True]],
    "diagnosis.min_effect": [0, 1, -0.03],
    "diagnosis.target_accuracy": [0, 1.1, 97],
    "diagnosis.landscape": [1, 0, "yes please"],
}
CHOICES = [
    name
    for name, key in LEAVES.items()
    if ", " in key.allowed and name not in OUT_OF_RANGE and "text" not in key.allowed
]


WRONG_NUMBERS = ["cuda:", "cuda:-1", "cuda:01", "cuda:1000", "cuda:１", "cuda: 1", "cuda:N"]
WRONG_DEVICES = [*WRONG_NUMBERS, "tpu", "cpu:0", "mps:0", 0]


@pytest.mark.parametrize("name", ["auto", "cpu", "cuda", "cuda:0", "cuda:17", "mps"])
def test_devices(tmp_path, name):
    assert params.load(write(tmp_path, {"device": name})).device == name


@pytest.mark.parametrize("name", WRONG_DEVICES)
def test_what_is_no_device(tmp_path, name):
    line = refusal(tmp_path, {"device": name})
    assert line.startswith(f"device: got {name!r}; ")
    assert line.endswith("allowed: auto, cpu, cuda, mps, cuda:N")


@pytest.mark.parametrize("name", params.LAUNCHERS)
def test_launchers(tmp_path, name):
    assert params.load(write(tmp_path, {"launcher": name})).launcher == name


def test_what_is_no_launcher(tmp_path):
    line = refusal(tmp_path, {"launcher": "dusk"})
    assert line == "launcher: got 'dusk'; did you mean dask? allowed: local, ray, slurm, dask"


def nested(dotted, value):
    for name in reversed(dotted.split(".")):
        value = {name: value}
    return value


def test_the_shipped_file_is_complete_and_valid(root):
    shipped = yaml.safe_load((root / "params.yaml").read_text())
    assert params.dump(params.load(root / "params.yaml")) == shipped


def test_every_shipped_key_has_a_comment(root):
    lines = (root / "params.yaml").read_text().splitlines()
    bare = [
        line for line in lines if re.search(r": \S", line) and "  #" not in line and not line.startswith("#")
    ]
    assert not bare


@pytest.mark.parametrize("content", ["recipe:\ndata:\n", "{}", "recipe: {}\n", "tracking:\n"])
def test_what_is_missing_takes_defaults(tmp_path, content):
    assert params.load(write(tmp_path, content)) == params.Params()


@pytest.mark.parametrize("name", LEAVES)
def test_misspelt(tmp_path, name):
    section, _, leaf = name.rpartition(".")
    wrong = leaf[:-2] + leaf[-1] + leaf[-2]  # two letters swapped
    text = refusal(tmp_path, nested(f"{section}.{wrong}" if section else wrong, 1))
    assert text.startswith(f"{section}.{wrong}: unknown key" if section else f"{wrong}: unknown key")
    assert f"did you mean {leaf}?" in text
    assert "allowed: " in text


@pytest.mark.parametrize("name", LEAVES)
def test_wrong_type(tmp_path, name):
    text = refusal(tmp_path, nested(name, WRONG_TYPE))
    assert text.startswith((f"{name}: got ", f"{name}.a: unknown key"))
    assert "allowed: " in text


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in OUT_OF_RANGE.items() for value in values]
)
def test_out_of_range(tmp_path, name, value):
    text = refusal(tmp_path, nested(name, value))
    assert text.startswith(f"{name}: got {schema.shown(value)}")
    assert "allowed: " in text


@pytest.mark.parametrize("name", CHOICES)
def test_not_among_the_choices(tmp_path, name):
    choice = LEAVES[name].allowed.split(", ")[-1] if "null" not in LEAVES[name].allowed else "relu"
    text = refusal(tmp_path, nested(name, choice + "x"))
    assert text.startswith(f"{name}: got '{choice}x'; did you mean {choice}?")
    assert f"allowed: {LEAVES[name].allowed}" in text
    assert "allowed: " in refusal(tmp_path, nested(name, 3))


@pytest.mark.parametrize("name", [name for name, key in LEAVES.items() if "null" not in key.allowed])
def test_null_is_refused_where_it_means_nothing(tmp_path, name):
    assert refusal(tmp_path, nested(name, None)).startswith(f"{name}: got null")


@pytest.mark.parametrize("name", sorted(FREE_TEXT | {"data.columns.image"}))
@pytest.mark.parametrize("value", ["", "  ", 3, ["a"], "a\nb"])
def test_text_must_be_text(tmp_path, name, value):
    assert refusal(tmp_path, nested(name, value)).startswith(f"{name}: got ")


def test_every_leaf_is_covered():
    assert set(LEAVES) - set(OUT_OF_RANGE) - set(CHOICES) - FREE_TEXT == {
        f"data.columns.{name}" for name in ("image", "label", "split", "group")
    } | {"recipe.shuffle", "recipe.arguments"} - set(OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [([], ()), (["--lr", 0.1, "--lr", 2], ("--lr", "0.1", "--lr", "2")), (["-v", "-v"], ("-v", "-v"))],
)
def test_a_command_line_may_be_empty_repeat_itself_and_hold_numbers(tmp_path, given, expected):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump({"recipe": {"arguments": given}}))
    assert params.load(path).recipe.arguments == expected


def test_a_command_line_is_a_list_of_words(tmp_path):
    assert "recipe.arguments: got '--lr 1'; allowed: a list of words" in refusal(
        tmp_path, {"recipe": {"arguments": "--lr 1"}}
    )


def test_a_key_of_another_section_is_pointed_to(tmp_path):
    text = refusal(tmp_path, {"recipe": {"learning_rate": 0.1}})
    assert "did you mean recipe.optimizer.learning_rate?" in text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("recipe: {batch_size: 1, batch_size: 2}", "batch_size: given twice"),
        ("data: {}\ndata: {}", "data: given twice"),
        ("recipe: [", "not valid YAML"),
        ("recipe: {a: b: c}", "not valid YAML"),
        ("a: \tb: c\n\t- x", "not valid YAML"),
        ("!!python/object/apply:os.system [ls]", "not valid YAML"),
        ("- 1\n- 2", "at top level"),
        ("digits", "at top level"),
        ("recipe: 3", "recipe: got 3"),
        ("recipe: all", "recipe: got 'all'"),
        ("data: []", "data: got []"),
        ("1: 2", "1: unknown key"),
        ("? [a]\n: 1", "not valid YAML: found unhashable key"),
        ("x: &a [*a]", "x: unknown key"),
        ("recipe: {batch_size: &a [*a]}", "recipe.batch_size: got"),
        ("recipe: {optimizer: {learning_rate: .nan}}", "got nan"),
        ("data: {max_images: " + "9" * 400 + "}", "data.max_images: got 999"),
        ("recipe: {trainable: " + "x" * 5000 + "}", "recipe.trainable: got"),
        ("data: {path: 2020-01-01}", "data.path: got"),
        ("---\na: 1\n---\nb: 2", "not valid YAML"),
    ],
)
def test_a_file_that_is_not_right(tmp_path, content, expected):
    assert expected in refusal(tmp_path, content)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(params.ParamsError, match="cannot be read"):
        params.load(tmp_path / "none.yaml")
    with pytest.raises(params.ParamsError, match="cannot be read"):
        params.load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"data: \xff\xfe\x00")
    with pytest.raises(params.ParamsError, match="not UTF-8"):
        params.load(tmp_path / "latin.yaml")


@pytest.mark.parametrize("given", ["1e-3", "0.001", "1.0e-3", "1E-3", ".001", "+1e-3"])
def test_every_way_to_write_a_number(tmp_path, given):
    loaded = params.load(write(tmp_path, f"recipe: {{optimizer: {{learning_rate: {given}}}}}"))
    assert loaded.recipe.optimizer.learning_rate == 0.001


def test_types_after_loading(tmp_path):
    content = {
        "recipe": {
            "preprocessing": {"mean": [0, 0.5, "1e-1"], "std": None},
            "optimizer": {"weight_decay": 0},
        },
        "diagnosis": {"factors": ["head", "label_noise"], "seeds": [3, 1], "target_accuracy": 1},
    }
    loaded = params.load(write(tmp_path, content))
    assert loaded.recipe.preprocessing.mean == (0.0, 0.5, 0.1)
    assert loaded.recipe.preprocessing.std is None
    assert isinstance(loaded.recipe.optimizer.weight_decay, float)
    assert loaded.diagnosis.factors == ("head", "label_noise")
    assert loaded.diagnosis.seeds == (3, 1)
    hash(loaded)  # frozen all the way down


def test_dump_comes_back(tmp_path):
    recipe = dataclasses.replace(params.Params().recipe, trainable="all", code=None)
    dumped = params.dump(recipe)
    assert set(dumped) == {field.name for field in dataclasses.fields(Recipe)}
    assert params.load(write(tmp_path, {"recipe": dumped})).recipe == recipe


def test_the_table_of_keys_names_them_all():
    table = schema.markdown(params.Params)
    assert all(f"`{name}`" in table for name in LEAVES)


def test_the_documented_table_is_current(root):
    assert schema.markdown(params.Params) in (root / "docs/params.md").read_text()
