"""Planning standards as data: which facility within which walk, by which clause, and how sure that is.

A standard is a TOML file with a ``[standard]`` table and one ``[rule.CLASS]`` for each facility class; ``[circle.N]``
and ``[indicator.KEY]`` where it has them. A local standard extends another and changes it by key; what it changes
without saying how sure it is carries confidence D.
"""

from .model import (
    Circle,
    Confidence,
    Figure,
    Group,
    Indicator,
    Land,
    LivingCircle,
    Measure,
    Metric,
    Per,
    Rule,
    Standard,
    metres_of_minutes,
)
from .read import load_standard, shipped_standards

__all__ = [
    "Circle",
    "Confidence",
    "Figure",
    "Group",
    "Indicator",
    "Land",
    "LivingCircle",
    "Measure",
    "Metric",
    "Per",
    "Rule",
    "Standard",
    "load_standard",
    "metres_of_minutes",
    "shipped_standards",
]
