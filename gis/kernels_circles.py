"""Compiled inner loops of service circles: reached stretches of streets, and the outline of the ground near them.

The outline is the contour of the distance from the streets on a square grid. It is traced along the grid's edges, so
rings neither touch nor cross, also after they were thinned: a chord passes through the same grid edges, in the same
order, as the points it stands for.
"""

# ruff: noqa: PLR0913, PLR0917  compiled functions take flat arrays, one argument each
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .kernels import drop_first, offer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Bytes = NDArray[np.int8]

RIM = 0.01
"""How near to a grid point an outline may pass, in cells: rings then never meet in one."""
LOOK_AHEAD = 64


@njit(cache=True, nogil=True)
def _offset_at(cost: float, low: int, high: int, table: Floats, along: Floats) -> float:
    """Return the offset on an edge (vertices low…high) at which a cost from its first node is reached."""
    if cost >= table[high]:
        return float(along[high])
    while high - low > 1:
        middle = (low + high) // 2
        if table[middle] <= cost:
            low = middle
        else:
            high = middle
    run = table[high] - table[low]
    share = (cost - table[low]) / run if run > 0.0 else 0.0
    return float(along[low] + share * (along[high] - along[low]))


@njit(cache=True, nogil=True)
def _longer(pieces: Floats, filled: int, more: int) -> Floats:
    """Return room for `more` rows after those filled, which are kept."""
    if filled + more <= pieces.shape[0]:
        return pieces
    roomy = np.empty((2 * (filled + more), pieces.shape[1]), np.float64)
    roomy[:filled] = pieces[:filled]
    return roomy


@njit(cache=True, nogil=True)
def bends(start: Longs, coords: Floats, slack_m: float) -> Bools:
    """Return which vertices of edges are needed to stay within `slack_m` of their lines, by Douglas and Peucker."""
    kept = np.zeros(coords.shape[0], np.bool_)
    stack = np.empty((64, 2), np.int64)
    for edge in range(start.size - 1):
        kept[start[edge]] = kept[start[edge + 1] - 1] = True
        stack[0, 0], stack[0, 1] = start[edge], start[edge + 1] - 1
        waiting = 1
        while waiting > 0:
            waiting -= 1
            low, high = stack[waiting, 0], stack[waiting, 1]
            ax, ay = coords[low, 0], coords[low, 1]
            dx, dy = coords[high, 0] - ax, coords[high, 1] - ay
            length2 = dx * dx + dy * dy
            worst, at = slack_m * slack_m, -1
            for v in range(low + 1, high):
                px, py = coords[v, 0] - ax, coords[v, 1] - ay
                t = min(1.0, max(0.0, (px * dx + py * dy) / length2)) if length2 > 0.0 else 0.0
                away2 = (px - t * dx) ** 2 + (py - t * dy) ** 2
                if away2 > worst:
                    worst, at = away2, v
            if at >= 0:
                kept[at] = True
                if waiting + 2 > stack.shape[0]:
                    roomy = np.empty((2 * stack.shape[0], 2), np.int64)
                    roomy[:waiting] = stack[:waiting]
                    stack = roomy
                stack[waiting, 0], stack[waiting, 1] = low, at
                stack[waiting + 1, 0], stack[waiting + 1, 1] = at, high
                waiting += 2
    return kept


@njit(cache=True, nogil=True)
def _emit_whole(first: int, last: int, coords: Floats, pieces: Floats, filled: int) -> int:
    """Add the straight pieces of a whole edge (vertices first…last); return how many are filled."""
    for v in range(first, last):
        pieces[filled, 0], pieces[filled, 1] = coords[v, 0], coords[v, 1]
        pieces[filled, 2], pieces[filled, 3] = coords[v + 1, 0], coords[v + 1, 1]
        filled += 1
    return filled


@njit(cache=True, nogil=True)
def _emit(
    first: int, last: int, begin: float, end: float, coords: Floats, along: Floats, pieces: Floats, filled: int
) -> int:
    """Add the straight pieces of an edge (vertices first…last) from one offset to another; return how many are filled.

    A stretch of no length is one piece of no length.
    """
    before = filled
    for v in range(first, last):
        if along[v + 1] < begin or (along[v + 1] == begin and begin < end):
            continue
        if filled > before and along[v] >= end:
            break
        run = along[v + 1] - along[v]
        low = max(0.0, (begin - along[v]) / run) if run > 0.0 else 0.0
        high = min(1.0, (end - along[v]) / run) if run > 0.0 else 1.0
        for axis in range(2):
            step = coords[v + 1, axis] - coords[v, axis]
            pieces[filled, axis] = coords[v, axis] + low * step
            pieces[filled, 2 + axis] = coords[v, axis] + high * step
        filled += 1
    return filled


@njit(cache=True, nogil=True)
def _shortened(rows: Floats, filled: int) -> Floats:
    """Return the first rows, copied only where most of the room was not needed: a city's worth is not held twice."""
    return rows[:filled] if 2 * filled > rows.shape[0] else rows[:filled].copy()


@njit(cache=True, nogil=True)
def reached_pieces(  # noqa: C901, PLR0912, PLR0915  one loop nest: a compiled function cannot share its scratch arrays
    indptr: Longs,
    arc_node: Ints,
    arc_edge: Ints,
    arc_side: Bytes,
    arc_cost: Floats,
    wait: Floats,
    edge_nodes: Ints,
    start: Longs,
    coords: Floats,
    along: Floats,
    ahead: Floats,
    back: Floats,
    edge_ahead: Floats,
    edge_back: Floats,
    site_start: Longs,
    site_edge: Ints,
    site_where: Floats,
    first: int,
    last: int,
    limits: Floats,
) -> tuple[Longs, Floats]:
    """Return the straight pieces (ax, ay, bx, by) of streets within the limits of sites first…last-1.

    Pieces of site s and limit k stand at ``start[(s - first) * limits.size + k]`` and after. One cut-off search a
    site, against the direction of walking; ``site_where`` as `kernels.place` returns it, coming from the ends.
    """
    n = indptr.size - 1
    label, seen, settled = np.empty(n, np.float64), np.zeros(n, np.int32), np.empty(n, np.int32)
    room = arc_node.size + 2 * int(np.diff(site_start[first : last + 1]).max())
    queue, queue_cost = np.empty(room, np.int32), np.empty(room, np.float64)
    bounds = np.zeros((last - first) * limits.size + 1, np.int64)
    pieces = np.empty((1024, 4), np.float64)
    filled, group, farthest = 0, 0, limits.max()
    for site in range(first, last):
        epoch = site - first + 1
        size, found = 0, 0
        for p in range(site_start[site], site_start[site + 1]):
            for side in range(2):
                cost = site_where[p, 5] + site_where[p, 3 + side]
                if cost <= farthest:
                    node = edge_nodes[site_edge[p], side]
                    size = offer(node, cost, epoch, seen, label, queue, queue_cost, size)
        while size > 0:
            node, least = queue[0], queue_cost[0]
            size = drop_first(queue, queue_cost, size)
            if least > label[node]:
                continue
            settled[found] = node
            found += 1
            leave = least + wait[node]
            for arc in range(indptr[node], indptr[node + 1]):
                cost = leave + arc_cost[arc]
                if cost <= farthest:
                    size = offer(arc_node[arc], cost, epoch, seen, label, queue, queue_cost, size)
        for limit in limits:
            for i in range(found):
                for arc in range(indptr[settled[i]], indptr[settled[i] + 1]):
                    e, side = arc_edge[arc], arc_side[arc]
                    near, far = edge_nodes[e, 0], edge_nodes[e, 1]
                    # An edge both of whose ends were reached is looked at from its first.
                    if side == 1 and seen[near] == epoch:
                        continue
                    low, high = start[e], start[e + 1] - 1
                    reach_to, reach_from = -1.0, np.inf
                    if seen[near] == epoch and np.isfinite(edge_back[e]):
                        rest = limit - (label[near] + wait[near])
                        if rest >= 0.0:
                            reach_to = _offset_at(min(rest, edge_back[e]), low, high, back, along)
                    if seen[far] == epoch and np.isfinite(edge_ahead[e]):
                        rest = limit - (label[far] + wait[far])
                        if rest >= 0.0:
                            reach_from = _offset_at(max(edge_ahead[e] - rest, 0.0), low, high, ahead, along)
                    pieces = _longer(pieces, filled, 2 * (high - low) + 2)
                    if reach_to >= reach_from:
                        filled = _emit_whole(low, high, coords, pieces, filled)
                        continue
                    if reach_to >= 0.0:
                        filled = _emit(low, high, 0.0, reach_to, coords, along, pieces, filled)
                    if reach_from < np.inf:
                        filled = _emit(low, high, reach_from, along[high], coords, along, pieces, filled)
            for p in range(site_start[site], site_start[site + 1]):
                e, rest = site_edge[p], limit - site_where[p, 5]
                if rest < 0.0:
                    continue
                low, high = start[e], start[e + 1] - 1
                begin = end = site_where[p, 0]
                if np.isfinite(edge_ahead[e]):
                    begin = _offset_at(max(site_where[p, 1] - rest, 0.0), low, high, ahead, along)
                if np.isfinite(edge_back[e]):
                    end = _offset_at(min(site_where[p, 2] + rest, back[high]), low, high, back, along)
                pieces = _longer(pieces, filled, high - low + 1)
                filled = _emit(low, high, begin, end, coords, along, pieces, filled)
            group += 1
            bounds[group] = filled
    return bounds, _shortened(pieces, filled)


@njit(cache=True, nogil=True)
def _lower(pieces: Floats, west: float, south: float, cell: float, margin: float, field: Singles) -> None:
    """Lower `field` (rows y, columns x) to the pieces' squared distance in metres within a margin."""
    zero, one, step = np.float32(0.0), np.float32(1.0), np.float32(cell)
    for s in range(pieces.shape[0]):
        ax, ay = pieces[s, 0] - west, pieces[s, 1] - south
        bx, by = pieces[s, 2] - west, pieces[s, 3] - south
        low, high = int((min(ay, by) - margin) / cell) + 1, int((max(ay, by) + margin) / cell)
        left, right = int((min(ax, bx) - margin) / cell) + 1, int((max(ax, bx) + margin) / cell)
        length2 = (bx - ax) ** 2 + (by - ay) ** 2
        share = np.float32(1.0 / length2) if length2 > 0.0 else zero
        dx, dy = np.float32(bx - ax), np.float32(by - ay)
        first = np.float32(left * cell - ax)
        for row in range(low, high + 1):
            py = np.float32(row * cell - ay)
            rise = py * dy
            # A slice from 0 on is what the compiler turns into vector instructions.
            line = field[row, left : right + 1]
            for k in range(line.size):
                px = first + np.float32(np.int32(k)) * step
                t = min(max((px * dx + rise) * share, zero), one)
                ex, ey = px - t * dx, py - t * dy
                line[k] = min(line[k], ex * ex + ey * ey)


@njit(cache=True, nogil=True)
def _runs(field: Singles, inside2: float) -> tuple[Longs, Ints, Ints, Longs]:
    """Return the runs of inside points: where each row's begin, first and last column of each, and its component."""
    height = field.shape[0]
    row_start = np.zeros(height + 1, np.int64)
    level = np.float32(inside2)
    begin, end = np.empty(8 * height, np.int32), np.empty(8 * height, np.int32)
    count = 0
    for row in range(height):
        line = field[row]
        if count + line.size > begin.size:
            begin = np.concatenate((begin, np.empty(begin.size + line.size, np.int32)))
            end = np.concatenate((end, np.empty(end.size + line.size, np.int32)))
        before = False
        for column in range(line.size):
            here = line[column] <= level
            if here != before:
                # The last column is outside, so that every run ends within its row.
                if here:
                    begin[count] = column
                else:
                    end[count] = column - 1
                    count += 1
                before = here
        row_start[row + 1] = count
    begin, end, parent = begin[:count].copy(), end[:count].copy(), np.arange(count)
    for row in range(1, height):
        above = row_start[row - 1]
        for run in range(row_start[row], row_start[row + 1]):
            while above < row_start[row] and end[above] < begin[run]:
                above += 1
            k = above
            while k < row_start[row] and begin[k] <= end[run]:
                a, b = _root(parent, k), _root(parent, run)
                parent[max(a, b)] = min(a, b)
                k += 1
    for run in range(count):
        parent[run] = _root(parent, run)
    return row_start, begin, end, parent


@njit(cache=True, nogil=True)
def _root(parent: Longs, k: int) -> int:
    """Return the first run of a run's component."""
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return int(k)


@njit(cache=True, nogil=True)
def _run_of(row: int, column: int, row_start: Longs, begin: Ints) -> int:
    """Return the run in which an inside point lies."""
    low, high = row_start[row], row_start[row + 1]
    while high - low > 1:
        middle = (low + high) // 2
        if begin[middle] <= column:
            low = middle
        else:
            high = middle
    return int(low)


@njit(cache=True, nogil=True)
def _trace(
    field: Singles,
    row: int,
    column: int,
    width_m: float,
    ring: int,
    row_start: Longs,
    begin: Ints,
    at_begin: Ints,
    at_end: Ints,
    points: Floats,
    filled: int,
) -> tuple[Floats, int, float]:
    """Add the ring that passes between an outside point and the inside point on its right; return the area in cells.

    The ring has the inside on its left: outlines turn against the clock and have areas above 0, holes below.
    Each point has the columns x, y, share on its grid edge from the inside point, x and y of the inside point, and
    of the step to the outside point.
    """
    in_row, in_column, out_row, out_column = row, column + 1, row, column
    down, across = -1, 0
    level = np.float32(width_m * width_m)
    area = 0.0
    first = filled
    while True:
        if down == -1:
            at_begin[_run_of(in_row, in_column, row_start, begin)] = ring
        elif down == 1:
            at_end[_run_of(in_row, in_column, row_start, begin)] = ring
        near, far = np.sqrt(field[in_row, in_column]), np.sqrt(field[out_row, out_column])
        share = min(1.0 - RIM, max(RIM, (width_m - near) / (far - near)))
        points = _longer(points, filled, 1)
        points[filled, 0] = in_column + share * (out_column - in_column)
        points[filled, 1] = in_row + share * (out_row - in_row)
        points[filled, 2], points[filled, 3], points[filled, 4] = share, in_column, in_row
        points[filled, 5], points[filled, 6] = out_column - in_column, out_row - in_row
        if filled > first:
            area += points[filled - 1, 0] * points[filled, 1] - points[filled, 0] * points[filled - 1, 1]
        filled += 1
        if field[in_row + down, in_column + across] > level:
            out_row, out_column = in_row + down, in_column + across
            down, across = across, -down
        elif field[out_row + down, out_column + across] <= level:
            in_row, in_column = out_row + down, out_column + across
            down, across = -across, down
        else:
            in_row, in_column, out_row, out_column = (
                in_row + down,
                in_column + across,
                out_row + down,
                out_column + across,
            )
        if in_row == row and in_column == column + 1 and out_row == row and out_column == column:
            break
    area += points[filled - 1, 0] * points[first, 1] - points[first, 0] * points[filled - 1, 1]
    return points, filled, area / 2


@njit(cache=True, nogil=True)
def _thinned(points: Floats, first: int, last: int, slack: float, out: Floats, filled: int) -> int:
    """Add a ring (rows first…last-1) without the points a chord can stand for; return how many are filled.

    A chord may pass each grid edge up to `slack` cells beside the point left out.
    """
    before = filled
    anchor = first
    while anchor < last:
        x, y = points[anchor, 0], points[anchor, 1]
        out[filled, 0], out[filled, 1] = x, y
        filled += 1
        taken = anchor + 1
        left_x = left_y = right_x = right_y = 0.0
        for i in range(anchor + 1, last):
            px, py = points[i, 0] - x, points[i, 1] - y
            if i == anchor + 1 or (left_x * py - left_y * px <= 0.0 and right_x * py - right_y * px >= 0.0):
                taken = i
            elif i - taken > LOOK_AHEAD:
                break
            inner, outer = max(RIM, points[i, 2] - slack), min(1.0 - RIM, points[i, 2] + slack)
            ix, iy = points[i, 3] + inner * points[i, 5] - x, points[i, 4] + inner * points[i, 6] - y
            ox, oy = points[i, 3] + outer * points[i, 5] - x, points[i, 4] + outer * points[i, 6] - y
            if i == anchor + 1 or left_x * iy - left_y * ix < 0.0:
                left_x, left_y = ix, iy
            if i == anchor + 1 or right_x * oy - right_y * ox > 0.0:
                right_x, right_y = ox, oy
            if right_x * left_y - right_y * left_x <= 0.0:
                break
        anchor = taken
    if filled - before < 4:
        filled = before
        for i in range(first, last):
            out[filled, 0], out[filled, 1] = points[i, 0], points[i, 1]
            filled += 1
    out[filled, 0], out[filled, 1] = out[before, 0], out[before, 1]
    return filled + 1


@njit(cache=True, nogil=True)
def outlines(  # noqa: C901, PLR0912, PLR0915  one loop nest: a compiled function cannot share its scratch arrays
    bounds: Longs,
    pieces: Floats,
    width_m: float,
    cell_m: float,
    most_cells: int,
    least_hole_m2: float,
    slack_m: float,
) -> tuple[Floats, Longs, Longs, Longs]:
    """Return the ground within a width of each group's pieces: places, and where rings, polygons and groups begin.

    Each polygon's outline stands before its holes; holes below the least area are filled.
    Group g is the pieces bounds[g]…bounds[g + 1] - 1. The grid's points are multiples of the cell, which is wider
    where there would be too many of them.
    """
    out, filled = np.empty((1024, 2), np.float64), 0
    ring_start, rings = np.zeros(64, np.int64), 0
    polygon_start, polygons = np.zeros(16, np.int64), 0
    group_start = np.zeros(bounds.size, np.int64)
    points = np.empty((1024, 7), np.float64)
    flat = np.empty(0, np.float32)
    for group in range(bounds.size - 1):
        own = pieces[bounds[group] : bounds[group + 1]]
        group_start[group + 1] = polygons
        if own.shape[0] == 0:
            continue
        west, east = min(own[:, 0].min(), own[:, 2].min()), max(own[:, 0].max(), own[:, 2].max())
        south, north = min(own[:, 1].min(), own[:, 3].min()), max(own[:, 1].max(), own[:, 3].max())
        cell = cell_m
        while ((east - west + 2 * width_m) / cell + 5) * ((north - south + 2 * width_m) / cell + 5) > most_cells:
            cell *= 1.25
        margin = width_m + cell
        west = (np.floor((west - margin) / cell) - 1.0) * cell
        south = (np.floor((south - margin) / cell) - 1.0) * cell
        width = int(np.ceil((east + margin - west) / cell)) + 2
        height = int(np.ceil((north + margin - south) / cell)) + 2
        if flat.size < width * height:
            flat = np.empty(width * height, np.float32)
        field = flat[: width * height].reshape(height, width)
        field[:] = np.float32(margin * margin)
        _lower(own, west, south, cell, margin, field)
        row_start, begin, _, component = _runs(field, width_m * width_m)
        at_begin, at_end = np.full(begin.size, -1, np.int32), np.full(begin.size, -1, np.int32)
        # Rings are traced from where runs of inside points begin; the first of a component is its outline.
        owner, area = np.empty(begin.size, np.int64), np.empty(begin.size, np.float64)
        begins = np.zeros(begin.size + 1, np.int64)
        traced, laid = 0, 0
        for row in range(height):
            for run in range(row_start[row], row_start[row + 1]):
                if at_begin[run] < 0:
                    points, laid, area[traced] = _trace(
                        field, row, begin[run] - 1, width_m, traced, row_start, begin, at_begin, at_end, points, laid
                    )
                    owner[traced] = run
                    traced += 1
                    begins[traced] = laid
        # A component within a filled hole is filled over with it.
        drowned = np.zeros(begin.size, np.bool_)
        small = least_hole_m2 / (cell * cell)
        for row in range(height):
            for run in range(row_start[row] + 1, row_start[row + 1]):
                ring = at_begin[run]
                if owner[ring] == run and area[ring] > 0.0:
                    beside = at_end[run - 1]
                    over = component[owner[beside]]
                    drowned[component[run]] = drowned[over] or (area[beside] < 0.0 and -area[beside] < small)
        order = np.argsort(component[owner[:traced]], kind="mergesort")
        while out.shape[0] < filled + laid + traced:
            out = _longer(out, filled, laid + traced)
        for k in order:
            base = component[owner[k]]
            if drowned[base] or (area[k] < 0.0 and -area[k] < small):
                continue
            if area[k] > 0.0:
                if polygons + 2 > polygon_start.size:
                    polygon_start = np.concatenate((polygon_start, np.zeros(polygon_start.size, np.int64)))
                polygons += 1
            if rings + 2 > ring_start.size:
                ring_start = np.concatenate((ring_start, np.zeros(ring_start.size, np.int64)))
            done = _thinned(points, begins[k], begins[k + 1], slack_m / cell, out, filled)
            for i in range(filled, done):
                out[i, 0], out[i, 1] = west + cell * out[i, 0], south + cell * out[i, 1]
            filled = done
            rings += 1
            ring_start[rings] = filled
            polygon_start[polygons] = rings
        group_start[group + 1] = polygons
    return _shortened(out, filled), ring_start[: rings + 1].copy(), polygon_start[: polygons + 1].copy(), group_start
