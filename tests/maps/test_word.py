"""The Word document, read back: figures of the findings, captions in order, Chinese fonts, same bytes."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from made_findings import made_findings

from lifecircle.gis.errors import InputError
from lifecircle.layers.words import LANGUAGES
from lifecircle.maps.paper import POINT_MM, text_width
from lifecircle.maps.report import Column, Report, Table, report_of
from lifecircle.maps.sheet import Sheet, write_sheets
from lifecircle.maps.word import FIGURE_WIDTH_MM, TEXT_WIDTH_MM, WIDE_WIDTH_MM, _widths, write_word

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> list[Sheet]:
    return write_sheets(made_findings("zh"), tmp_path_factory.mktemp("sheets"), formats=("png",))


@pytest.fixture(scope="module", params=LANGUAGES)
def written(
    request: pytest.FixtureRequest, sheets: list[Sheet], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Findings, Report, Path]:
    findings = made_findings(request.param)
    report = report_of(findings)
    return findings, report, write_word(report, sheets, tmp_path_factory.mktemp("word") / "report.docx")


def _read(path: Path) -> Any:  # noqa: ANN401  python-docx's own class is private
    return Document(str(path))


def test_every_table_is_read_back_cell_by_cell(written: tuple[Findings, Report, Path]) -> None:
    _, report, path = written
    found = _read(path).tables[1:]  # the first is the block of facts on the first page
    assert len(found) == len(report.tables())
    for table, expected in zip(found, report.tables(), strict=True):
        rows = [tuple(cell.text for cell in row.cells) for row in table.rows]
        assert rows[0] == tuple(column.title for column in expected.columns)
        assert tuple(rows[1:]) == expected.rows


def test_covered_people_are_the_findings(written: tuple[Findings, Report, Path]) -> None:
    findings, report, path = written
    coverage = findings.tables["coverage"]
    groups = coverage["facility_class"].map(lambda key: findings.manifest["classes"][key]["group"])
    of_city = (coverage["group_kind"] == "city") & (coverage["status"] == "ok")
    city = coverage[of_city & (coverage["measure"] == groups)]
    number = next(table.number for table in report.tables() if table.key == "coverage")
    rows = [[cell.text for cell in row.cells] for row in _read(path).tables[number].rows][1:]
    shown = [row[4] for row in rows if row[4] != "—"]
    assert shown == [f"{count:,}" for count in city["covered"]]


def test_captions_are_numbered_in_order_and_are_fields(written: tuple[Findings, Report, Path]) -> None:
    _, report, path = written
    document = _read(path)
    captions = [paragraph for paragraph in document.paragraphs if paragraph.style.name == "Caption"]
    blocks = [block for block in report.blocks if hasattr(block, "caption")]
    for paragraph, block in zip(captions, blocks, strict=True):
        assert re.sub(r"\s+", " ", paragraph.text) == f"{report.label(block)} {block.caption}"
        assert any("SEQ" in (element.text or "") for element in paragraph._p.iter(qn("w:instrText")))


def test_each_figure_has_its_picture_its_name_and_its_source(written: tuple[Findings, Report, Path]) -> None:
    _, report, path = written
    document = _read(path)
    assert len(document.inline_shapes) == len(report.figures())
    for shape, figure in zip(document.inline_shapes, report.figures(), strict=True):
        assert shape._inline.docPr.get("descr") == f"{report.label(figure)} {figure.caption}"
        assert shape.width.mm == pytest.approx(FIGURE_WIDTH_MM, abs=0.1)
    lines = [paragraph.text for paragraph in document.paragraphs if "OpenStreetMap contributors" in paragraph.text]
    assert len(lines) == len(report.figures())
    assert all(re.search("虚构|made up", line) for line in lines)


def test_chinese_fonts_are_set(written: tuple[Findings, Report, Path]) -> None:
    styles = _read(written[2]).styles
    for name, font in (("Normal", "宋体"), ("Heading 1", "黑体"), ("Caption", "黑体"), ("Title", "黑体")):
        fonts = styles[name].element.rPr.find(qn("w:rFonts"))
        assert fonts.get(qn("w:eastAsia")) == font
        assert not [key for key in fonts.attrib if key.endswith("Theme")], "a theme font would win over it"


def test_layout_is_a4_with_numbers_of_pages_and_headings(written: tuple[Findings, Report, Path]) -> None:
    document = _read(written[2])
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    codes = [element.text.strip() for element in section.footer._element.iter(qn("w:instrText"))]
    assert codes == ["PAGE", "NUMPAGES"]
    assert document.styles["Heading 1"].element.pPr.numPr.numId.val == 90
    assert "虚构" in section.header.paragraphs[0].text or "made up" in section.header.paragraphs[0].text


def test_tables_repeat_their_head_and_set_numbers_right(written: tuple[Findings, Report, Path]) -> None:
    _, report, path = written
    for table, expected in zip(_read(path).tables[1:], report.tables(), strict=True):
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        for cell, column in zip(table.rows[1].cells, expected.columns, strict=True):
            assert (str(cell.paragraphs[0].alignment) == "RIGHT (2)") == column.numeric


def test_same_report_same_bytes(written: tuple[Findings, Report, Path], sheets: list[Sheet], tmp_path: Path) -> None:
    _, report, path = written
    again = write_word(report, sheets, tmp_path / "again.docx")
    assert again.read_bytes() == path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(2000, 1, 1, 0, 0, 0)}


def test_a_figure_without_its_picture_is_refused(written: tuple[Findings, Report, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="location"):
        write_word(written[1], [], tmp_path / "a.docx")
    assert not (tmp_path / "a.docx").exists()


def test_tables_fill_the_width_and_break_no_word(written: tuple[Findings, Report, Path]) -> None:
    for table in written[1].tables():
        page_mm = WIDE_WIDTH_MM if table.wide else TEXT_WIDTH_MM
        widths = _widths(table, 8.5, page_mm)
        assert sum(widths) == pytest.approx(page_mm)
        for place, column in enumerate(table.columns):
            longest = max(column.title.split(), key=text_width)
            if longest.isascii() and len(table.columns) < 10:
                assert widths[place] >= text_width(longest) * 8.5 * 0.3528


def test_one_long_word_does_not_squeeze_the_other_columns() -> None:
    heads = ("Layer", "File", "Rows", "CRS")
    columns = tuple(Column(head) for head in heads)
    row = ("streets", "x" * 400, "13,954", "EPSG:4326")
    widths = _widths(Table("sources", "", columns, (row,)), 7.5, TEXT_WIDTH_MM)
    assert sum(widths) == pytest.approx(TEXT_WIDTH_MM, abs=0.01)
    for width, words in zip(widths, row, strict=True):
        assert width > text_width(words) * 7.5 * POINT_MM or words.startswith("x")


def test_heads_stand_on_two_lines_and_short_cells_on_one_where_the_page_holds_them() -> None:
    heads = ("设施类别", "服务对象", "超过限值的居民人数", "覆盖率")
    columns = tuple(Column(head, numeric=place > 1, width=0.1) for place, head in enumerate(heads))
    row = ("社区服务站（含居委会、治安联防站、残疾人康复室）", "60 岁及以上", "1,234", "32.5%")
    widths = _widths(Table("any", "", columns, (row,)), 8.5, TEXT_WIDTH_MM)
    for width, head, words in zip(widths, heads, row, strict=True):
        assert width > -(-text_width(head) // 2) * 8.5 * POINT_MM
        assert width > text_width(words) * 8.5 * POINT_MM or text_width(words) > 7


def test_pages_turn_for_wide_tables_and_back(written: tuple[Findings, Report, Path]) -> None:
    _, report, path = written
    document = _read(path)
    wide = [section.page_width > section.page_height for section in document.sections]
    assert wide == [place % 2 == 1 for place in range(len(wide))]
    turned = sum(wide)
    assert turned == sum(table.wide for table in report.tables()) > 0
    tables = zip(document.tables[1:], report.tables(), strict=True)
    for table, expected in tables:
        total = sum(column.width.mm for column in table.columns)
        assert total == pytest.approx(WIDE_WIDTH_MM if expected.wide else TEXT_WIDTH_MM, abs=0.5)


def test_the_document_is_of_the_day_of_the_study(written: tuple[Findings, Report, Path]) -> None:
    findings, _, path = written
    created = _read(path).core_properties.created
    assert created is not None
    assert created.date().isoformat() == findings.manifest["study"]["date"]
