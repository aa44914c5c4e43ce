"""All mistakes at once; each names its key, and none follows from another."""

import pytest
from params_files import refusal, write

from plateau_cause.config import consistency, params
from plateau_cause.config.recipe import Recipe, put


def mistakes(folder, content):
    return params.examine(write(folder, content))[1]


def test_every_mistake_has_a_line(tmp_path):
    found = mistakes(
        tmp_path,
        "data: {source: imagefolder, path: nowhere, max_image: 3}\n"
        "recipe: {trainable: al, optimizer: {learning_rate: -1}, code: mine.py}\n"
        "backbone: {name: resnet18}\ntraking: {}\n",
    )
    starts = [line.partition(" ")[0] for line in found]
    assert starts == [
        "data.max_image:", "recipe.trainable:", "recipe.optimizer.learning_rate:", "traking:",
        "data.path:", "backbone.weights:", "recipe.code:",
    ]  # fmt: skip


def test_what_follows_from_a_mistake_is_no_mistake(tmp_path):
    (line,) = mistakes(tmp_path, {"data": {"source": "imagefolders", "path": "photos"}})
    assert line.startswith("data.source: got 'imagefolders'; did you mean imagefolder?")


@pytest.mark.parametrize(
    ("name", "is_bundled"),
    [
        ("tf_efficientnet_lite0", True),
        ("timm:tf_efficientnet_lite2", True),
        ("torchvision:tf_efficientnet_lite0", False),
        ("resnet18", False),
        ("google/vit-base-patch16-224", False),
    ],
)
def test_bundled_weights_belong_to_some_models(tmp_path, name, is_bundled):
    found = mistakes(tmp_path, {"backbone": {"name": name, "weights": "bundled"}})
    assert (found == ()) is is_bundled
    assert is_bundled or found[0].startswith("backbone.weights: got 'bundled'; no package ships weights of")


@pytest.mark.parametrize(
    ("source", "path", "said"),
    [
        ("imagefolder", "pets.zip", "an archive; unpack it"),
        ("imagefolder", "pets.tar.gz", "an archive; unpack it"),
        ("imagefolder", "labels.csv", "set data.source: table"),
        ("imagefolder", "shard.tar", "set data.source: webdataset"),
        ("imagefolder", "one.png", "a file; allowed: a folder"),
        ("imagefolder", "~/pets", "~ and $ are not expanded"),
        ("imagefolder", "https://example.org/pets", "nothing is downloaded from an address"),
        ("imagefolder", "data\\pets", "separated by /"),
        ("table", "pets.zip", "an archive; unpack it"),
        ("table", "folder", "a folder of class folders is read by source imagefolder"),
        ("table", "labels.xlsx", "an existing .csv or .tsv or .parquet file"),
        ("webdataset", "folder", "this folder holds no .tar files"),
        ("huggingface", "./nothing", "no such folder; allowed: owner/name, or a folder"),
    ],
)
def test_a_path_that_another_source_reads(tmp_path, source, path, said):
    (tmp_path / "folder/cat").mkdir(parents=True)
    for name in ("pets.zip", "pets.tar.gz", "labels.csv", "shard.tar", "one.png", "labels.xlsx"):
        (tmp_path / name).touch()
    assert said in refusal(tmp_path, {"data": {"source": source, "path": path}})


def test_what_has_no_effect_is_said():
    recipe = put(Recipe(), {"loss.name": "nll", "loss.label_smoothing": 0.1, "shuffle": False})
    assert [line.partition(":")[0] for line in consistency.unused(recipe)] == ["recipe.loss.label_smoothing"]
    recipe = put(recipe, {"sampler": "balanced", "schedule.name": "one_cycle", "schedule.warmup": 0.1})
    assert len(list(consistency.unused(recipe))) == 3
    assert not list(consistency.unused(Recipe()))


def test_what_a_script_decides_is_said_once():
    own = {"script": "train.py", "arguments": ("--lr", "1")}
    recipe = put(Recipe(), {**own, "trainable": "all", "batch_size": 8})
    (line,) = consistency.unused(recipe)
    assert line.startswith("recipe.trainable, recipe.batch_size: no effect beside recipe.script")
    assert not list(consistency.unused(put(Recipe(), {"script": "train.py"})))


def test_a_script_and_code_are_two_recipes(tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    found = mistakes(
        tmp_path, {"data": {"source": "script"}, "recipe": {"script": "train.py", "code": "train.py"}}
    )
    assert any(line.startswith("recipe.code: got 'train.py' beside recipe.script") for line in found), found
