"""Compiled inner loops of covering by options that share room: greedy, exchanges that push others out, annealing.

An option is a column of a covering matrix that serves from one block of rows on, up to the last. It takes some of the
limit of its group and some of the room of its plot. Whoever enters pushes out of its plot and its group what has no
room any more, and the groups that lost someone are filled again. All changes of a step stand in a log, so that a step
which is not kept is undone.
"""

# ruff: noqa: NPY002  compiled: the generator numba has

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Ints = NDArray[np.int32]
    Bools = NDArray[np.bool_]

BLOCK = 256
"""So many steps are tried at each temperature."""
TINY = 1e-12
SAMPLES = 4
"""Options drawn to fill a group that lost one, in an annealing."""
MOST_LISTED = 12
"""Up to so many options on a plot all their combinations are looked through."""


class Packing(NamedTuple):
    """Options as flat arrays.

    Parameters
    ----------
    cptr, row
        int32, the rows each column covers within a block, as in a csc_array.
    stride, blocks
        Rows of a block, and how many blocks there are.
    col, first
        int64 [options], the column of each, and the first block it serves.
    group, size, limit
        int64 [options] and float64 [options], what each takes of its group; float64 [groups], what there is.
    plot, need, room
        The same of plots.
    stays, owed
        bool [options], those that must be chosen; bool [plots], those of which one option must be chosen.
    gptr, glist, pptr, plist
        int64, the options of each group and of each plot.
    """

    cptr: Ints
    row: Ints
    stride: int
    blocks: int
    col: Longs
    first: Longs
    group: Longs
    size: Floats
    limit: Floats
    plot: Longs
    need: Floats
    room: Floats
    stays: Bools
    owed: Bools
    gptr: Longs
    glist: Longs
    pptr: Longs
    plist: Longs


class State(NamedTuple):
    """An answer: how often each row is covered, the sum of the options that do, what each option alone covers.

    ``tally`` holds how many are chosen and the weight covered; ``at`` the place of each option in ``members``, or -1.
    """

    times: Ints
    ids: Longs
    loss: Longs
    at: Longs
    members: Longs
    used: Floats
    filled: Floats
    tally: Longs


@njit(cache=True, nogil=True)
def option_sums(p: Packing, value: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the sum of the values of the rows each option covers."""
    columns = p.cptr.size - 1
    sums = np.zeros((p.blocks, columns), dtype=value.dtype)
    for t in range(p.blocks - 1, -1, -1):
        base = t * p.stride
        for j in range(columns):
            total = sums[t, j]
            for q in range(p.cptr[j], p.cptr[j + 1]):
                total += value[base + p.row[q]]
            sums[t, j] = total
            if t > 0:
                sums[t - 1, j] = total
    out = np.zeros(p.col.size, dtype=value.dtype)
    for k in range(out.size):
        out[k] = sums[p.first[k], p.col[k]]
    return out


@njit(cache=True, nogil=True)
def empty(p: Packing) -> State:
    """Return the answer without any option."""
    rows, options = p.stride * p.blocks, p.col.size
    return State(
        np.zeros(rows, dtype=np.int32),
        np.zeros(rows, dtype=np.int64),
        np.zeros(options, dtype=np.int64),
        np.full(options, -1, dtype=np.int64),
        np.zeros(options, dtype=np.int64),
        np.zeros(p.limit.size, dtype=np.float64),
        np.zeros(p.room.size, dtype=np.float64),
        np.zeros(2, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def put_in(p: Packing, weight: Longs, s: State, k: int) -> None:
    """Choose an option."""
    own = 0
    for t in range(p.first[k], p.blocks):
        base = t * p.stride
        for q in range(p.cptr[p.col[k]], p.cptr[p.col[k] + 1]):
            i = base + p.row[q]
            if s.times[i] == 0:
                own += weight[i]
            elif s.times[i] == 1:
                s.loss[s.ids[i]] -= weight[i]
            s.times[i] += 1
            s.ids[i] += k
    s.loss[k] = own
    s.tally[1] += own
    s.at[k] = s.tally[0]
    s.members[s.tally[0]] = k
    s.tally[0] += 1
    s.used[p.group[k]] += p.size[k]
    s.filled[p.plot[k]] += p.need[k]


@njit(cache=True, nogil=True)
def take_out(p: Packing, weight: Longs, s: State, k: int) -> None:
    """Give up an option."""
    for t in range(p.first[k], p.blocks):
        base = t * p.stride
        for q in range(p.cptr[p.col[k]], p.cptr[p.col[k] + 1]):
            i = base + p.row[q]
            s.times[i] -= 1
            s.ids[i] -= k
            if s.times[i] == 1:
                s.loss[s.ids[i]] += weight[i]
    s.tally[1] -= s.loss[k]
    s.loss[k] = 0
    s.tally[0] -= 1
    last = s.members[s.tally[0]]
    s.members[s.at[k]] = last
    s.at[last] = s.at[k]
    s.at[k] = -1
    s.used[p.group[k]] -= p.size[k]
    s.filled[p.plot[k]] -= p.need[k]


@njit(cache=True, nogil=True)
def gain_of(p: Packing, weight: Longs, s: State, k: int) -> int:
    """Return the weight an option would add."""
    gain = 0
    for t in range(p.first[k], p.blocks):
        base = t * p.stride
        for q in range(p.cptr[p.col[k]], p.cptr[p.col[k] + 1]):
            i = base + p.row[q]
            if s.times[i] == 0:
                gain += weight[i]
    return gain


@njit(cache=True, nogil=True)
def fits(p: Packing, s: State, k: int) -> bool:
    """Say whether there is room for an option."""
    g, r = p.group[k], p.plot[k]
    room = s.used[g] + p.size[k] <= p.limit[g] and s.filled[r] + p.need[k] <= p.room[r]
    return bool(s.at[k] < 0 and room)


@njit(cache=True, nogil=True)
def add_greedily(p: Packing, weight: Longs, s: State, free: Bools, power: float) -> None:
    """Choose free options one by one, each adding the most for its size to a power, the first when equal."""
    top = option_sums(p, weight)
    counted = np.full(top.size, -1, dtype=np.int64)
    if s.tally[0] == 0:
        counted[:] = 0
    while True:
        best, most = -1, 0.0
        for k in range(top.size):
            if free[k] and top[k] > 0 and fits(p, s, k):
                worth = top[k] / max(p.size[k], TINY) ** power
                if worth > most:
                    best, most = k, worth
        if best < 0:
            return
        if counted[best] < s.tally[0]:
            top[best] = gain_of(p, weight, s, best)
            counted[best] = s.tally[0]
            continue
        put_in(p, weight, s, best)


@njit(cache=True, nogil=True)
def _log_out(p: Packing, weight: Longs, s: State, k: int, log: Longs) -> None:
    take_out(p, weight, s, k)
    log[0] += 1
    log[log[0]] = -k - 1


@njit(cache=True, nogil=True)
def _log_in(p: Packing, weight: Longs, s: State, k: int, log: Longs) -> None:
    put_in(p, weight, s, k)
    log[0] += 1
    log[log[0]] = k + 1


@njit(cache=True, nogil=True)
def undo(p: Packing, weight: Longs, s: State, log: Longs) -> None:
    """Take the steps of a log back."""
    for e in range(log[0], 0, -1):
        if log[e] > 0:
            take_out(p, weight, s, log[e] - 1)
        else:
            put_in(p, weight, s, -log[e] - 1)
    log[0] = 0


@njit(cache=True, nogil=True)
def _refill(p: Packing, weight: Longs, s: State, free: Bools, g: int, samples: int, log: Longs) -> None:
    """Give a group's slack to its best option, among so many drawn at random, or among all for 0."""
    while log[0] + 1 < log.size:
        best, most = -1, 0
        wide = p.gptr[g + 1] - p.gptr[g]
        for draw in range(wide if samples == 0 else samples):
            k = p.glist[p.gptr[g] + (draw if samples == 0 else np.random.randint(0, wide))]
            if free[k] and fits(p, s, k):
                gain = gain_of(p, weight, s, k)
                if gain > most:
                    best, most = k, gain
        if best < 0:
            return
        _log_in(p, weight, s, best, log)


@njit(cache=True, nogil=True)
def _clear_plot(p: Packing, weight: Longs, s: State, b: int, log: Longs) -> bool:
    """Push out of the plot of an option that entered what has no room beside it, the least lost first."""
    r = p.plot[b]
    while s.filled[r] > p.room[r]:
        least = -1
        for q in range(p.pptr[r], p.pptr[r + 1]):
            k = p.plist[q]
            if k != b and s.at[k] >= 0 and not p.stays[k] and (least < 0 or s.loss[k] < s.loss[least]):
                least = k
        if least < 0 or log[0] + 1 >= log.size:
            return False
        _log_out(p, weight, s, least, log)
    return True


@njit(cache=True, nogil=True)
def _clear_group(p: Packing, weight: Longs, s: State, b: int, log: Longs, power: float) -> bool:
    """Push out of the group of an option that entered what has no room beside it, the least lost for its size first."""
    g = p.group[b]
    while s.used[g] > p.limit[g]:
        least, lost = -1, 0.0
        for m in range(s.tally[0]):
            k = s.members[m]
            if k == b or p.group[k] != g or p.stays[k] or p.owed[p.plot[k]] or p.size[k] <= 0.0:
                continue
            worth = s.loss[k] / p.size[k] ** power
            if least < 0 or worth < lost or (worth == lost and k > least):
                least, lost = k, worth
        if least < 0 or log[0] + 1 >= log.size:
            return False
        _log_out(p, weight, s, least, log)
    return True


@njit(cache=True, nogil=True)
def enter(p: Packing, weight: Longs, s: State, free: Bools, b: int, samples: int, log: Longs, power: float) -> bool:
    """Choose an option, push out what has no room beside it, and fill the groups that lost someone; say if it could."""
    log[0] = 0
    _log_in(p, weight, s, b, log)
    if not _clear_plot(p, weight, s, b, log) or not _clear_group(p, weight, s, b, log, power):
        undo(p, weight, s, log)
        return False
    changes = log[0]
    for e in range(2, changes + 1):
        _refill(p, weight, s, free, p.group[-log[e] - 1], samples, log)
    return True


@njit(cache=True, nogil=True)
def descend(p: Packing, weight: Longs, s: State, free: Bools, samples: int, seed: int, power: float) -> None:
    """Let options enter while that covers more, until none of the free ones betters the answer."""
    np.random.seed(seed)
    log = np.zeros(64, dtype=np.int64)
    since, k, options = 0, 0, p.col.size
    while since < options:
        since += 1
        if free[k] and s.at[k] < 0:
            before = s.tally[1]
            if enter(p, weight, s, free, k, samples, log, power):
                if s.tally[1] > before:
                    since = 0
                else:
                    undo(p, weight, s, log)
        k = (k + 1) % options


@njit(cache=True, nogil=True)
def anneal(
    p: Packing, weight: Longs, s: State, free: Bools, entering: Longs, heat: tuple[float, float], steps: int, seed: int
) -> Longs:
    """Return the options of the best answer met, while steps that lose are kept ever more rarely.

    Parameters
    ----------
    heat
        Temperatures at first and at last; a step that loses d is kept with probability exp(-d / temperature).
    """
    np.random.seed(seed)
    log = np.zeros(64, dtype=np.int64)
    best, most = s.members[: s.tally[0]].copy(), s.tally[1]
    temperature = heat[0]
    shrink = (heat[1] / heat[0]) ** (1.0 / max(1, steps // BLOCK))
    for step in range(steps):
        if step % BLOCK == BLOCK - 1:
            temperature *= shrink
        b = entering[np.random.randint(0, entering.size)]
        if s.at[b] >= 0:
            continue
        before = s.tally[1]
        if not enter(p, weight, s, free, b, SAMPLES, log, float(np.random.randint(0, 2))):
            continue
        better = s.tally[1] - before
        if better < 0 and np.random.random() >= np.exp(better / temperature):
            undo(p, weight, s, log)
        elif s.tally[1] > most:
            most = s.tally[1]
            best = s.members[: s.tally[0]].copy()
    return best


@njit(cache=True, nogil=True)
def cheaper(p: Packing, weight: Longs, s: State, free: Bools, price: Floats) -> None:
    """Exchange options for cheaper ones of their group, lower ones when as cheap, while as much is covered."""
    changed = True
    while changed:
        changed = False
        for k in np.sort(s.members[: s.tally[0]]):
            if p.stays[k] or p.owed[p.plot[k]]:
                continue
            own = s.loss[k]
            g, best = p.group[k], k
            take_out(p, weight, s, k)
            for q in range(p.gptr[g], p.gptr[g + 1]):
                b = p.glist[q]
                less = price[b] < price[best] or (price[b] == price[best] and b < best)
                if b != k and free[b] and less and fits(p, s, b) and gain_of(p, weight, s, b) == own:
                    best = b
            put_in(p, weight, s, best)
            changed = changed or best != k


@njit(cache=True, nogil=True)
def _combined(p: Packing, worth: Floats, start: int, end: int, r: int, within: Floats, without: Floats) -> float:
    """Return the most worth a plot can hold, with each of its options and without it, over all combinations."""
    n = end - start
    most = -np.inf
    for q in range(start, end):
        within[p.plist[q]] = without[p.plist[q]] = -np.inf
    for chosen in range(1 << n):
        total, need, allowed = 0.0, 0.0, True
        for e in range(n):
            k = p.plist[start + e]
            if chosen >> e & 1:
                total += worth[k]
                need += p.need[k]
            elif p.stays[k]:
                allowed = False
        if not allowed or need > p.room[r] or (p.owed[r] and chosen == 0):
            continue
        most = max(most, total)
        for e in range(n):
            k = p.plist[start + e]
            if chosen >> e & 1:
                within[k] = max(within[k], total)
            else:
                without[k] = max(without[k], total)
    return most


@njit(cache=True, nogil=True)
def plot_worth(p: Packing, worth: Floats, within: Floats, without: Floats) -> float:
    """Return no less than the most worth that all plots can hold; with each option, and without it, what its plot can.

    ``within`` and ``without`` are the loss of the sum when an option is forced in or out.
    """
    whole = 0.0
    for r in range(p.room.size):
        start, end = p.pptr[r], p.pptr[r + 1]
        if start == end:
            continue
        least, second = np.inf, np.inf
        for q in range(start, end):
            need = p.need[p.plist[q]]
            if need < least:
                least, second = need, least
            elif need < second:
                second = need
        if end - start <= MOST_LISTED and not (least + second > p.room[r] and end - start > 4):
            most = _combined(p, worth, start, end, r, within, without)
        elif least + second > p.room[r]:
            most = _single(p, worth, start, end, r, within, without)
        else:
            most = _loose(p, worth, start, end, within, without)
        for q in range(start, end):
            k = p.plist[q]
            within[k], without[k] = most - within[k], most - without[k]
        whole += most
    return whole


@njit(cache=True, nogil=True)
def _single(p: Packing, worth: Floats, start: int, end: int, r: int, within: Floats, without: Floats) -> float:
    """Return the most worth a plot can hold that has room for one option only."""
    none = -np.inf if p.owed[r] else 0.0
    stays = -1
    for q in range(start, end):
        if p.stays[p.plist[q]]:
            stays = p.plist[q]
    first, second, who = none, -np.inf, -1
    for q in range(start, end):
        k = p.plist[q]
        here = worth[k] if p.need[k] <= p.room[r] else -np.inf
        within[k] = here if stays < 0 or stays == k else -np.inf
        if here > first:
            first, second, who = here, first, k
        elif here > second:
            second = here
    if stays >= 0:
        first, second, who = worth[stays], -np.inf, stays
    for q in range(start, end):
        k = p.plist[q]
        without[k] = second if k == who else first
    return first


@njit(cache=True, nogil=True)
def _loose(p: Packing, worth: Floats, start: int, end: int, within: Floats, without: Floats) -> float:
    """Return what a plot could hold if it had room for all its options: too many to look through their combinations."""
    most = 0.0
    for q in range(start, end):
        k = p.plist[q]
        most += worth[k] if p.stays[k] else max(worth[k], 0.0)
    for q in range(start, end):
        k = p.plist[q]
        within[k] = most + min(worth[k], 0.0) if not p.stays[k] else most
        without[k] = most - max(worth[k], 0.0) if not p.stays[k] else -np.inf
    return most
