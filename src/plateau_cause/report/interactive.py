"""The joint UMAP as one HTML file that opens with no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = Path(__file__).parent / "templates"
COLUMNS = ("label", "split", "view")


def umap_html(points: pd.DataFrame, trustworthiness: float, preservation: float) -> str:
    """Returns a page with the points of the joint UMAP, coloured by class, split or view, names on hover.

    Args:
        points: image_id, label, split, view, x, y.
        trustworthiness: of the picture, 0..1.
        preservation: share of neighbours kept, 0..1.

    Every name that came from data is escaped: as JSON inside the page, and set as text, never as markup.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    data = _columns(points)
    page: str = environment.get_template("umap.html.jinja").render(
        data=data,
        shapes=_shapes(data["view"]["names"]),
        trustworthiness=trustworthiness,
        preservation=preservation,
    )
    return page


def _shapes(views: list[str]) -> list[tuple[str, list[str]]]:
    """Returns which views the page draws as which shape; nothing where there is one view only."""
    shapes = [("Circles", views[::2]), ("Squares", views[1::2])]
    return shapes if len(views) > 1 else []


def _columns(points: pd.DataFrame) -> dict[str, Any]:
    """Returns the table by column, names as numbers into a list: the page stays small."""
    result: dict[str, Any] = {"x": points["x"].round(3).tolist(), "y": points["y"].round(3).tolist()}
    result["id"] = points["image_id"].astype(str).tolist()
    for column in COLUMNS:
        codes, names = points[column].astype(str).factorize(sort=True)
        result[column] = {"codes": codes.tolist(), "names": names.tolist()}
    return result
