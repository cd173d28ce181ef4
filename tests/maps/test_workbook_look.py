"""How the workbook looks: columns as wide as what they show, heads in sight, formats by what a column holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest
from made_findings import made_findings

from lifecircle.layers.words import LANGUAGES
from lifecircle.maps.workbook import FROZEN, NARROWEST, WIDEST, _as_shown, write_workbook

if TYPE_CHECKING:
    from openpyxl import Workbook

    from lifecircle.layers.words import Language


@pytest.fixture(scope="module", params=LANGUAGES)
def book(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Language, Workbook]:
    path = tmp_path_factory.mktemp("book") / "tables.xlsx"
    return request.param, openpyxl.load_workbook(
        write_workbook(made_findings(request.param), path, language=request.param)
    )


def test_heads_and_first_columns_stay_in_sight(book: tuple[Language, Workbook]) -> None:
    _, written = book
    panes = [sheet.freeze_panes for sheet in written.worksheets]
    assert all(pane is not None and pane.endswith("2") for pane in panes)
    assert panes[0] == f"{'ABC'[FROZEN['missing']]}2", "the list that planners print first: code and name"
    assert set(panes[1:]) == {"B2"}
    assert {sheet.page_setup.paperSize for sheet in written.worksheets} == {8, 9}


def test_columns_are_as_wide_as_what_they_show(book: tuple[Language, Workbook]) -> None:
    for sheet in book[1].worksheets:
        for head in sheet[1]:
            if head.column_letter not in sheet.column_dimensions:  # openpyxl keeps the first of several that are alike
                continue
            width = sheet.column_dimensions[head.column_letter].width
            cells = [cell for cell in sheet[head.column_letter][1:] if cell.value is not None]
            numbers = [cell for cell in cells if isinstance(cell.value, int | float)]
            assert NARROWEST <= width <= WIDEST + 1
            if cells and len(numbers) == len(cells):
                longest = max(len(_as_shown(cell.value, cell.number_format)) for cell in numbers)
                assert width >= longest
                assert width <= max(2 * longest + 4, 1.2 * 2 * len(str(head.value)) + 6, NARROWEST + 2)


def test_texts_are_texts_and_numbers_have_a_format(book: tuple[Language, Workbook]) -> None:
    language, written = book
    for sheet in written.worksheets:
        for head in sheet[1]:
            cells = [cell for cell in sheet[head.column_letter][1:] if cell.value is not None]
            if any(isinstance(cell.value, str) for cell in cells):
                assert {cell.number_format for cell in cells} == {"@"}, (sheet.title, head.value)
        hidden = [str(head.value) for head in sheet[1] if sheet.column_dimensions[head.column_letter].hidden]
        assert all("英文" in name for name in hidden)
        assert language == "zh" or not hidden


@pytest.mark.parametrize(
    ("value", "pattern", "shown"),
    [
        (0.324578, "0.0%", "32.5%"),
        (12345.678, "#,##0", "12,346"),
        (1.5, "#,##0.###", "1.500"),
        ("甲", "@", "甲"),
        (float("nan"), "0", ""),
        (-0.05, "+0.0%;-0.0%;0.0%", "-5.0%"),
    ],
)
def test_numbers_are_measured_as_they_are_shown(value: object, pattern: str, shown: str) -> None:
    assert _as_shown(value, pattern) == shown
