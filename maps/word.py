"""The report as a Word document: A4, Chinese fonts, numbered headings, captions as fields, three-line tables."""

from __future__ import annotations

import datetime as dt
import io
import math
import zipfile
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from PIL import Image

from ..gis.errors import InputError
from ..layers.words import Language, say
from .paper import POINT_MM, pieces, text_width
from .report import Figure, Heading, Paragraph, Report, Table
from .style import ACCENT, INK, MUTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from docx.document import Document as Doc
    from docx.styles.style import ParagraphStyle
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph as WordParagraph

    from .sheet import Sheet

PAPER_MM = (210.0, 297.0)
MARGIN_MM = 20.0
TEXT_WIDTH_MM, WIDE_WIDTH_MM = (side - 2 * MARGIN_MM for side in PAPER_MM)
"""Width of the text on a page upright, and turned on its side for wide tables."""
FIGURE_DPI = 300
FIGURE_WIDTH_MM = 136.0
"""Two maps with their captions then share a page."""
FIXED_TIME = (2000, 1, 1, 0, 0, 0)
"""Of every entry in the file, so that the same report gives the same bytes."""
BODY_FONTS = {"zh": ("Times New Roman", "宋体"), "en": ("Times New Roman", "宋体")}
HEAD_FONTS = {"zh": ("Arial", "黑体"), "en": ("Arial", "黑体")}
"""Latin and Chinese font; Word falls back to a Latin one for Chinese where w:eastAsia is not set."""
MADE_UP_MARKS = ("虚构", "made up", "made-up")
"""A title with one of these says already that the place is made up."""
MANY_COLUMNS = 8
CELL_MARGIN_MM, CELL_PADDING_MM = 1.2, 2.8
"""Between a cell's text and its edge on each side, and what both take off its width."""
KEPT_ROWS = 10
"""Tables of up to so many rows are kept on one page."""
FITTINGS: tuple[tuple[int | None, float], ...] = ((2, 7.0), (3, 5.0), (None, 0.0))
"""How columns are fitted, the first that the page holds: heads on so many lines (any: ``None``), and cells of up to so
many ems on one line."""
SHORT_HEAD_EM = 4.0
"""A head no wider than this stands on one line where the page holds it."""
READABLE_EM = 4.0
"""Running text breaks anywhere in Chinese: a column of it is at least so wide."""
RULE_THICK, RULE_THIN = "12", "6"
"""Widths of table rules in eighths of a point."""


def write_word(report: Report, sheets: Sequence[Sheet], path: Path) -> Path:
    """Write a report as .docx.

    Parameters
    ----------
    report
        The content.
    sheets
        The maps, drawn as PNG; each figure takes the sheet of its key.
    path
        The file to write.

    Raises
    ------
    InputError
        When a figure has no sheet drawn as PNG.
    """
    pictures = {sheet.key: sheet.paths["png"] for sheet in sheets if "png" in sheet.paths}
    lacking = [figure.key for figure in report.figures() if figure.key not in pictures]
    if lacking:
        message = f"no PNG was drawn for the figures {', '.join(lacking)}"
        raise InputError(message)
    document = Document()
    _page(document, report)
    _styles(document, report.language)
    _number_headings(document)
    _front(document, report)
    wide = False
    for block in report.blocks:
        wide = _turned(document, block, wide=wide)
        if isinstance(block, Heading):
            _heading(document, block)
        elif isinstance(block, Paragraph):
            _paragraph(document, block)
        elif isinstance(block, Table):
            _table(document, report, block)
        else:
            _figure(document, report, block, pictures)
    _properties(document, report)
    held = io.BytesIO()
    document.save(held)
    _write_fixed(held, path)
    return path


def _write_fixed(held: io.BytesIO, path: Path) -> None:
    """Write a zip file again with one fixed time for all entries."""
    with zipfile.ZipFile(held) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(entry))


def _page(document: Doc, report: Report) -> None:
    """Set A4 with page numbers at the foot and the title at the head."""
    section = document.sections[0]
    section.page_width, section.page_height = map(Mm, PAPER_MM)
    section.left_margin = section.right_margin = Mm(MARGIN_MM)
    section.top_margin, section.bottom_margin = Mm(20), Mm(18)
    section.header_distance = section.footer_distance = Mm(10)
    head = section.header.paragraphs[0]
    words = report.title
    if report.made_up and not any(mark in words for mark in MADE_UP_MARKS):
        words = f"{words}　{say('sheet.made_up', report.language)}"
    head.text = words
    head.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    before, between, after = say("report.page_of", report.language, page="\x00", pages="\x00").split("\x00")
    foot.add_run(before)
    _add_field(foot, "PAGE", "1")
    foot.add_run(between)
    _add_field(foot, "NUMPAGES", "1")
    foot.add_run(after)


def _turned(document: Doc, block: Heading | Paragraph | Table | Figure, *, wide: bool) -> bool:
    """Turn the page where a block needs it wide, or back; small print stays on the page of what it is about."""
    wanted = block.wide if isinstance(block, Table) else wide and isinstance(block, Paragraph) and block.kind == "note"
    if wanted != wide:
        section = document.add_section(WD_SECTION.NEW_PAGE)
        section.orientation = WD_ORIENT.LANDSCAPE if wanted else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = map(Mm, PAPER_MM[::-1] if wanted else PAPER_MM)
    return wanted


def _add_field(paragraph: WordParagraph, code: str, shown: str) -> None:
    """Append a field that Word can renew, with what it shows until then."""
    for kind, words in (("begin", None), (None, code), ("separate", None), ("text", shown), ("end", None)):
        run = paragraph.add_run(words if kind == "text" else "")
        if kind in {"begin", "separate", "end"}:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), str(kind))
            run._r.append(mark)  # noqa: SLF001  python-docx has no interface for fields
        elif kind is None:
            instruction = OxmlElement("w:instrText")
            instruction.set(qn("xml:space"), "preserve")
            instruction.text = f" {words} "
            run._r.append(instruction)  # noqa: SLF001


def _set_fonts(style: ParagraphStyle, fonts: tuple[str, str]) -> None:
    """Set the Latin and the Chinese font of a style."""
    latin, chinese = fonts
    style.font.name = latin
    properties = style.element.get_or_add_rPr()
    found = properties.find(qn("w:rFonts"))
    for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        found.attrib.pop(qn(f"w:{attribute}"), None)
    found.set(qn("w:eastAsia"), chinese)
    found.set(qn("w:hAnsi"), latin)


def _styles(document: Doc, language: Language) -> None:
    """Give the built-in styles fonts, sizes and spacing."""
    body, head = BODY_FONTS[language], HEAD_FONTS[language]
    for name, fonts, size, color, before, after in (
        ("Normal", body, 10.5, INK, 0, 6),
        ("Title", head, 24, INK, 30, 6),
        ("Subtitle", head, 14, MUTED, 0, 14),
        ("Heading 1", head, 15, ACCENT, 12, 6),
        ("Heading 2", head, 12, INK, 12, 6),
        ("List Bullet", body, 10.5, INK, 0, 4),
        ("Caption", head, 9.5, INK, 6, 3),
        ("Header", body, 8.5, MUTED, 0, 0),
        ("Footer", body, 8.5, MUTED, 0, 0),
    ):
        style: Any = document.styles[name]
        _set_fonts(style, fonts)
        style.font.size = Pt(size)
        style.font.color.rgb = RGBColor.from_string(color.removeprefix("#").upper())
        style.font.bold = name.startswith("Heading")
        style.font.italic = False
        style.paragraph_format.space_before = Pt(before)
        style.paragraph_format.space_after = Pt(after)
        border = style.element.pPr.find(qn("w:pBdr")) if style.element.pPr is not None else None
        if border is not None:
            style.element.pPr.remove(border)
    normal: Any = document.styles["Normal"]
    normal.paragraph_format.line_spacing = 1.25
    spoken = OxmlElement("w:lang")
    spoken.set(qn("w:val"), "en-GB")
    spoken.set(qn("w:eastAsia"), "zh-CN")
    normal.element.get_or_add_rPr().append(spoken)


def _number_headings(document: Doc) -> None:
    """Let Word number the headings: 1, 1.1."""
    numbering = document.part.numbering_part.element
    scheme = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90"><w:multiLevelType w:val="multilevel"/>'
        + "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="decimal"/>'
            f'<w:pStyle w:val="Heading{level + 1}"/><w:suff w:val="space"/><w:lvlText w:val="{words}"/>'
            '<w:lvlJc w:val="left"/><w:pPr><w:ind w:left="0" w:firstLine="0"/></w:pPr></w:lvl>'
            for level, words in enumerate(("%1", "%1.%2"))
        )
        + "</w:abstractNum>"
    )
    numbering.insert(0, scheme)
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
    for level in (0, 1):
        style: Any = document.styles[f"Heading {level + 1}"]
        properties = style.element.get_or_add_pPr()
        properties.append(
            parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="90"/></w:numPr>')
        )


def _front(document: Doc, report: Report) -> None:
    """Write title, subtitle and what the study is."""
    document.add_paragraph(report.title, style="Title")
    document.add_paragraph(report.subtitle, style="Subtitle")
    table = document.add_table(rows=0, cols=2)
    table.autofit = False
    widths = (30.0, TEXT_WIDTH_MM - 30.0)
    for shape, width in zip(table.columns, widths, strict=True):
        shape.width = Mm(width)
    for label, words in report.facts:
        cells = table.add_row().cells
        for cell, content, width in zip(cells, (label, words), widths, strict=True):
            cell.width = Mm(width)
            _fill(cell, content, size=10)
        cells[0].paragraphs[0].runs[0].font.color.rgb = RGBColor.from_string(MUTED.removeprefix("#").upper())
    _border(table._tbl.tblPr, top=RULE_THIN, bottom=RULE_THIN)  # noqa: SLF001  no interface for borders


def _heading(document: Doc, block: Heading) -> None:
    paragraph = document.add_paragraph(block.text, style=f"Heading {block.level}")
    if not block.numbered:
        off = parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>')
        paragraph._p.get_or_add_pPr().append(off)  # noqa: SLF001


def _paragraph(document: Doc, block: Paragraph) -> None:
    paragraph = document.add_paragraph(block.text, style="List Bullet" if block.kind == "bullet" else "Normal")
    if block.kind == "body":
        paragraph.paragraph_format.first_line_indent = Pt(21)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    elif block.kind == "note":
        _small(paragraph)


def _small(paragraph: WordParagraph) -> None:
    """Set a paragraph in small grey print."""
    for run in paragraph.runs:
        run.font.size = Pt(8)
        run.font.color.rgb = RGBColor.from_string(MUTED.removeprefix("#").upper())
    paragraph.paragraph_format.line_spacing = 1.1
    paragraph.paragraph_format.space_after = Pt(3)


def _caption(document: Doc, report: Report, block: Table | Figure, *, above: bool) -> None:
    """Write 图n or 表n with a number that Word can renew, and the caption."""
    paragraph = document.add_paragraph(style="Caption")
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    name = "figure" if isinstance(block, Figure) else "table"
    before, after = say(f"report.{name}_label", report.language, number="\x00").split("\x00")
    paragraph.add_run(before)
    _add_field(paragraph, f"SEQ {before.strip()} \\* ARABIC", str(block.number))
    paragraph.add_run(f"{after}　{block.caption}" if report.language == "zh" else f"{after}  {block.caption}")
    paragraph.paragraph_format.keep_with_next = above
    if not above:
        paragraph.paragraph_format.space_before = Pt(2)


def _figure(document: Doc, report: Report, block: Figure, pictures: Mapping[str, Path]) -> None:
    """Place a map at the width of the text, its caption and its source below it."""
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = Pt(4)
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.line_spacing = 1.0
    picture = paragraph.add_run().add_picture(_lighter(pictures[block.key]), width=Mm(FIGURE_WIDTH_MM))
    label = report.label(block)
    picture._inline.docPr.set("descr", f"{label} {block.caption}")  # noqa: SLF001  read out by screen readers
    picture._inline.docPr.set("name", label)  # noqa: SLF001
    _caption(document, report, block, above=False)
    nature = [say("sheet.made_up" if report.made_up else "sheet.real", report.language)]
    line = document.add_paragraph(say("report.list_end", report.language).join([*block.source, *nature]))
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _small(line)
    line.paragraph_format.space_after = Pt(6)
    document.paragraphs[-2].paragraph_format.keep_with_next = True


def _lighter(path: Path) -> io.BytesIO:
    """Return a picture with the pixels that its size on paper needs and a palette of 256 colours: far fewer bytes."""
    held = io.BytesIO()
    with Image.open(path) as picture:
        width = round(FIGURE_WIDTH_MM / 25.4 * FIGURE_DPI)
        height = round(width * picture.height / picture.width)
        small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        small.quantize(256, dither=Image.Dither.NONE).save(held, format="PNG")
    held.seek(0)
    return held


def _table(document: Doc, report: Report, block: Table) -> None:
    """Write a three-line table: caption above, head repeated on every page, numbers at the right."""
    _caption(document, report, block, above=True)
    table = document.add_table(rows=1, cols=len(block.columns))
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    _margins(table._tbl.tblPr)  # noqa: SLF001  no interface for margins
    size = 8.5 if len(block.columns) <= MANY_COLUMNS else 8.0 if block.wide else 7.5
    widths = _widths(block, size, WIDE_WIDTH_MM if block.wide else TEXT_WIDTH_MM)
    for _ in block.rows:
        table.add_row()
    grid = table._cells  # noqa: SLF001  one look-up for the whole table: row.cells costs the square of the rows
    across = len(block.columns)
    texts = [tuple(column.title for column in block.columns), *block.rows]
    for place, words in enumerate(texts):
        cells = grid[place * across : (place + 1) * across]
        for column, width, content, cell in zip(block.columns, widths, words, cells, strict=True):
            cell.width = Mm(width)
            bold = place == 0 or (block.total and place == len(texts) - 1)
            _fill(cell, content, size=size, right=column.numeric, bold=bold)
            if (place < len(texts) - 1 and len(texts) <= KEPT_ROWS) or (block.note and place == len(texts) - 1):
                cell.paragraphs[0].paragraph_format.keep_with_next = True
    for width, shape in zip(widths, table.columns, strict=True):
        shape.width = Mm(width)
    _border(table._tbl.tblPr, top=RULE_THICK, bottom=RULE_THICK)  # noqa: SLF001
    for cell in grid[:across]:
        _border(cell._tc.get_or_add_tcPr(), bottom=RULE_THIN)  # noqa: SLF001
    if block.total:
        for cell in grid[-across:]:
            _border(cell._tc.get_or_add_tcPr(), top=RULE_THIN)  # noqa: SLF001
    for place, row in enumerate(table.rows):
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001
        properties.append(OxmlElement("w:cantSplit"))
        if place == 0:
            properties.append(OxmlElement("w:tblHeader"))
    note = document.add_paragraph(block.note)
    _small(note)
    note.paragraph_format.space_after = Pt(6)
    if not block.note:  # Word joins two tables that no paragraph parts
        note.paragraph_format.line_spacing = Pt(2)


def _widths(block: Table, size_pt: float, page_mm: float) -> list[float]:
    """Return the widths of a table's columns in millimetres: by share, but none narrower than what it holds needs.

    That is its head on two lines and short cells on one; where all columns together do not fit the page so, heads on
    three lines, then its longest word. Where even those do not fit, only the widest columns give way: one long word
    never makes the others illegible.
    """
    for lines, whole in FITTINGS:
        least = [
            _least(block, place, lines, whole) * size_pt * POINT_MM + CELL_PADDING_MM
            for place in range(len(block.columns))
        ]
        if sum(least) < page_mm:
            break
    if sum(least) >= page_mm:
        low, high = 0.0, max(least)
        for _ in range(50):  # the widest that a column may be
            most = (low + high) / 2
            low, high = (low, most) if sum(min(width, most) for width in least) > page_mm else (most, high)
        return [min(width, low) for width in least]
    low, high = 0.0, page_mm
    for _ in range(50):  # the unit of the shares with which the widths fill the page
        unit = (low + high) / 2
        total = sum(max(width, column.width * unit) for width, column in zip(least, block.columns, strict=True))
        low, high = (low, unit) if total > page_mm else (unit, high)
    return [max(width, column.width * low) for width, column in zip(least, block.columns, strict=True)]


def _least(block: Table, place: int, lines: int | None, whole: float) -> float:
    """Return the least width of a column in ems: its longest word, its head on some lines, short cells on one."""
    title = block.columns[place].title
    texts = [title, *(row[place] for row in block.rows)]
    word = max(text_width(piece.strip()) for words in texts for piece in [*pieces(words), ""])
    word = max(word, min(READABLE_EM, max(map(text_width, texts[1:]), default=0.0)))
    if lines is None:
        return word
    one_line = (text_width(words) for words in texts[1:])
    head = text_width(title) / (1 if lines == FITTINGS[0][0] and text_width(title) <= SHORT_HEAD_EM else lines)
    return max(word, head if head <= word else math.ceil(head), *(width for width in one_line if width <= whole), 0.0)


def _margins(properties: Any) -> None:  # noqa: ANN401  an XML element of python-docx, which is not typed
    """Set the distance between the text of a table's cells and their edges."""
    twips = round(CELL_MARGIN_MM / 25.4 * 1440)
    sides = "".join(f'<w:{side} w:w="{twips}" w:type="dxa"/>' for side in ("left", "right"))
    properties.append(parse_xml(f"<w:tblCellMar {nsdecls('w')}>{sides}</w:tblCellMar>"))


def _fill(cell: _Cell, words: str, *, size: float, right: bool = False, bold: bool = False) -> None:
    """Write the text of a cell."""
    paragraph = cell.paragraphs[0]
    run = paragraph.add_run(words)
    run.font.size = Pt(size)
    run.font.bold = bold or None
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(0.8)
    paragraph.paragraph_format.line_spacing = 1.0
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _border(properties: Any, **sides: str) -> None:  # noqa: ANN401  an XML element of python-docx, which is not typed
    """Set rules of a table or cell, in eighths of a point."""
    name = "w:tblBorders" if properties.tag == qn("w:tblPr") else "w:tcBorders"
    borders = OxmlElement(name)
    for side in ("top", "left", "bottom", "right"):
        if side in sides:
            edge = OxmlElement(f"w:{side}")
            edge.set(qn("w:val"), "single")
            edge.set(qn("w:sz"), sides[side])
            edge.set(qn("w:space"), "0")
            edge.set(qn("w:color"), INK.removeprefix("#"))
            borders.append(edge)
    properties.append(borders)


def _properties(document: Doc, report: Report) -> None:
    """Set title and the study's date as the time of the document, which would else be the clock's."""
    properties = document.core_properties
    properties.title = report.title
    properties.subject = report.subtitle
    properties.author = properties.last_modified_by = "lifecircle"
    properties.comments = ""
    day = dt.date.fromisoformat(report.date) if report.date else dt.date(*FIXED_TIME[:3])
    fixed = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    properties.created = properties.modified = fixed
    properties.language = {"zh": "zh-CN", "en": "en-GB"}[report.language]
