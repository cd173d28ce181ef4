"""A table's encoding is decided on all its bytes; a .cpg that is wrong gives no garbled text in silence."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely

from lifecircle.layers.encodings import common_share, decode_text, shapefile_text
from lifecircle.layers.files import read_source
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["展览路街道", "月坛街道", "德胜街道"]
WESTERN = ["Café Müller", "Straße", "Été à Nîmes"]


def written(folder: Path, names: list[str], encoding: str, cpg: str | None, driver: int | None = None) -> Path:
    path = folder / "a.shp"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gpd.GeoDataFrame({"name": names}, geometry=[shapely.Point(0, 0)] * len(names), crs="EPSG:4490").to_file(
            path, encoding=encoding
        )
    (folder / "a.cpg").unlink(missing_ok=True)
    if cpg is not None:
        (folder / "a.cpg").write_text(cpg)
    if driver is not None:
        data = bytearray((folder / "a.dbf").read_bytes())
        data[29] = driver
        (folder / "a.dbf").write_bytes(bytes(data))
    return path


@pytest.mark.parametrize(
    ("names", "encoding", "cpg", "warned"),
    [
        (NAMES, "UTF-8", "UTF-8", False),
        (NAMES, "GBK", "936", False),
        (NAMES, "GBK", None, False),
        (NAMES, "UTF-8", None, False),
        (NAMES, "GBK", "UTF-8", True),
        (NAMES, "UTF-8", "GBK", True),
        (NAMES, "UTF-8", "936", True),
        (NAMES, "UTF-8", "ISO-8859-1", True),
        (NAMES, "GBK", "SYSTEM", False),  # no name of an encoding: as if there were none
        (NAMES, "GBK", "ISO-8859-1", True),
        (NAMES, "GBK", "1252", True),
        (WESTERN, "CP1252", "1252", False),
        (WESTERN, "ISO-8859-1", "88591", False),
        (WESTERN, "UTF-8", "UTF-8", False),
        (WESTERN, "UTF-8", None, False),
        (["plain"], "UTF-8", "GBK", False),
    ],
)
def test_texts_come_out_whatever_the_cpg_says(
    tmp_path: Path, names: list[str], encoding: str, cpg: str | None, *, warned: bool
) -> None:
    reading = read_source(written(tmp_path, names, encoding, cpg))
    assert reading.frame["name"].tolist() == names
    assert [fault.code for fault in reading.warnings] == (["files.cpg_wrong"] if warned else [])
    for fault in reading.warnings:
        assert not fault.blocks
        assert all(explain(fault, language) for language in LANGUAGES)


def test_the_head_of_the_table_decides_where_bytes_could_be_both(tmp_path: Path) -> None:
    assert "脗".encode("gbk").decode("utf-8") == "Â"
    assert shapefile_text(written(tmp_path, ["脗"], "GBK", None, driver=0x4D)).codec == "gb18030"
    assert shapefile_text(written(tmp_path, NAMES, "UTF-8", None, driver=0x4D)).codec == "utf-8"


def test_what_hardly_reads_like_chinese_is_doubted(tmp_path: Path) -> None:
    traditional = ["臺北市中正區", "高雄市鼓山區", "新竹縣竹北市"]
    reading = read_source(written(tmp_path, traditional, "BIG5", None))
    assert [fault.code for fault in reading.warnings] == ["files.encoding_doubtful"]
    assert read_source(written(tmp_path, NAMES * 3, "GBK", None)).warnings == ()


def test_csv_with_marks_of_byte_order(tmp_path: Path) -> None:
    text = "名称\t经度\t纬度\n甲\t117\t36\n"
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "gb18030"):
        data = text.encode(encoding)
        path = tmp_path / f"{encoding}.txt"
        path.write_bytes(b"\xff\xfe" + data if encoding == "utf-16-le" else data)
        assert read_source(path).frame["名称"].tolist() == ["甲"]
    assert decode_text("é".encode("utf-16"), file="f") == ("é", "utf-16")


def test_the_share_of_daily_characters() -> None:
    assert common_share("") == (1.0, 0)
    assert common_share("，。街道")[0] == 1.0
    assert common_share("鍖椾含")[0] < 1.0
