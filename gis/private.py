"""Private streets: who lives there walks out by them; nobody else comes in, and nobody walks through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .walls import GATE_CLASS, add_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .noding import Lines


def part_private(lines: Lines) -> Lines:
    """Return the lines with private streets left one way: onto the public network, never in from there.

    A public street that joins the main public network by private streets only lies behind them: it is marked as
    private too, and joined with them both ways, so that who lives there walks on all of it and out.

    Parameters
    ----------
    lines
        Lines that know where they join; ``private`` marks the private ones.
    """
    if lines.private.all() or not lines.private.any():
        return lines
    private = lines.private | _behind(lines)
    of_vertex = private[lines.line]
    count = int(lines.node.max()) + 1
    within, without = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    within[lines.node[of_vertex]] = True
    without[lines.node[~of_vertex]] = True
    mouth = np.flatnonzero(within & without)
    number = np.arange(count)
    number[mouth] = count + np.arange(mouth.size)
    place, zone = np.zeros((count, 2)), np.full(count, -1, dtype=np.int32)
    place[lines.node[~of_vertex]] = lines.xy[~of_vertex]
    zone[lines.node[of_vertex]] = lines.zone[lines.line[of_vertex]]
    parted = replace(lines, node=np.where(of_vertex, number[lines.node], lines.node), private=private)
    ends = np.stack([number[mouth], mouth], axis=1).ravel()
    where = np.repeat(place[mouth], 2, axis=0)
    return add_lines(parted, where, ends, zone=zone[mouth], class_name=GATE_CLASS, one_way=True, private=True)


def _behind(lines: Lines) -> NDArray[np.bool_]:
    """Return bool[l], the public lines that reach the main public network by private lines only."""
    first = lines.segments
    public = ~lines.private[lines.line[first]]
    a, b = lines.node[first[public]], lines.node[first[public] + 1]
    count = int(lines.node.max()) + 1
    graph = coo_array((np.ones(a.size, dtype=np.int8), (a, b)), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    run = np.hypot(*(lines.xy[first[public] + 1] - lines.xy[first[public]]).T)
    main = int(np.argmax(np.bincount(label[a], weights=run, minlength=number)))
    touched = np.zeros(number, dtype=bool)
    touched[label[lines.node[lines.private[lines.line]]]] = True
    touched[main] = False
    behind: NDArray[np.bool_] = touched[label[lines.node[lines.start[:-1]]]] & ~lines.private
    return behind
