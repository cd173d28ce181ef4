"""The parts that the page's layers are described with: the tree, the list of layers, the items of the legend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .style import Mark


@dataclass(slots=True)
class Content:
    """What the page is given: data sets by name, layers by id, the tree of layers.

    Parameters
    ----------
    datasets
        Packed shapes, columns and fields; each is unpacked by the page when a layer that needs it is switched on.
    layers
        JSON-like descriptions for ``assets/layers.js``.
    tree
        Nodes ``{"label", "children" | "layer"}``.
    """

    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    tree: list[dict[str, Any]] = field(default_factory=list)

    def add(self, key: str, **description: Any) -> dict[str, Any]:  # noqa: ANN401  JSON-like
        """Add a layer and return its node of the tree."""
        self.layers[key] = {"shown": False, "order": 0, **description}
        return {"layer": key, "label": description["label"]}


def area_item(label: str, fill: str | None, look: str) -> dict[str, Any]:
    """Return a legend item: a filled area."""
    return {"symbol": "area", "label": label, "fill": fill, "look": look}


def line_item(label: str, look: str) -> dict[str, Any]:
    """Return a legend item: a line."""
    return {"symbol": "line", "label": label, "look": look}


def group(label: str, children: Iterable[dict[str, Any]], *, folded: bool = True) -> list[dict[str, Any]]:
    """Return a node of the tree with its children, none where there are no children."""
    nodes = list(children)
    return [{"label": label, "children": nodes, "open": not folded}] if nodes else []


def mark_item(label: str, mark: Mark) -> dict[str, Any]:
    """Return a legend item: the mark of a facility class."""
    return {"symbol": "mark", "label": label, "shape": mark.shape, "color": mark.color}
