"""A run in a copy of a folder reads what is there and writes over nothing of the user's."""

from __future__ import annotations

import subprocess

import pytest

from plateau_cause.capture import overlay as copies
from plateau_cause.capture.child.describe.document import relative
from plateau_cause.capture.overlay import Copying, overlay, texts


def test_what_a_run_writes_stays_in_its_copy(tmp_path):
    folder = tmp_path / "work"
    (folder / "data/a").mkdir(parents=True)
    (folder / "data/a/1.png").write_bytes(b"image")
    (folder / "best.pt").write_bytes(b"mine")
    (folder / "train.plateau").mkdir()
    (folder / ".git").mkdir()
    with overlay(folder) as own:
        assert sorted(path.name for path in own.iterdir()) == ["best.pt", "data"]
        assert (own / "data/a/1.png").read_bytes() == b"image"
        assert (own / "data/a/1.png").is_symlink()
        (own / "best.pt").write_bytes(b"theirs")
        (own / "data/a/log.txt").write_text("new")
    assert not own.exists()
    assert (folder / "best.pt").read_bytes() == b"mine"
    assert [path.name for path in (folder / "data/a").iterdir()] == ["1.png"]


def test_what_would_take_long_to_copy_is_a_link(tmp_path):
    (tmp_path / "work/inner").mkdir(parents=True)
    (tmp_path / "work/train.py").write_text("x = 1\n")
    (tmp_path / "work/model.bin").write_bytes(b"12345")
    Copying(entries=2, size=7).fill(tmp_path / "work", tmp_path / "own")
    kinds = {path.name: path.is_symlink() for path in (tmp_path / "own").iterdir()}
    assert kinds["inner"]
    assert sorted(kinds[name] for name in ("train.py", "model.bin")) == [False, True]


def test_a_folder_of_many_files_is_a_link(tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "MANY", 20)
    folder = tmp_path / "work"
    (folder / "data").mkdir(parents=True)
    for number in range(21):
        (folder / f"data/{number}").touch()
    with overlay(folder) as own:
        assert (own / "data").is_symlink()
        assert (own / "data/7").exists()
    assert (folder / "data/7").exists()


@pytest.fixture
def project(tmp_path):
    """kaggle/working/train.py beside kaggle/input, data two folders above, and what nobody asks for."""
    for name in ("kaggle/working", "kaggle/input/flat", "kaggle/private", "data/a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "kaggle/input/flat/train.csv").write_text("1.png,cat\n")
    (tmp_path / "kaggle/private/diary.txt").write_text("mine")
    (tmp_path / "data/a/1.png").write_bytes(b"image")
    return tmp_path / "kaggle/working"


@pytest.mark.parametrize(
    ("code", "arguments"),
    [("ROOT = Path(__file__).resolve().parents[1] / 'input'", ()),
     ("HERE.parent.joinpath('input', 'flat')", ()),
     ('pd.read_csv("../input/flat/train.csv")', ()), ("ROOT = Path('..') / 'input'", ()),
     ("root = os.path.join(os.path.dirname(__file__), os.pardir, 'input')", ()),
     ("read(sys.argv[1])", ("--data=../input/flat",)), ("read(sys.argv[1])", ("../input",)),
     ("sys.path.append('..')\nfrom input import flat", ())],
)  # fmt: skip
def test_what_a_script_names_beside_its_folder_is_there(code, arguments, project):
    (project / "train.py").write_text(f"{code}\n")
    with overlay(project, arguments) as own:
        assert (own / "../input/flat/train.csv").read_text() == "1.png,cat\n"
        assert not (own / "../private").exists()
        (own / "../input/flat/train.csv").write_text("theirs")
    assert (project / "../input/flat/train.csv").read_text() == "1.png,cat\n"


def test_so_is_what_it_names_two_folders_above(project):
    (project / "train.py").write_text('DATA = "../../data/a"\n')
    with overlay(project) as own:
        assert (own / "../../data/a/1.png").read_bytes() == b"image"


def test_what_its_own_folder_has_too_is_its_own(project):
    (project / "input").mkdir()
    (project / "train.py").write_text("HERE = Path(__file__).parent\nDATA = HERE / 'input'\n")
    with overlay(project) as own:
        assert not (own / "../input").exists()


def test_a_script_that_stays_in_its_folder_gets_nothing_of_others(project):
    (project / "train.py").write_text('DATA = "input/flat"\n')
    with overlay(project) as own:
        assert [path.name for path in own.parent.iterdir()] == ["working"]


def test_texts_are_code_and_settings_of_the_script(tmp_path):
    for name in ("train.py", "conf/a.yaml", "data/1.png", ".venv/lib.py", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "again").symlink_to(tmp_path)
    assert list(texts(tmp_path)) == ["train.py", "conf/a.yaml"]


def test_a_place_beside_the_copy_is_one_beside_the_folder(project, monkeypatch):
    (project / "train.py").write_text("sys.path.append('..')\nfrom input import flat\n")
    (project / "../input/flat/net.py").write_text("x = 1\n")
    with overlay(project) as own:
        monkeypatch.chdir(own)
        assert relative(str(own.parent / "input/flat/net.py")) == "../input/flat/net.py"
        assert relative(str(own / "train.py")) == "train.py"
        assert relative("/usr/lib/x.py") == "/usr/lib/x.py"
    monkeypatch.chdir(project)
    assert relative(str(project.parent / "input/flat/net.py")) == str(project.parent / "input/flat/net.py")


def test_what_cannot_be_read_is_left_out(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "train.py").write_text("x = 1\n")
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    with overlay(folder) as own:
        assert (own / "train.py").read_text() == "x = 1\n"


def git(folder, *words):
    given = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", *given, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("inner", [".", "scripts"])
def test_git_answers_as_in_the_folder_and_commits_stay_in_the_copy(inner, tmp_path):
    root = tmp_path / "work"
    folder = root / inner
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("x = 1\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    commit = git(root, "rev-parse", "HEAD")
    with overlay(folder) as own:
        assert git(own, "rev-parse", "HEAD") == commit
        assert git(own, "log", "-1", "--format=%s") == "first\n"
        git(own, "commit", "-qm", "of the copy", "--allow-empty")
        assert git(own, "rev-parse", "HEAD") != commit
    assert git(root, "rev-parse", "HEAD") == commit and git(root, "status", "--porcelain") == ""


def test_a_folder_of_no_repository_has_none_in_its_copy(tmp_path):
    (tmp_path / "work").mkdir()
    with overlay(tmp_path / "work") as own:
        assert not (own / ".git").exists()
