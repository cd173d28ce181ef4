"""Names for the made-up city: real-sounding, drawn from lists, none meant to be of a real place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sample_plan import BUSINESS, CORE, EXPRESSWAY, INDUSTRY, MIDDLE, NEW, OLD, VILLAGE, Ints, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST = np.array(
    list("清柳安永和文锦翠云青长福金玉春明仁德景松梅兰竹桂荷杏枫石泉月星晨瑞祥宁康平丰华兴盛广宏"), dtype=object
)
SECOND = np.array(list("河荫泰乐苑昌绣湖山阳林溪桥园庭坊里岭峰塘湾汀渡洲源泽屏井阁亭台城门关街巷滨畔"), dtype=object)
CALM = np.array(list("荫泰乐昌绣湖阳林溪园岭塘湾汀洲源泽屏台滨畔安宁和康秀馨逸景"), dtype=object)
FAMILIES = np.array(
    list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"), dtype=object
)

COMPOUND_ENDS = {
    CORE: ("里", "巷", "大院", "胡同", "坊"),
    OLD: ("新村", "里", "宿舍", "小区", "北区"),
    MIDDLE: ("小区", "花园", "苑", "家园", "园"),
    NEW: ("府", "华庭", "名城", "公馆", "雅居", "湾"),
    VILLAGE: ("庄", "村", "屯"),
    INDUSTRY: ("厂宿舍", "工人新村"),
    BUSINESS: ("公寓", "中心公寓"),
}

Names = "NDArray[np.object_]"


def _pick(values: NDArray[np.object_], numbers: Ints, salt: int) -> NDArray[np.object_]:
    """Return one of the values for each number, mixed so that neighbours differ (Knuth's multiplicative hash)."""
    mixed = (numbers.astype(np.uint64) * np.uint64(2_654_435_761) + np.uint64(salt * 97_003)) >> np.uint64(7)
    return np.asarray(values[(mixed % np.uint64(len(values))).astype(np.int64)], dtype=object)


def numbered(names: NDArray[np.object_], suffix: str = "区") -> NDArray[np.object_]:
    """Return the names, later ones of the same name with a number, so that no two are equal.

    Examples
    --------
    >>> import numpy as np
    >>> numbered(np.array(["安泰里", "文昌巷", "安泰里"], dtype=object)).tolist()
    ['安泰里', '文昌巷', '安泰里2区']
    """
    _, inverse = np.unique(names.astype(str), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    sorted_names = inverse[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(sorted_names) > 0]))
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names)) - np.repeat(starts, np.diff(np.append(starts, len(names))))
    return np.array(
        [name if k == 0 else f"{name}{k + 1}{suffix}" for name, k in zip(names, rank, strict=True)], dtype=object
    )


def compound_names(kind: Ints, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return a name of its own for each compound, in the fashion of its time."""
    numbers = rng.permutation(len(kind)) + 11
    names = _pick(FIRST, numbers, 1) + _pick(CALM, numbers, 2)
    for key, ends in COMPOUND_ENDS.items():
        here = kind == key
        stem = _pick(FAMILIES, numbers, 3)[here] + "家" if key == VILLAGE else names[here]
        names[here] = stem + _pick(np.array(ends, dtype=object), numbers, 4)[here]
    return numbered(names)


def district_names(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return names of sub-districts."""
    numbers = rng.permutation(count) + 5
    return numbered(np.asarray(_pick(FIRST, numbers, 5) + _pick(SECOND, numbers, 6) + "街道", dtype=object), "")


def _lattice_names(plan: Plan) -> NDArray[np.object_]:
    """Return the names of the lattice lines: horizontal ones first; ring roads are called what they are."""
    nx, ny = plan.kind.shape
    numbers = np.arange(nx + ny + 2) + 31 * (plan.seed % 1000)
    names = numbered(_pick(FIRST, numbers, 7) + _pick(SECOND, numbers, 8), "")
    names = names + np.concatenate([np.full(ny + 1, "路", dtype=object), np.full(nx + 1, "大街", dtype=object)])
    for bound, offset, ends in ((plan.row_bound, 0, ("南", "北")), (plan.column_bound, ny + 1, ("西", "东"))):
        for ring, stem in ((0, "护城"), (1, "内环"), (2, "二环"), (3, "绕城")):
            for side, end in enumerate(ends):
                names[offset + int(bound[ring, side])] = f"{stem}{end}路"
    for strip, offset, ends in ((plan.row_strip, 0, ("南", "北")), (plan.column_strip, ny + 1, ("西", "东"))):
        for position, end in zip(np.flatnonzero(strip == EXPRESSWAY), ends, strict=True):
            names[offset + int(position)] = names[offset + int(position) + 1] = f"二环{end}路"
    return np.asarray(names, dtype=object)


def street_names(plan: Plan, name: Ints, fine: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return the name of each street by its number; ``None`` for lanes without one."""
    lattice = _lattice_names(plan)
    names = _pick(FIRST, name + 17, 9) + _pick(SECOND, name + 17, 10) + np.where(fine, "巷", "路").astype(object)
    known = (name >= 0) & (name < len(lattice))
    names[known] = lattice[name[known]]
    names[name < 0] = None
    return np.asarray(names, dtype=object)
