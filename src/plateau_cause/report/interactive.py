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
    page: str = environment.get_template("umap.html.jinja").render(
        data=_columns(points), trustworthiness=trustworthiness, preservation=preservation
    )
    return page


def _columns(points: pd.DataFrame) -> dict[str, Any]:
    """Returns the table by column, names as numbers into a list: the page stays small."""
    result: dict[str, Any] = {"x": points["x"].round(3).tolist(), "y": points["y"].round(3).tolist()}
    result["id"] = points["image_id"].astype(str).tolist()
    for column in COLUMNS:
        codes, names = points[column].astype(str).factorize(sort=True)
        result[column] = {"codes": codes.tolist(), "names": names.tolist()}
    return result
