"""Against a real server of this machine's own PostgreSQL, started for these tests in a folder that is thrown away."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import CRS
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.gis.errors import InputError, LifecircleError, OutputError
from lifecircle.layers import postgiswrite
from lifecircle.layers.findings import LAYERS, TABLES, Findings
from lifecircle.layers.load import examine, load_study
from lifecircle.layers.postgis import Database, read_database
from lifecircle.layers.postgiswrite import MANIFEST, OURS, check_target, write_findings
from lifecircle.layers.reading import How
from lifecircle.layers.store import save
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

psycopg = pytest.importorskip("psycopg")

PASSWORD = "p@ss/wört:1%"  # noqa: S105  of a server that lives as long as these tests
QUOTED = "p%40ss%2Fw%C3%B6rt%3A1%25"
X, Y = 500_000.0, 4_057_000.0


class Server(NamedTuple):
    """A running server."""

    host: str
    """``user@host:port`` without a password."""

    @property
    def url(self) -> str:
        user, _, place = self.host.partition("@")
        return f"postgresql://{user}:{QUOTED}@{place}/postgres"

    @property
    def shown(self) -> str:
        return f"postgresql://{self.host}/postgres"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        with psycopg.connect(self.shown, password=PASSWORD) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
                rows = cursor.fetchall() if cursor.description else []
        return rows


def _absent(reason: str) -> None:
    """Skip where there is no server, unless one must be there."""
    if os.environ.get("LIFECIRCLE_NEED_POSTGIS"):
        pytest.fail(reason)
    pytest.skip(reason)


def _programs() -> Path | None:
    """Return the folder of initdb and pg_ctl: the variable, Debian's newest, or what is on the PATH."""
    stated = os.environ.get("LIFECIRCLE_POSTGRES_BIN")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4))
    on_path = shutil.which("initdb")
    listed = [Path(stated)] if stated else [*reversed(debian), *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in listed if (folder / "pg_ctl").exists() and (folder / "initdb").exists()), None)


def _unprivileged() -> str | None:
    """Return whom to run the server as: it refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start PostgreSQL with PostGIS on a free port of the loopback."""
    programs = _programs()
    if programs is None:
        _absent("no PostgreSQL server: install postgresql-postgis, or set LIFECIRCLE_POSTGRES_BIN")
        return
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = _unprivileged()
    if user is not None:
        shutil.chown(folder, user)
    (folder / "secret").write_text(PASSWORD, encoding="utf-8")
    (folder / "secret").chmod(0o644)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        return subprocess.run(
            command, user=user, cwd=folder, capture_output=program == "initdb", text=True, check=False, timeout=120,
            **({} if program == "initdb" else {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}),  # type: ignore[call-overload]
        )  # fmt: skip

    try:
        made = run("initdb", "-U", "planner", "-A", "scram-sha-256", "-E", "UTF8", "--no-sync", "--no-locale", f"--pwfile={folder / 'secret'}")  # fmt: skip # noqa: E501
        if made.returncode:
            _absent(f"initdb failed: {made.stderr[-300:]}")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        if run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start").returncode:
            _absent(f"the server did not start: {(folder / 'log').read_text()[-300:]}")
        found = Server(f"planner@127.0.0.1:{port}")
        try:
            found.run("CREATE EXTENSION postgis")
        except psycopg.Error as error:
            _absent(f"the server has no PostGIS: {error}")
        yield found
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tables(server: Server) -> Iterator[Server]:
    """Tables as a bureau has them, with names that need quotes."""
    box = "ST_SetSRID(ST_MakeEnvelope({0}, {1}, {2}, {3}), 4548)"
    boxes = [box.format(X + x, Y + 20, X + x + 200, Y + 200) for x in (20, 320)]
    server.run(
        'CREATE SCHEMA "规划"',
        'CREATE TABLE "规划"."小区 表" ("编号" text PRIMARY KEY, "小区名称" text, "户数" int, "建筑面积" numeric, '
        '"更新" date, geom geometry(Polygon, 4548))',
        f"INSERT INTO \"规划\".\"小区 表\" VALUES ('b', '乙园', 120, 9000.5, '2026-01-02', {boxes[1]}), "  # noqa: S608  made here
        f"('a', '甲\"; drop', 90, 8000, NULL, {boxes[0]})",
        'CREATE VIEW "规划".heap AS SELECT "户数", geom FROM "规划"."小区 表"',
        "CREATE TABLE plain (name text, lon float8, lat float8)",
        "INSERT INTO plain VALUES ('x', 117.002, 36.652)",
        "CREATE TABLE nowhere (name text)",
        "CREATE TABLE two (a geometry, b geometry)",
        "CREATE TABLE mixed (g geometry)",
        "INSERT INTO mixed VALUES (ST_SetSRID(ST_Point(1, 2), 4326)), (ST_SetSRID(ST_Point(1, 2), 4490))",
        "CREATE TABLE curved (g geometry)",
        "INSERT INTO curved VALUES ('CURVEPOLYGON(CIRCULARSTRING(0 0, 4 0, 4 4, 0 4, 0 0))')",
        "CREATE TABLE degrees (g geography(Point))",
        "INSERT INTO degrees VALUES ('POINT(117 36)')",
    )
    yield server
    server.run(
        'DROP SCHEMA "规划" CASCADE',
        "DROP TABLE plain, nowhere, two, mixed, curved, degrees",
        "DROP SCHEMA IF EXISTS plan CASCADE",
    )


def said(error: LifecircleError) -> str:
    """All that a user could ever be shown of an error."""
    lines = [str(error), repr(error), *(str(fault) for fault in error.faults)]
    return "\n".join([*lines, *(explain(fault, language) for fault in error.faults for language in LANGUAGES)])


def read(server: Server, **where: str) -> gpd.GeoDataFrame:
    return read_database(Database.of(server.url, **where), How(), Path("t")).frame  # type: ignore[arg-type]


def test_a_table_is_read_with_its_crs_in_the_order_of_its_key(tables: Server) -> None:
    frame = read(tables, table="规划.小区 表")
    assert frame["编号"].tolist() == ["a", "b"]
    assert frame["户数"].tolist() == [90, 120]
    assert frame["建筑面积"].tolist() == [8000.0, 9000.5]
    assert frame.crs.to_epsg() == 4548
    assert frame.total_bounds.tolist() == [X + 20, Y + 20, X + 520, Y + 200]


def test_rows_without_a_key_come_in_the_same_order_however_they_lie(tables: Server) -> None:
    before = read_database(Database.of(tables.url, table="规划.heap"), How(), Path("t"))
    tables.run(
        'UPDATE "规划"."小区 表" SET "户数" = "户数" WHERE "编号" = \'b\'',
        'VACUUM FULL "规划"."小区 表"'[:0] or "SELECT 1",
    )
    after = read_database(Database.of(tables.url, table="规划.heap"), How(), Path("t"))
    assert before.sha256 == after.sha256
    assert before.frame.equals(after.frame)


def test_a_question_a_table_of_coordinates_curves_and_geography(tables: Server) -> None:
    frame = read(tables, sql='SELECT "户数" * 2 AS "户数", geom FROM "规划"."小区 表" WHERE "小区名称" LIKE \'乙%\'')
    assert frame["户数"].tolist() == [240]
    assert read(tables, table="plain").geometry[0].coords[0] == (117.002, 36.652)
    assert read(tables, table="curved").geometry[0].area == pytest.approx(8 * 3.14159265, rel=1e-2)
    assert read(tables, table="public.degrees").crs.to_epsg() == 4326


@pytest.mark.parametrize(
    ("where", "code", "names"),
    [
        ({"table": "规划.小区"}, "no_table", "小区 表"),
        ({"table": "nowhere"}, "no_geometry", "name"),
        ({"table": "two"}, "several_geometries", "a, b"),
        ({"table": "mixed"}, "several_srids", "4326, 4490"),
        ({}, "table_or_sql", ""),
        ({"table": "two", "sql": "select 1"}, "table_or_sql", ""),
        ({"sql": "selec * from two"}, "refused", "selec"),
        ({"sql": "delete from plain returning *"}, "refused", "read-only"),
        ({"sql": "select 1; drop table plain"}, "refused", "multiple commands"),
        ({"sql": "commit; drop table plain"}, "refused", "multiple commands"),
        ({"sql": "set transaction read write"}, "refused", "read-write"),
        ({"sql": "commit"}, "no_rows", ""),
        ({"table": 'plain"; drop table plain; --'}, "no_table", "public.plain"),
    ],
)
def test_each_thing_wrong_is_one_clear_error(tables: Server, where: dict[str, str], code: str, names: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tables, **where)
    (fault,) = caught.value.faults
    assert fault.code == f"postgis.{code}"
    assert names in said(caught.value)
    assert tables.run("SELECT count(*) FROM plain") == [(1,)]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://planner:SECRETWORD@{place}/postgres", "unreachable"),
        ("postgresql://planner:SECRETWORD@127.0.0.1:1/postgres", "unreachable"),
        ("postgresql://planner:SECRET/WORD@:SECRETWORD@127.0.0.1:1/postgres", "unreachable"),
        ("postgresql://planner:SECRETWORD@127.0.0.1:notaport/postgres", "unreachable"),
        ("postgresql://planner@127.0.0.1:1/postgres?password=SECRETWORD", "unreachable"),
        ("postgresql://planner:SECRETWORD@[::1/postgres", "address"),
        ("postgresql://planner:SECRETWORD@{place}/none?nonsense=1", "address"),
    ],
)
def test_no_password_is_ever_shown(server: Server, url: str, code: str) -> None:
    where = Database.of(url.format(place=server.host.partition("@")[2]), table="t")
    with pytest.raises(InputError) as caught:
        read_database(where, How(), Path("t"))
    assert [fault.code for fault in caught.value.faults] == [f"postgis.{code}"]
    for text in (said(caught.value), repr(where), repr(caught.value.__cause__)):
        assert "SECRET" not in text


TOML = """
[study]
name = "测试"
[area]
path = "area.gpkg"
[layers.streets]
path = "streets.gpkg"
[layers.compounds]
path = "{url}"
table = "规划.小区 表"
"""


def study(folder: Path, url: str) -> Path:
    area = gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 600, Y + 600)], crs="EPSG:4548")
    area.to_file(folder / "area.gpkg")
    lines = [shapely.LineString([(X, Y + s), (X + 600, Y + s)]) for s in (0, 300, 600)]
    gpd.GeoDataFrame({"highway": ["residential"] * 3}, geometry=lines, crs="EPSG:4548").to_file(folder / "streets.gpkg")
    path = folder / "study.toml"
    path.write_text(TOML.format(url=url), encoding="utf-8")
    return path


def test_a_study_reads_its_layers_from_the_database_and_keeps_no_password(tables: Server, tmp_path: Path) -> None:
    path = study(tmp_path, tables.url)
    loaded = load_study(path)
    assert loaded.layers["compounds"]["households"].tolist() == [90, 120]
    assert loaded.layers["compounds"]["name"].tolist() == ['甲"; drop', "乙园"]
    source = next(source for source in loaded.sources if source.layer == "compounds")
    assert source.file == f"{tables.shown} 规划.小区 表"
    assert source.sha256 == next(s for s in load_study(path).sources if s.layer == "compounds").sha256
    stored = json.dumps(loaded.settings.model_dump(mode="json"), ensure_ascii=False) + repr(loaded)
    assert PASSWORD not in stored
    assert QUOTED not in stored
    printed = CliRunner().invoke(app, ["check", str(path), "--json"])
    assert printed.exit_code == 0, printed.output
    assert QUOTED not in printed.output
    assert PASSWORD not in printed.output


def test_the_password_may_come_from_the_environment(
    tables: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = study(tmp_path, tables.shown)
    assert [fault.code for fault in examine(path).faults] == ["postgis.unreachable"]
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert load_study(path).layers["compounds"]["households"].sum() == 210
    monkeypatch.delenv("PGPASSWORD")
    host, _, port = tables.host.partition("@")[2].partition(":")
    (tmp_path / "pass").write_text(
        f"{host}:{port}:*:planner:{PASSWORD.replace(':', chr(92) + ':')}\n", encoding="utf-8"
    )
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    assert load_study(path).layers["compounds"]["households"].sum() == 210


def test_table_without_a_database_is_pointed_out(tmp_path: Path) -> None:
    path = study(tmp_path, "area.gpkg")
    assert "postgis.no_database" in [fault.code for fault in examine(path).faults]


def findings(crs: object = "EPSG:4548", people: int = 3) -> Findings:
    layers = {}
    for name, columns in LAYERS.items():
        shapes = [shapely.Point(X, Y), None] if name == "demand" else [shapely.box(X, Y, X + 9, Y + 9)]
        cells = {column: ["甲\0"] * len(shapes) for column in columns}
        frame = gpd.GeoDataFrame(cells, geometry=shapes, crs=crs)
        if name == "demand":
            frame["people"] = pd.array([people, None], dtype="Int64")
            frame["access_m"] = [1.5, float("nan")]
            frame["edge_cut"] = [True, False]
        layers[name] = frame
    tables = {name: pd.DataFrame({column: ["x"] for column in columns}) for name, columns in TABLES.items()}
    return Findings(layers=layers, tables=tables, manifest={"study": {"name": "试"}})


def test_findings_are_written_and_replaced_whole(tables: Server) -> None:
    where = Database.of(tables.url)
    check_target(where, "plan")
    assert tables.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'plan'") == [(0,)]
    counts = write_findings(findings(), where, "plan")
    assert set(counts) == {*LAYERS, *TABLES, MANIFEST}
    back = read(tables, table="plan.demand")
    assert back.crs.to_epsg() == 4548
    assert back["people"].dropna().tolist() == [3]
    assert back["access_m"].dropna().tolist() == [1.5]
    assert sorted(back["edge_cut"]) == [False, True]
    assert set(back["demand_id"]) == {"甲"}
    indexes = tables.run("SELECT count(*) FROM pg_indexes WHERE schemaname = 'plan' AND indexdef LIKE '%gist%'")
    assert indexes == [(len(LAYERS),)]
    tables.run("CREATE VIEW plan.mine AS SELECT sum(people) AS people FROM plan.demand", "CREATE ROLE reader")
    tables.run("GRANT SELECT ON plan.demand TO reader")
    write_findings(findings(people=7), where, "plan")
    assert tables.run("SELECT people FROM plan.mine") == [(7,)]
    assert tables.run("SELECT has_table_privilege('reader', 'plan.demand', 'SELECT')") == [(True,)]
    assert tables.run("SELECT content->'study'->>'name' FROM plan.manifest") == [("试",)]
    tables.run("DROP OWNED BY reader", "DROP ROLE reader")


def test_a_failure_leaves_the_old_findings(tables: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Database.of(tables.url)
    write_findings(findings(people=3), where, "plan")
    replace_one = postgiswrite._replace

    def fails_late(connection: object, schema: str, table: object, srid: int) -> None:
        replace_one(connection, schema, table, srid)  # type: ignore[arg-type]
        if table.name == MANIFEST:  # type: ignore[attr-defined]
            connection.execute("SELECT 1 / 0")  # type: ignore[attr-defined]

    monkeypatch.setattr(postgiswrite, "_replace", fails_late)
    with pytest.raises(OutputError) as caught:
        write_findings(findings(people=99), where, "plan")
    assert "division by zero" in said(caught.value)
    assert tables.run("SELECT sum(people) FROM plan.demand") == [(3,)]


def test_tables_of_others_are_never_touched(tables: Server) -> None:
    tables.run(
        "CREATE SCHEMA plan", "CREATE TABLE plan.compounds (mine text)", "INSERT INTO plan.compounds VALUES ('x')"
    )
    for attempt in (check_target, lambda where, schema: write_findings(findings(), where, schema)):
        with pytest.raises(OutputError) as caught:
            attempt(Database.of(tables.url), "plan")
        assert caught.value.faults[0].code == "postgis.foreign"
    assert tables.run("SELECT mine FROM plan.compounds") == [("x",)]
    assert OURS not in str(tables.run("SELECT obj_description('plan.compounds'::regclass)"))


def test_a_local_crs_and_names_that_need_quotes(tables: Server) -> None:
    local = CRS.from_proj4("+proj=tmerc +lat_0=36 +lon_0=117.1 +k=1 +x_0=50000 +y_0=0 +ellps=GRS80 +units=m")
    name = '计划"; DROP'
    try:
        write_findings(findings(local), Database.of(tables.url), name)
        write_findings(findings(local), Database.of(tables.url), name)
        back = read(tables, sql=f'SELECT * FROM "{name.replace(chr(34), chr(34) * 2)}".demand')  # noqa: S608  made here
        srid = tables.run("SELECT DISTINCT srid FROM spatial_ref_sys WHERE auth_name = 'lifecircle'")
        assert len(srid) == 1
        assert 117.1 in [parameter.value for parameter in back.crs.coordinate_operation.params]
    finally:
        tables.run(
            'DROP SCHEMA IF EXISTS "计划""; DROP" CASCADE', "DELETE FROM spatial_ref_sys WHERE auth_name = 'lifecircle'"
        )


def test_the_command_line_publishes_a_folder_and_shows_no_password(tables: Server, tmp_path: Path) -> None:
    save(findings(), tmp_path)
    run = CliRunner().invoke(app, ["publish", str(tmp_path), tables.url, "--schema", "plan", "--language", "en"])
    assert run.exit_code == 0, run.output
    assert f"written to {tables.shown}, schema plan" in run.output
    assert tables.run("SELECT sum(people) FROM plan.demand") == [(3,)]
    tables.run("COMMENT ON TABLE plan.demand IS NULL")
    again = CliRunner().invoke(app, ["publish", str(tmp_path), tables.url, "--schema", "plan", "--language", "zh"])
    assert again.exit_code == 2
    assert "demand" in again.stderr
    assert QUOTED not in run.output + again.output
    none = CliRunner().invoke(
        app, ["plan", "--postgis", "postgresql://a:SECRETWORD@127.0.0.1:1/x", "--out", str(tmp_path / "o")]
    )
    assert none.exit_code == 2
    assert "SECRET" not in none.output
    assert not (tmp_path / "o").exists()


def test_without_rights_nothing_is_written(tables: Server) -> None:
    tables.run("CREATE ROLE guest LOGIN PASSWORD 'guest'", "CREATE SCHEMA plan")
    place = tables.host.partition("@")[2]
    guest = Database.of(f"postgresql://guest:guest@{place}/postgres")
    with pytest.raises(OutputError) as caught:
        write_findings(findings(), guest, "plan")
    assert caught.value.faults[0].code == "postgis.cannot_write"
    with pytest.raises(OutputError):
        check_target(guest, "another")
    tables.run("DROP ROLE guest")
