"""The answer of fair covering: what maximal covering answers, and how each group fares."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .kernels_fair import gains, put_in, take_out
from .siting_answer import Siting, answer, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .fair_check import FairCase
    from .median_search import Effort
    from .siting_answer import Outcome

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Fair: TypeAlias = Callable[[Ints], Bools]


@dataclass(frozen=True, slots=True)
class Level:
    """The k-th worst rate of the groups.

    Parameters
    ----------
    group
        The group that has it.
    rate
        Covered ÷ all people of the group, existing facilities counted.
    bound
        No choice in which the groups worse off fare as well has a higher one.
    """

    group: int
    rate: Fraction
    bound: Fraction

    @property
    def proven(self) -> bool:
        """Say whether nothing better is possible."""
        return self.rate == self.bound


@dataclass(frozen=True, slots=True, kw_only=True)
class FairSiting(Siting):
    """Chosen sites as `Siting` has them, and how each group fares.

    A runner-up keeps what is asked of the groups; -1 where none does.

    Parameters
    ----------
    groups
        int64 [G], the groups that have people, rising.
    people, before, after
        int64 [G], weight of each group, what of it was covered before and is covered after.
    least
        int64 [G], weight of each group that was asked to be covered.
    levels
        The rates from the worst to the best, where they were maximised in this order.
    """

    groups: Ints
    people: Ints
    before: Ints
    after: Ints
    least: Ints
    levels: tuple[Level, ...] = ()

    @property
    def rates(self) -> Floats:
        """Return the share of each group that is covered, as a float, to be shown."""
        return self.after / self.people

    @property
    def worst(self) -> tuple[int, Fraction]:
        """Return the group with the lowest rate, and the rate; the first one of equal ones."""
        rates = [Fraction(int(after), int(people)) for after, people in zip(self.after, self.people, strict=True)]
        place = min(range(len(rates)), key=lambda one: (rates[one], one))
        return int(self.groups[place]), rates[place]


def answer_fair(case: FairCase, picked: Ints, ended: Outcome, effort: Effort, *, least: Ints, fair: Fair) -> FairSiting:
    """Put the answer together.

    Parameters
    ----------
    case
        The problem.
    picked
        int64 [k], the chosen candidates beside those forced in.
    ended, effort
        How the search ended, and its limits.
    least
        int64 [G], weight of each group that was asked to be covered.
    fair
        Says whether weights covered of each group, existing and forced ones among them, are what is asked: int64
        [m, G] to bool [m].
    """
    left, groups = case.left, case.groups
    board = _Board(case)
    stay = board.tidied(picked, fair)
    everything = np.concatenate([left.forced, stay])
    if len(everything) and (left.forced.size or left.case.left.any()):
        kept = left.into.copy()
        kept[everything] = True  # none of them may be exchanged for what is equal but for the groups
        plain = answer(left.case, everything, replace(ended, into=kept), effort)
        runner_up, loses = board.stand_ins(plain.chosen, fair)
    else:
        plain = nothing(left.case, ended.began, effort.seed)
        runner_up, loses = plain.runner_up, plain.runner_up_loses
    after = groups.before + board.newly(plain.chosen)
    own = {**_fields(plain), "runner_up": runner_up, "runner_up_loses": loses}
    return FairSiting(**own, groups=groups.number, people=groups.people, before=groups.before, after=after, least=least)


def _fields(one: Siting) -> dict[str, Any]:
    """Return the fields of a dataclass by name."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


class _Board:
    """Whom each candidate would add beside some that are chosen, by group."""

    def __init__(self, case: FairCase) -> None:
        left, groups = case.left, case.groups
        self.case, self.count_groups = case, len(groups.number)
        matrix, columns = left.case.matrix, left.case.columns
        self.cover = (
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            columns.indptr.astype(np.int32),
            columns.indices.astype(np.int32),
        )
        self.values = (left.case.left, left.case.left_tie, groups.of)
        self.free = ~left.into & ~left.out

    def _clear(self) -> None:
        """Begin with nothing chosen."""
        rptr, col, cptr, _ = self.cover
        self.count = np.zeros(len(rptr) - 1, dtype=np.int32)
        self.total = np.zeros(self.count_groups + 2, dtype=np.int64)
        self.gain = gains(rptr, col, *self.values, len(cptr) - 1, self.count_groups)

    def _put(self, one: int) -> None:
        put_in(*self.cover, *self.values, self.count, self.total, self.gain, one)

    def _take(self, one: int) -> None:
        take_out(*self.cover, *self.values, self.count, self.total, self.gain, one)

    def newly(self, chosen: Ints) -> Ints:
        """Return the weight of each group that the chosen cover newly."""
        self._clear()
        for one in chosen.tolist():
            self._put(one)
        return self.total[: self.count_groups].copy()

    def _fair_with(self, fair: Fair) -> Bools:
        """Say of each candidate whether the answer is fair with it."""
        after = self.case.groups.before + self.total[:-2] + self.gain[:, :-2]
        return fair(after)

    def tidied(self, picked: Ints, fair: Fair) -> Ints:
        """Return the picked without those that add nobody, and with cheaper ones in their place where nothing is lost.

        Cheaper first, then lower numbers, one exchange after the other until none is left.
        """
        case, costs = self.case, self.case.left.case.costs
        self.newly(np.concatenate([case.left.forced, picked]))
        chosen = sorted(picked.tolist(), key=lambda one: (-costs[one], -one))
        for one in list(chosen):
            self._take(one)
            if self.gain[one, :-1].any():
                self._put(one)
            else:
                chosen.remove(one)
        free, changed = self.free.copy(), True
        free[chosen] = False
        while changed:
            changed = False
            for place, one in enumerate(chosen):
                self._take(one)
                totals = self.gain[:, :-1].sum(axis=1)
                same = free & (totals == totals[one]) & (self.gain[:, -1] == self.gain[one, -1])
                same &= self._fair_with(fair)
                same[one] = True
                equal = np.flatnonzero(same)
                best = int(equal[np.lexsort([equal, costs[equal]])[0]])
                self._put(best)
                if best != one:
                    chosen[place], free[one], free[best], changed = best, True, False, True
        return np.sort(np.array(chosen, dtype=np.int64))

    def stand_ins(self, chosen: Ints, fair: Fair) -> tuple[Ints, Ints]:
        """Return for each chosen one the candidate that keeps the answer fair and loses least, and the loss."""
        self.newly(chosen)
        other, loses = np.full(len(chosen), -1, dtype=np.int64), np.zeros(len(chosen), dtype=np.int64)
        for place, one in enumerate(chosen.tolist()):
            self._take(one)
            worth = self.gain[:, :-1].sum(axis=1)
            able = self.free & self._fair_with(fair) & (worth > 0)
            able[chosen] = False
            loses[place] = worth[one]
            if able.any():
                other[place] = int(np.flatnonzero(able)[np.argmax(worth[able])])
                loses[place] = worth[one] - worth[other[place]]
            self._put(one)
        return other, loses
