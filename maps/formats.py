"""How numbers, lengths, walks and dates are written, on the map page, the printed sheets and in documents alike."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ..layers.words import Language, say


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers of one kind are written: value times factor, rounded half up, grouped by thousands, unit behind.

    Parameters
    ----------
    digits
        Decimals shown.
    factor
        From the unit of the data to the unit shown.
    unit
        Key of the unit's text in the catalogue, ``None`` for none.
    grouped
        Whether thousands are set apart.
    share
        True for rates: what is not all is never written as 100 %, what is not none never as 0 %.
    """

    digits: int = 0
    factor: float = 1.0
    unit: str | None = None
    grouped: bool = True
    share: bool = False


NUMBER_FORMATS: dict[str, NumberFormat] = {
    "count": NumberFormat(),
    "plain": NumberFormat(grouped=False),
    "tenth": NumberFormat(digits=1),
    "decimal": NumberFormat(digits=2),
    "index": NumberFormat(digits=3),
    "percent": NumberFormat(digits=1, factor=100.0, unit="map.unit_percent", share=True),
    "metres": NumberFormat(unit="map.unit_m"),
    "tenth_metres": NumberFormat(digits=1, unit="map.unit_m"),
    "fine_metres": NumberFormat(digits=2, unit="map.unit_m"),
    "kilometres": NumberFormat(digits=1, factor=1e-3, unit="map.unit_km"),
    "square_metres": NumberFormat(unit="map.unit_m2"),
    "hectares": NumberFormat(digits=2, factor=1e-4, unit="map.unit_ha"),
    "square_kilometres": NumberFormat(digits=2, factor=1e-6, unit="map.unit_km2"),
    "ten_thousand_m2": NumberFormat(digits=2, factor=1e-4, unit="map.unit_wan_m2"),
    "seconds": NumberFormat(unit="map.unit_s"),
    "minutes": NumberFormat(digits=1, factor=1 / 60, unit="map.unit_min"),
    "fine_minutes": NumberFormat(digits=2, factor=1 / 60, unit="map.unit_min"),
    "whole_minutes": NumberFormat(factor=1 / 60, unit="map.unit_min"),
    "ten_thousand": NumberFormat(digits=2, factor=1e-4, unit="map.unit_wan"),
}
"""Kinds of numbers; the page's script writes them by the same table."""

WALK_KINDS = {"m": ("metres", "tenth_metres", "fine_metres"), "s": ("minutes", "fine_minutes")}
"""How walks are written by their unit, coarse first; the page's script does likewise."""

NOTHING = "—"
"""Stands where a value is not known."""


def format_number(value: float | None, kind: str, language: Language) -> str:
    """Return a number as its kind is written; what is not known as a dash.

    Examples
    --------
    >>> format_number(12345.5, "count", "en"), format_number(1e4, "hectares", "zh"), format_number(None, "count", "en")
    ('12,346', '1.00 公顷', '—')
    >>> [format_number(rate, "percent", "en") for rate in (0.8725, 0.99999, 1.0)]
    ['87.3%', '>99.9%', '100.0%']
    """
    form = NUMBER_FORMATS[kind]
    if value is None or not math.isfinite(value):
        return NOTHING
    unit = say(form.unit, language) if form.unit else ""
    step = Decimal(1).scaleb(-form.digits)
    shown = Decimal(float(value) * form.factor).quantize(step, rounding=ROUND_HALF_UP)
    sign = ""
    if form.share and 0 < value < 1:
        if shown >= 100:
            sign, shown = ">", 100 - step
        elif shown <= 0:
            sign, shown = "<", step
    shown = abs(shown) if shown == 0 else shown
    return f"{sign}{shown:,f}{unit}" if form.grouped else f"{sign}{shown:f}{unit}"


def format_people(value: float | None, language: Language) -> str:
    """Return a number of people for a headline: exact below ten thousand, and in 万 above it in Chinese.

    Examples
    --------
    >>> format_people(9876, "zh"), format_people(312345, "zh"), format_people(312345, "en")
    ('9,876', '31.23 万', '312,345')
    """
    large = language == "zh" and value is not None and math.isfinite(value) and abs(value) >= 10_000
    return format_number(value, "ten_thousand" if large else "count", language)


def scales(language: Language) -> dict[str, tuple[tuple[float | None, str], ...]]:
    """Return the measures that are written in the unit that suits their size: below which value which kind of number.

    Examples
    --------
    >>> scales("zh")["floor_area"], scales("en")["floor_area"]
    (((10000.0, 'square_metres'), (None, 'ten_thousand_m2')), ((None, 'square_metres'),))
    """
    large: tuple[tuple[float | None, str], ...] = ((None, "square_metres"),)
    if language == "zh":
        large = ((1e4, "square_metres"), (None, "ten_thousand_m2"))
    return {
        "area": ((1e4, "square_metres"), (1e7, "hectares"), (None, "square_kilometres")),
        "floor_area": large,
        "length": ((1e4, "metres"), (None, "kilometres")),
    }


def _format_scaled(value: float | None, scale: str, language: Language) -> str:
    """Return a measure in the unit that suits its size."""
    size = value if value is not None and math.isfinite(value) else 0.0
    kind = next(kind for below, kind in scales(language)[scale] if below is None or size < below)
    return format_number(value, kind, language)


def format_floor_area(value_m2: float | None, language: Language) -> str:
    """Return a floor area: in 万平方米 from ten thousand on in Chinese, else in square metres.

    Examples
    --------
    >>> format_floor_area(42_000, "zh"), format_floor_area(42_000, "en")
    ('4.20 万平方米', '42,000 m²')
    """
    return _format_scaled(value_m2, "floor_area", language)


def format_area(value_m2: float | None, language: Language) -> str:
    """Return an area in the unit that suits its size: m² below 1 ha, ha below 10 km², else km².

    Examples
    --------
    >>> format_area(850, "en"), format_area(38_200, "zh"), format_area(25_000_000, "en")
    ('850 m²', '3.82 公顷', '25.00 km²')
    """
    return _format_scaled(value_m2, "area", language)


def format_length(value_m: float | None, language: Language) -> str:
    """Return a length in metres, from 10 km on in kilometres.

    Examples
    --------
    >>> format_length(312.4, "en"), format_length(12_340, "zh")
    ('312 m', '12.3 公里')
    """
    return _format_scaled(value_m, "length", language)


def format_limit(limit: float | None, unit: str, language: Language) -> str:
    """Return a walking limit: metres, or minutes where the limit is in seconds.

    Parameters
    ----------
    limit
        In ``unit``.
    unit
        ``m`` or ``s``, as the table says it beside the limit.

    Examples
    --------
    >>> format_limit(300.0, "m", "zh"), format_limit(900.0, "s", "en"), format_limit(450.0, "s", "zh")
    ('300 米', '15 min', '7.5 分钟')
    """
    if unit == "s" and limit is not None and limit % 60 == 0:
        return format_number(limit, "whole_minutes", language)
    return format_walk(limit, unit, language)


def format_walk(walk: float | None, unit: str, language: Language, *, limit: float | None = None) -> str:
    """Return how far a walk is: metres, or minutes to a tenth where it is in seconds.

    Parameters
    ----------
    walk
        In ``unit``.
    unit
        ``m`` or ``s``.
    limit
        The limit that the walk is held against, where it stands beside it: digits are added, up to two, until the walk
        as written lies on the same side of the limit as the walk itself.

    Examples
    --------
    >>> format_walk(312.4, "m", "zh"), format_walk(390.0, "s", "zh"), format_walk(None, "s", "en")
    ('312 米', '6.5 分钟', '—')
    >>> format_walk(300.3, "m", "en", limit=300.0), format_walk(300.04, "m", "en", limit=300.0)
    ('300.3 m', '300.04 m')
    """
    kinds = WALK_KINDS["s" if unit == "s" else "m"]
    if walk is None or limit is None or not math.isfinite(walk) or walk <= limit:
        return format_number(walk, kinds[0], language)
    kind = next((kind for kind in kinds if _shown(walk, kind) > _shown(limit, kind)), kinds[-1])
    return format_number(walk, kind, language)


def _shown(value: float, kind: str) -> Decimal:
    """Return a number as it is written, without its unit."""
    form = NUMBER_FORMATS[kind]
    return Decimal(value * form.factor).quantize(Decimal(1).scaleb(-form.digits), rounding=ROUND_HALF_UP)


def format_speed(speed_mps: float, language: Language) -> str:
    """Return a walking speed.

    Examples
    --------
    >>> format_speed(0.8, "zh")
    '0.8 m/s'
    """
    return say("map.speed", language, speed=f"{speed_mps:g}")


def format_date(value: dt.date | str | None, language: Language) -> str:
    """Return a date as people write it; a text that is no ISO date is left as it stands.

    Examples
    --------
    >>> format_date("2026-11-05", "zh"), format_date("2026-11-05", "en"), format_date("spring 2026", "en")
    ('2026年11月5日', '5 November 2026', 'spring 2026')
    """
    if value is None:
        return NOTHING
    try:
        day = dt.date.fromisoformat(value[:10]) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return say("map.date", language, year=day.year, month=say(f"map.month_{day.month}", language), day=day.day)


def format_points(more: float | None, less: float | None, language: Language) -> str:
    """Return how far one share lies above another in percentage points, as the two stand in print to a tenth.

    Examples
    --------
    >>> format_points(0.8525, 0.3917, "en"), format_points(0.2, 0.25, "zh"), format_points(None, 0.2, "en")
    ('+46.1', '-5.0', '—')
    """
    if more is None or less is None or not (math.isfinite(more) and math.isfinite(less)):
        return NOTHING
    form = NUMBER_FORMATS["percent"]
    step = Decimal(1).scaleb(-form.digits)
    first, second = (Decimal(share * form.factor).quantize(step, rounding=ROUND_HALF_UP) for share in (more, less))
    return f"{first - second:+,f}" if first != second else format_number(0.0, "tenth", language)
