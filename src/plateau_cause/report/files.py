"""The report as files: JSON for programs, Markdown for reviews, HTML for people, and its pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plateau_cause import artifacts
from plateau_cause.report import html, markdown, style
from plateau_cause.report.content import ReportContent
from plateau_cause.report.plots import pictures
from plateau_cause.report.schema import validate

PICTURES = "plots/summary"  # beside the report


def write(content: ReportContent, folder: Path) -> None:
    """Writes plateau_cause.{json,md,html} and plots/summary/*.png into the folder.

    All is rendered before the first file is written; each file, and the folder of pictures, is replaced
    whole. The JSON comes last: where it is new, the rest is.

    Raises:
        ValueError: the summary does not satisfy the schema; nothing is written.
    """
    content = replace(content, summary=artifacts.plain(content.summary))
    validate(content.summary)
    drawn = pictures(content)
    page, text = html.render(content, drawn), markdown.render(content, drawn, PICTURES)
    images = {picture.name: style.to_png(picture.figure) for picture in drawn}
    with artifacts.atomic_folder(folder / PICTURES) as temporary:
        for name, image in images.items():
            (temporary / f"{name}.png").write_bytes(image)
    artifacts.write_text(folder / "plateau_cause.md", text)
    artifacts.write_text(folder / "plateau_cause.html", page)
    artifacts.write_json(folder / "plateau_cause.json", content.summary)
