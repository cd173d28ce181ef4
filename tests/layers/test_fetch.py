from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, urlparse

import geopandas as gpd
import osmnx
import pytest

from lifecircle.gis.errors import FetchError, InputError, OutputError
from lifecircle.layers import fetch as fetching
from lifecircle.layers.fetch import Servers, fetch
from lifecircle.layers.load import load_study
from lifecircle.layers.words import explain_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEST, SOUTH = 117.000, 36.640
STEP = 0.002  # about 180 m east, 220 m north


def _place() -> list[dict[str, object]]:
    """Nominatim's answer: a square of a little over a kilometre."""
    east, north = WEST + 6 * STEP, SOUTH + 5 * STEP
    ring = [[WEST, SOUTH], [east, SOUTH], [east, north], [WEST, north], [WEST, SOUTH]]
    return [
        {
            "place_id": 1,
            "osm_type": "relation",
            "osm_id": 99,
            "lat": str((SOUTH + north) / 2),
            "lon": str((WEST + east) / 2),
            "class": "boundary",
            "type": "administrative",
            "place_rank": 12,
            "importance": 0.5,
            "addresstype": "district",
            "name": "样例区",
            "display_name": "样例区",
            "boundingbox": [str(SOUTH), str(north), str(WEST), str(east)],
            "geojson": {"type": "Polygon", "coordinates": [ring]},
        }
    ]


def _elements() -> list[dict[str, object]]:
    """Overpass' answer: a grid of streets, facilities, buildings, a river."""
    nodes, ways = [], []

    def node(number: int, x: float, y: float, tags: dict[str, str] | None = None) -> int:
        element = {"type": "node", "id": number, "lon": WEST + x * STEP, "lat": SOUTH + y * STEP}
        nodes.append(element | ({"tags": tags} if tags else {}))
        return number

    for row in range(6):
        for column in range(7):
            node(1000 + 10 * row + column, column, row)
    for row in range(6):
        members = [1000 + 10 * row + column for column in range(7)]
        tags = {"highway": "residential", "name": f"横{row}街"}
        ways.append({"type": "way", "id": 1 + row, "nodes": members, "tags": tags})
    for column in range(7):
        members = [1000 + 10 * row + column for row in range(6)]
        tags = {"highway": "footway" if column else "primary", "layer": "1;2"}
        ways.append({"type": "way", "id": 11 + column, "nodes": members, "tags": tags})
    node(1, 2.5, 2.5, {"amenity": "kindergarten", "name": "第一幼儿园", "capacity": "约90"})
    node(2, 3.5, 1.5, {"shop": "supermarket", "name": "Market", "name:zh": "生鲜超市"})
    node(3, 1.0, 3.02, {"highway": "bus_stop", "name": "南门站"})
    for number, (x, y) in enumerate([(0.3, 0.3), (4.4, 2.3), (5.2, 4.1)]):
        corners = [(x, y), (x + 0.3, y), (x + 0.3, y + 0.3), (x, y + 0.3)]
        members = [node(2000 + 10 * number + place, *corner) for place, corner in enumerate(corners)]
        tags = {"building": "apartments", "building:levels": str(6 + number)}
        ways.append({"type": "way", "id": 50 + number, "nodes": [*members, members[0]], "tags": tags})
    river = [node(3000 + place, place * 2.0, 2.7) for place in range(4)]
    ways.append({"type": "way", "id": 70, "nodes": river, "tags": {"waterway": "river", "name": "小清河"}})
    return [*nodes, *ways]


class _Answers(BaseHTTPRequestHandler):
    """Answers Nominatim's search and Overpass' interpreter from a recorded file."""

    recorded: ClassVar[dict[str, object]] = {}
    status: ClassVar[int] = 200
    asked: ClassVar[list[str]] = []

    def _reply(self, content: object) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.asked.append(urlparse(self.path).path)
        self._reply(self.recorded["search"])

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append(parse_qs(self.rfile.read(length).decode())["data"][0])
        self._reply(self.recorded["interpreter"])

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def _serving(recorded: Path, *, status: int = 200) -> Iterator[Servers]:
    answers = type(
        "Answers", (_Answers,), {"recorded": json.loads(recorded.read_text()), "status": status, "asked": []}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield Servers(f"{base}/api", f"{base}/", timeout_s=20, busy_retries=0)
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osmnx._nominatim.time.sleep", lambda _: None)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps({"search": _place(), "interpreter": {"version": 0.6, "elements": _elements()}}))
    return path


def test_a_place_becomes_a_study_that_loads_without_editing(recorded: Path, tmp_path: Path) -> None:
    before = {name: getattr(osmnx.settings, name) for name in ("overpass_url", "nominatim_url", "use_cache")}
    resolver = socket.getaddrinfo
    heard: list[str] = []
    with _serving(recorded) as servers:
        made = fetch("样例区", out=tmp_path / "study", servers=servers, progress=heard.append)
    assert heard[0] == "fetch.place"
    assert {name: getattr(osmnx.settings, name) for name in before} == before
    assert socket.getaddrinfo is resolver
    names = {path.name for path in (tmp_path / "study").iterdir()}
    assert names == {
        "boundary.gpkg",
        "streets.gpkg",
        "facilities.gpkg",
        "buildings.gpkg",
        "barriers.gpkg",
        "study.toml",
    }
    study = load_study(made.path)
    assert study.settings.study.name == "样例区"
    assert study.crs.to_epsg() == 4548
    assert {source.maker for source in study.sources} == {"© OpenStreetMap contributors"}
    assert {source.licence for source in study.sources} == {"ODbL 1.0"}
    streets = study.layers["streets"]
    assert len(streets) == 13
    assert set(streets["highway"]) == {"residential", "footway", "primary"}
    assert (streets["level"] == 0).all()  # "1;2" is no level
    facilities = study.layers["facilities"]
    assert set(facilities["name"]) == {"第一幼儿园", "生鲜超市", "南门站"}
    assert facilities["capacity"].isna().all()  # "约90" is unknown, not zero
    assert sorted(study.layers["buildings"]["storeys"]) == [6, 7, 8]
    assert list(study.layers["barriers"]["kind"]) == ["river"]


def test_streets_keep_the_vertices_they_share(recorded: Path, tmp_path: Path) -> None:
    with _serving(recorded) as servers:
        fetch("样例区", out=tmp_path / "study", servers=servers)
    streets = gpd.read_file(tmp_path / "study" / "streets.gpkg")
    vertices = streets.geometry.get_coordinates()
    assert len(vertices.drop_duplicates()) == 42
    assert len(vertices) == 6 * 7 + 7 * 6


def test_an_unknown_place_is_one_clear_error_and_leaves_nothing(recorded: Path, tmp_path: Path) -> None:
    recorded.write_text(json.dumps({"search": [], "interpreter": {"elements": []}}))
    with _serving(recorded) as servers, pytest.raises(InputError) as caught:
        fetch("没有这个地方", out=tmp_path / "study", servers=servers)
    assert [fault.code for fault in caught.value.faults] == ["fetch.no_place"]
    assert not (tmp_path / "study").exists()


def test_a_place_without_streets(recorded: Path, tmp_path: Path) -> None:
    recorded.write_text(json.dumps({"search": _place(), "interpreter": {"elements": []}}))
    with _serving(recorded) as servers, pytest.raises(InputError) as caught:
        fetch("样例区", out=tmp_path / "study", servers=servers)
    assert [fault.code for fault in caught.value.faults] == ["fetch.no_streets"]


@pytest.mark.parametrize(("status", "code"), [(504, "fetch.busy"), (429, "fetch.busy"), (403, "fetch.no_answer")])
def test_a_server_that_refuses(recorded: Path, tmp_path: Path, status: int, code: str) -> None:
    with _serving(recorded, status=status) as servers, pytest.raises(FetchError) as caught:
        fetch("样例区", out=tmp_path / "study", servers=servers)
    assert [fault.code for fault in caught.value.faults] == [code]
    assert len(explain_error(caught.value, "zh")) == 1


def test_a_server_that_answers_rubbish(recorded: Path, tmp_path: Path) -> None:
    recorded.write_text(json.dumps({"search": "<html>", "interpreter": "<html>"}))
    with _serving(recorded) as servers, pytest.raises((FetchError, InputError)):
        fetch("样例区", out=tmp_path / "study", servers=servers)


def test_no_server_at_all(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(FetchError) as caught:
        fetch("样例区", out=tmp_path / "study", servers=Servers(dead, dead, timeout_s=5, busy_retries=0))
    assert isinstance(caught.value, ConnectionError)
    assert [fault.code for fault in caught.value.faults] == ["fetch.no_answer"]


def test_a_study_that_is_there_is_not_overwritten(recorded: Path, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("mine")
    with _serving(recorded) as servers, pytest.raises(OutputError):
        fetch("样例区", out=tmp_path, servers=servers)
    assert (tmp_path / "study.toml").read_text() == "mine"


def test_servers_may_be_named_by_variables(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _serving(recorded) as servers:
        monkeypatch.setenv(fetching.OVERPASS_VARIABLE, str(servers.overpass_url))
        monkeypatch.setenv(fetching.NOMINATIM_VARIABLE, str(servers.nominatim_url))
        made = fetch("样例区", out=tmp_path / "study")
    assert made.path.is_file()
