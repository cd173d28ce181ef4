"""Real places from init to the map without editing a line: what is known, what is assumed, what must stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from docx import Document
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.layers.store import load
from lifecircle.maps.page import write_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from lifecircle.layers.findings import Findings

pytestmark = [pytest.mark.places, pytest.mark.browser]

LAS_PALMAS_AREA = "Las_Palmas_de_Gran_Canaria_-_Centro_Nacional_de_Informacion_Geografica_-_WGS84_-_EPSG4326.geojson"


def run(*arguments: str) -> None:
    """Run a command; all must go well."""
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output


def planned(folder: Path, *sources: Path, everything: bool = False) -> Findings:
    """Findings of a study that init made of some files."""
    for source in sources:
        if not source.exists():
            pytest.skip(f"{source} is not there")
    run("init", *map(str, sources), "--out", str(folder))
    run("plan", str(folder / "study.toml"), "--out", str(folder), *([] if everything else ["--only-findings"]))
    return load(folder)


def looked_at(findings: Findings, path: Path, browser: Browser) -> str:
    """Open the map with the network off; return its text. Any request or complaint fails."""
    write_page(findings, path)
    heard: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url) if request.url.startswith("http") else None)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    text = page.inner_text("body")
    context.close()
    assert heard == []
    return text


def check_honesty(findings: Findings) -> None:
    """Whatever the place: totals add up, and what OSM cannot say is said to be unknown."""
    coverage = findings.tables["coverage"]
    assert (coverage[["covered", "uncovered", "unknown"]].sum(axis=1) == coverage["total"]).all()
    by_class = findings.tables["facilities_by_class"]
    silent = set(by_class.loc[by_class["status"] == "no_data", "facility_class"])
    assert silent, "OSM never holds every class of the standard"
    assert coverage.loc[coverage["facility_class"].isin(silent), "rate"].isna().all()
    assert set(findings.layers["sites"]["facility_class"]).isdisjoint(silent)
    assert findings.manifest["totals"]["elders_60"] is None
    assert "elders_60" not in set(coverage["measure"])
    assert any("OpenStreetMap" in sentence for sentence in findings.manifest["attribution"])
    assert any("ODbL" in sentence for sentence in findings.manifest["attribution"])
    assert not findings.manifest["study"]["made_up"]


def test_las_palmas(places: Path, tmp_path: Path, browser: Browser) -> None:
    osm = places / "osm"
    findings = planned(tmp_path, osm / "las_palmas_20230221.osm.pbf", osm / LAS_PALMAS_AREA)
    check_honesty(findings)
    totals = findings.manifest["totals"]
    # The municipality has some 380,000 inhabitants; floor area at 35 m² each must come near.
    assert 320_000 < totals["people"] < 450_000
    codes = {note["code"] for note in findings.manifest["notes"]}
    assert {"demand.from_floor_area", "demand.storeys_unknown", "demand.ages_unknown"} <= codes
    proposed = findings.tables["siting"].set_index("facility_class")
    assert {"elderly_day_care", "elderly_home", "food_market"} <= set(proposed.index)
    assert (proposed["bound"] >= proposed["objective"]).all()
    assert (proposed["objective"] > 0).all()
    text = looked_at(findings, tmp_path / "map.html", browser)
    assert "OpenStreetMap" in text
    assert (tmp_path / "map.html").stat().st_size < 5_000_000


def test_nanjing_to_the_last_page(places: Path, tmp_path: Path, browser: Browser) -> None:
    findings = planned(tmp_path, places / "osm" / "nanjing_gulou_2021.osm", everything=True)
    check_honesty(findings)
    assert 60_000 < findings.manifest["totals"]["people"] < 120_000
    # Relations of the extract trail far outside; the study area must not follow them.
    assert findings.layers["area"].area.sum() < 30e6
    looked_at(findings, tmp_path / "again.html", browser)
    text = "\n".join(paragraph.text for paragraph in Document(str(tmp_path / "report.docx")).paragraphs)
    assert "35" in text, "the report repeats the floor area per person that was assumed"
    assert "OpenStreetMap" in text
    assert len(list((tmp_path / "sheets").glob("*.pdf"))) > 3


def test_porto_alegre_with_its_hexagons(places: Path, tmp_path: Path, browser: Browser) -> None:
    sources = places / "osm" / "porto_alegre.osm.pbf", places / "population" / "porto_alegre_hexgrid.csv"
    findings = planned(tmp_path, *sources)
    check_honesty(findings)
    people = findings.manifest["totals"]["people"]
    assert 0.99 * 812_935 < people <= 812_935, "a few hexagons lie outside the streets"
    assert findings.layers["demand"]["people"].sum() == people
    looked_at(findings, tmp_path / "map.html", browser)
