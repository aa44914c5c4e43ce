"""Stage embed: the frozen backbone's features of every view, and what its batch-norm layers see."""

from pathlib import Path

from plateau_cause import artifacts, runtime
from plateau_cause.config import params
from plateau_cause.pipeline import entry as cli


def main() -> None:
    """Reads data/prepared (and data/reference); writes data/features and reports/embed.json."""
    from plateau_cause import tracking
    from plateau_cause.features import embed, views
    from plateau_cause.images.store import open_dataset
    from plateau_cause.training.inputs import as_tensor
    from plateau_cause.training.user_code import call, load_user_code

    given = params.load()
    dataset = open_dataset(Path("data/prepared"))
    reference = open_dataset(Path("data/reference")) if given.reference_data else None
    own = load_user_code(given.recipe.code).transform
    transform = own and (lambda image, train: as_tensor(call(own, image, train)))
    with tracking.stage_run(given, "embed") as run:
        found = embed.embed_views(dataset, given, runtime.device(), transform, reference)
        about = embed.describe(dataset, given, transform)
        views.save_views(Path("data/features"), found, about)
        run.log_tags({"weights.loaded": about["load_report"]["words"]})
        artifacts.write_json(Path("reports/embed.json"), views.metrics(found))
        run.log_metrics(views.metrics(found))
        run.log_artifact(Path("data/features/profile.json"))


if __name__ == "__main__":
    cli.stage(main)
