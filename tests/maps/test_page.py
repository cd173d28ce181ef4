"""The map page in a real browser with the network off, and what is inside it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
from large_findings import large_findings
from made_findings import CLASSES, made_findings

from lifecircle.gis.errors import OutputError
from lifecircle.layers.words import LANGUAGES, Language
from lifecircle.maps import formats, style
from lifecircle.maps.inline import inline
from lifecircle.maps.page import render_page, write_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Request

    from lifecircle.layers.findings import Findings

MOST_BYTES = 5_000_000
EVIL = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script><!--\"&amp;"


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Write findings as a page and open it offline; at the end nothing was asked for and nothing complained."""
    heard: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_offline(True)

    def note(request: Request) -> None:
        if not request.url.startswith(("file://", "data:", "blob:")):
            heard.append(request.url)

    def opened(findings: Findings, language: Language | None = None) -> Page:
        path = write_page(findings, tmp_path / "out" / "map.html", language=language)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", note)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready=yes]", state="attached")
        return page

    yield opened
    context.close()
    assert heard == []


def drawn(page: Page, key: str) -> int:
    count: int = page.evaluate("key => lifecircle.drawn(key)", key)
    return count


def settle(page: Page, script: str, argument: object = None) -> None:
    """Wait until a script is true; Playwright's own waiting evaluates text, which the page forbids."""
    for _ in range(200):
        if page.evaluate(script, argument):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"never true: {script} {argument}")


def popup(page: Page) -> str:
    page.wait_for_selector(".lc-card")
    return page.inner_text(".lc-card")


def test_a_page_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    first, second = (write_page(made_findings(), tmp_path / name) for name in ("a.html", "b.html"))
    assert first.read_bytes() == second.read_bytes()


def test_a_page_names_no_address_that_could_be_fetched() -> None:
    page = render_page(made_findings())
    assert re.findall(r"<(?:script|img|iframe|link)[^>]*(?:src|href)\s*=", page) == []
    assert set(re.findall(r"url\((?!data:|#)", page)) == set()
    assert "sourceMappingURL" not in page


def test_a_file_that_no_package_holds_is_refused() -> None:
    for element in (
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css">',
    ):
        with pytest.raises(OutputError, match="example"):
            inline(element)


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError):
        write_page(made_findings(), tmp_path / "file" / "map.html")


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_view_shows_rings_neighbourhoods_and_sites(
    open_page: Callable[..., Page], language: Language
) -> None:
    findings = made_findings(language)
    page = open_page(findings)
    assert drawn(page, "rings") == len(findings.layers["rings"])
    assert drawn(page, "compounds") == len(findings.layers["compounds"])
    pins = sum(drawn(page, f"sites:{key}") for key in findings.layers["sites"]["facility_class"].unique())
    assert pins == len(findings.layers["sites"]) == page.locator(".lc-pin").count()
    assert drawn(page, "parcels") == drawn(page, "gaps:food_market") == 0
    assert page.inner_text("h1") == page.title() == findings.manifest["study"]["name"]
    assert page.get_attribute("html", "lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert {"zh": "虚构", "en": "made-up"}[language] in page.inner_text(".lc-badge")
    credit = page.inner_text(".leaflet-control-attribution")
    assert credit.startswith("© OpenStreetMap contributors, ODbL 1.0")
    assert page.locator(".leaflet-control-attribution svg").count() == 0
    assert page.locator(".leaflet-control-scale-line").count() == 1


@pytest.mark.browser
def test_layers_switch_on_and_off_and_the_legend_follows(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    page.click("[data-tab=layers]")
    for box in page.locator("[data-layer]").all():
        key = box.get_attribute("data-layer")
        if not box.is_visible():
            page.evaluate("key => lifecircle.show(key, true)", key)
        else:
            box.check()
    settle(page, "Object.keys(lifecircle.page.layers).every(key => lifecircle.drawn(key) > 0)")
    layers = page.evaluate("Object.keys(lifecircle.page.layers)")
    for layer in ("facilities", "gaps", "candidates", "sites", "circles"):
        total = sum(drawn(page, key) for key in layers if key.startswith(f"{layer}:"))
        assert total == len(findings.layers[layer]), layer
    legend = page.inner_text(".lc-legend")
    assert all(
        word in legend
        for word in ("幼儿园 5 分钟步行（300 米）", "菜市场或生鲜超市", "历史城区", "水面", "候选：可建", "拆")
    )
    for key in layers:
        page.evaluate("key => lifecircle.show(key, false)", key)
    settle(page, "Object.keys(lifecircle.page.layers).every(key => lifecircle.drawn(key) === 0)")
    assert page.inner_text(".lc-legend-body") == ""
    assert page.locator(".lc-pin").count() == page.locator(".lc-label").count() == 0


@pytest.mark.browser
def test_a_group_box_switches_all_of_its_layers(open_page: Callable[..., Page]) -> None:
    page = open_page(made_findings())
    page.click("[data-tab=layers]")
    group = page.get_by_role("checkbox", name="现状设施", exact=True)
    group.check()
    facilities = "Object.keys(lifecircle.page.layers).filter(key => key.startsWith('facilities:'))"
    settle(page, f"{facilities}.every(key => lifecircle.drawn(key) > 0)")
    page.get_by_role("button", name="现状设施").click()
    page.locator("[data-layer='facilities:kindergarten']").uncheck()
    assert group.evaluate("box => box.indeterminate")
    assert drawn(page, "facilities:kindergarten") == 0


@pytest.mark.browser
def test_search_finds_a_neighbourhood_and_opens_its_popup(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    page.fill(".lc-search", "东风")
    page.wait_for_selector("[role=option]")
    assert page.inner_text("[role=option]").startswith("东风社区")
    page.press(".lc-search", "ArrowDown")
    page.press(".lc-search", "Enter")
    text = popup(page)
    row = findings.layers["compounds"].set_index("name").loc["东风社区"]
    assert "东风社区" in text
    assert formats.format_number(int(row["people"]), "count", "zh") in text
    assert formats.format_floor_area(float(row["floor_area_m2"]), "zh") in text
    table = findings.tables["missing"].set_index(["compound_name", "facility_class"])
    market = table.loc[("东风社区", "food_market")]
    assert market["nearest_name"] in text
    assert formats.format_walk(float(market["walk"]), market["unit"], "zh") in text
    nearby = findings.tables["missing"].query("status == 'partial'").iloc[0]
    place = findings.layers["compounds"]["compound_id"].tolist().index(nearby["compound_id"])
    page.evaluate("row => lifecircle.openPopup('compounds', row)", place)
    settle(page, "text => document.querySelector('.lc-card')?.innerText.includes(text)", nearby["compound_name"])
    text = page.locator(".lc-card", has_text=nearby["compound_name"]).inner_text()
    assert f"部分居民过远（{nearby['people_lacking']} 人）" in text
    for label, column in (("居中居民步行", "walk"), ("最远", "walk_longest")):
        assert f"{label} {formats.format_walk(float(nearby[column]), 'm', 'zh')}" in text
    page.fill(".lc-search", "没有这个名字")
    page.wait_for_selector(".lc-results .lc-quiet")
    assert page.locator("[role=option]").count() == 0


@pytest.mark.browser
def test_every_kind_of_thing_has_a_popup_with_its_name(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    has = "text => Boolean(document.querySelector('.lc-card')?.innerText.includes(text))"
    for layer, column in (("rings", "name"), ("districts", "name"), ("projects", "name"), ("parcels", "parcel_id")):
        page.evaluate("key => lifecircle.openPopup(key, 0)", layer)
        settle(page, has, findings.layers[layer][column].iloc[0])
    page.evaluate("lifecircle.openPopup('gaps:food_market', 0)")
    settle(page, has, formats.format_walk(float(findings.layers["gaps"]["walk"].iloc[0]), "m", "zh"))
    page.evaluate("lifecircle.openPopup('candidates:food_market', 4)")
    settle(page, has, "候选 5")


@pytest.mark.browser
def test_a_click_on_the_map_opens_what_is_there(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    centre = findings.layers["compounds"].geometry.centroid.to_crs("EPSG:4326").iloc[9]
    at = page.evaluate(
        "([lng, lat]) => { const p = lifecircle.map.latLngToContainerPoint([lat, lng]);"
        " const r = lifecircle.map.getContainer().getBoundingClientRect(); return [p.x + r.x, p.y + r.y] }",
        [centre.x, centre.y],
    )
    page.mouse.move(*at)
    page.wait_for_selector(".lc-tip")
    assert page.inner_text(".lc-tip") == "南门里"
    page.mouse.click(*at)
    assert "南门里" in popup(page)
    page.keyboard.press("Escape")


@pytest.mark.browser
def test_a_site_of_the_list_is_shown_on_the_map(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    page.click("[data-tab=sites]")
    assert page.locator(".lc-site").count() == len(findings.layers["sites"])
    page.get_by_role("button", name="南门闲置地块").click()
    text = popup(page)
    site = findings.layers["sites"].set_index("name").loc["南门闲置地块"]
    assert formats.format_number(int(site["people_added"]), "count", "zh") in text
    centre = page.evaluate("(() => { const c = lifecircle.map.getCenter(); return [c.lng, c.lat] })()")
    place = gpd.GeoSeries([site.geometry], crs=findings.layers["sites"].crs).to_crs("EPSG:4326").iloc[0]
    assert np.allclose(centre, (place.x, place.y), atol=0.01)


@pytest.mark.browser
def test_the_summary_says_what_the_findings_say(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    coverage = findings.tables["coverage"]
    city = coverage[coverage["group_kind"] == "city"].set_index(["facility_class", "measure"])
    for key, rule in CLASSES.items():
        row = city.loc[(key, rule["group"])]
        text = page.inner_text(f"[data-class={key}]")
        if row["status"] == "no_data":
            assert "无数据" in text
            assert "%" not in text
        else:
            assert formats.format_number(row["rate"], "percent", "zh") in text
            assert formats.format_people(float(row["uncovered"]), "zh") in text
    assert formats.format_people(findings.manifest["totals"]["people"], "zh") in page.inner_text(".lc-totals")


@pytest.mark.browser
def test_neighbourhoods_are_coloured_by_the_chosen_class(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    page = open_page(findings)
    page.click("[data-class=food_market]")
    settle(page, "lifecircle.drawn('facilities:food_market') > 0")
    colors: list[str] = page.evaluate(
        "(() => { const found = []; lifecircle.map.eachLayer(l => { if (l.lcRow !== undefined && l.options.fillColor"
        " && l.getLatLngs && l.options.fillOpacity > 0.8) found[l.lcRow] = l.options.fillColor; }); return found; })()"
    )
    table = findings.tables["missing"]
    expected = [style.STATUS_FILLS[status] for status in table.loc[table["facility_class"] == "food_market", "status"]]
    assert colors == expected
    assert page.get_attribute("[data-class=food_market]", "aria-pressed") == "true"
    page.locator(".lc-legend select.lc-mode").select_option("")
    assert page.get_attribute("[data-class=food_market]", "aria-pressed") == "false"


@pytest.mark.browser
def test_the_panel_folds_and_tabs_answer_the_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page(made_findings())
    page.focus("[data-tab=summary]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.tab") == "sites"
    assert page.get_attribute("[data-tab=sites]", "aria-selected") == "true"
    before = page.evaluate("lifecircle.map.getSize().x")
    page.click(".lc-flip")
    assert not page.is_visible(".lc-panel")
    assert page.evaluate("lifecircle.map.getSize().x") > before
    page.click(".lc-flip")
    assert page.is_visible(".lc-panel")


def bewitched() -> Findings:
    """Return findings whose every name and text tries to become markup."""
    findings = made_findings()
    layers = {}
    for name, frame in findings.layers.items():
        texts = [column for column in ("name", "land_use", "source", "kind", "tenure", "reason") if column in frame]
        layers[name] = frame.assign(**dict.fromkeys(texts, EVIL))
    manifest: dict[str, Any] = dict(findings.manifest)
    manifest["study"] = manifest["study"] | {"name": EVIL, "map_approval": EVIL, "standard": EVIL, "date": EVIL}
    manifest["attribution"] = [EVIL]
    manifest["sources"] = [source | {"maker": EVIL, "layer": EVIL} for source in manifest["sources"]]
    manifest["classes"] = {key: rule | {"zh": EVIL} for key, rule in manifest["classes"].items()}
    tables = dict(findings.tables) | {"missing": findings.tables["missing"].assign(nearest_name=EVIL)}
    return replace(findings, layers=layers, tables=tables, manifest=manifest)


@pytest.mark.browser
def test_names_stay_text_whatever_they_hold(open_page: Callable[..., Page]) -> None:
    page = open_page(bewitched())
    assert page.title() == page.inner_text("h1") == EVIL
    assert EVIL in page.inner_text(".leaflet-control-attribution")
    keys = page.evaluate("Object.keys(lifecircle.page.layers)")
    for key in keys:
        page.evaluate("key => lifecircle.show(key, true)", key)
    for key in [
        key for key in keys if not key.startswith(("circles:", "area", "water", "stream", "rail", "wall", "streets"))
    ]:
        page.evaluate("key => lifecircle.openPopup(key, 0)", key)
        assert "<img" in popup(page)
    page.fill(".lc-search", "<img")
    page.wait_for_selector("[role=option]")
    page.press(".lc-search", "Escape")
    page.click("[data-tab=sites]")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0


@pytest.mark.browser
def test_numbers_are_written_as_in_python(open_page: Callable[..., Page]) -> None:
    values = [
        0.0,
        0.04,
        0.5,
        1.5,
        2.5,
        0.99999,
        0.0001,
        0.125,
        1.0,
        999.5,
        9_999.99,
        10_000.0,
        1_234_567.891,
        2.675e7,
        -3.25,
    ]
    for language in LANGUAGES:
        page = open_page(made_findings(language))
        for kind in formats.NUMBER_FORMATS:
            shown = page.evaluate(
                "([values, kind]) => values.map(value => lifecircle.format(value, kind))", [values, kind]
            )
            assert shown == [formats.format_number(value, kind, language) for value in values], kind
        writers = {
            "area": formats.format_area,
            "floor_area": formats.format_floor_area,
            "length": formats.format_length,
        }
        for kind, write in writers.items():
            shown = page.evaluate(
                "([values, kind]) => values.map(value => lifecircle.format(value, kind))", [values, kind]
            )
            assert shown == [write(value, language) for value in values], kind
        page.close()


@pytest.mark.browser
def test_layers_that_are_empty_are_left_out(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    kept = ("area", "demand")
    layers = {name: frame if name in kept else frame.iloc[:0] for name, frame in findings.layers.items()}
    tables = {name: table.iloc[:0] for name, table in findings.tables.items()}
    page = open_page(replace(findings, layers=layers, tables=tables))
    assert page.evaluate("Object.keys(lifecircle.page.layers)") == ["area"]


@pytest.mark.browser
def test_a_city_of_300_000_people_fits_in_five_megabytes(open_page: Callable[..., Page], tmp_path: Path) -> None:
    findings = large_findings()
    page = open_page(findings)
    assert (tmp_path / "out" / "map.html").stat().st_size <= MOST_BYTES
    assert drawn(page, "compounds") == len(findings.layers["compounds"])
    page.evaluate("lifecircle.show('gaps:class_03', true)")
    page.evaluate("lifecircle.show('circles:class_03:15', true)")
    assert drawn(page, "gaps:class_03") == (findings.layers["gaps"]["facility_class"] == "class_03").sum()


@pytest.mark.browser
def test_a_study_without_neighbourhoods_speaks_of_cells(open_page: Callable[..., Page]) -> None:
    findings = made_findings()
    layers = dict(findings.layers)
    layers["compounds"] = layers["compounds"].assign(kind="cell")
    layers["rings"] = layers["rings"].iloc[:1]
    page = open_page(replace(findings, layers=layers))
    assert "居住网格" in page.inner_text(".lc-totals")
    assert "居住网格" in page.inner_text(".lc-legend")
    assert drawn(page, "rings") == 1
    assert page.locator(".lc-label").count() == 0
