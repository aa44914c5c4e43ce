"""What goes to the branch for review: DVC's locks and the reports, nothing else; by real git."""

import shutil
import subprocess

import pytest

IDENTITY = {
    f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


@pytest.fixture
def project(tmp_path, monkeypatch, root):
    """A clone with a retraining's report, and its bare repository."""
    for key, value in IDENTITY.items():
        monkeypatch.setenv(key, value)
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "shared.git")
    git(tmp_path, "clone", "-q", "shared.git", "clone")
    folder = tmp_path / "clone"
    (folder / "ci").mkdir()
    shutil.copy(root / "ci/publish", folder / "ci")
    for name in ("dvc.lock", "data.dvc", "params.yaml"):
        (folder / name).write_text("old\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "push", "-q", "origin", "HEAD:main")
    return folder


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def publish(folder, *options, **environment):
    command = ["env", *(f"{key}={value}" for key, value in environment.items()), "sh", "ci/publish", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def report(folder, title="Retraining: version 2 is better"):
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "reports/retrain.md").write_text(f"# {title}\n\nwhy\n")


def test_only_locks_and_reports_are_published(project):
    report(project)
    for name in ("dvc.lock", "data.dvc", "params.yaml", "left-over.txt"):
        (project / name).write_text("new\n")
    assert publish(project, OUTPUTS="out.txt").returncode == 0
    shared = project.parent / "shared.git"
    changed = git(shared, "diff", "--name-only", "main", "plateau/retrain").split()
    assert changed == ["data.dvc", "dvc.lock", "reports/retrain.md"]
    assert git(shared, "log", "-1", "--format=%s", "plateau/retrain") == "Retraining: version 2 is better"
    assert (project / "out.txt").read_text() == "branch=plateau/retrain\n"


def test_the_next_one_takes_the_place_of_the_last(project):
    for version in (2, 3):
        git(project, "checkout", "-q", "main")
        report(project, f"Retraining: version {version} is better")
        assert publish(project).returncode == 0
    shared = project.parent / "shared.git"
    assert git(shared, "log", "--format=%s", "main..plateau/retrain") == "Retraining: version 3 is better"


def test_nothing_new_is_not_published(project):
    report(project)
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "as it is")
    done = publish(project, OUTPUTS="out.txt")
    assert (done.returncode, done.stdout) == (0, "nothing to publish: what was run is what is committed\n")
    assert not (project / "out.txt").exists()
    assert "plateau/retrain" not in git(project.parent / "shared.git", "branch")


def test_without_a_report_it_is_a_mistake(project):
    done = publish(project)
    assert done.returncode == 2
    assert done.stderr == "error: reports/retrain.md: no such file; `make retrain` writes it\n"
    assert git(project, "branch", "--show-current") == "main"
