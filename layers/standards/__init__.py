"""Planning standards as data: which facility within which walk, by which clause, and how sure that is.

A standard is a TOML file with a ``[standard]`` table and one ``[rule.CLASS]`` for each facility class; ``[circle.N]``
and ``[indicator.KEY]`` where it has them. A local standard extends another and changes it by key; what it changes
without saying how sure it is carries confidence D.
"""

from .compare import Difference, differences
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
from .read import class_names, load_standard, shipped_standards
from .write import as_data, confidence_counts, figure_name, figure_text, range_text, rule_rows, template

__all__ = [
    "Circle",
    "Confidence",
    "Difference",
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
    "as_data",
    "class_names",
    "confidence_counts",
    "differences",
    "figure_name",
    "figure_text",
    "load_standard",
    "metres_of_minutes",
    "range_text",
    "rule_rows",
    "shipped_standards",
    "template",
]
