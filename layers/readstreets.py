"""Streets without a study: a walk network from a file or two, for scripts and trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..gis.errors import InputError
from .load import examine_settings
from .settings import LayerSection, StudySection, StudySettings
from .streets import network_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .streets import Streets


def read_streets(
    path: Path | str,
    *,
    crs: str = "auto",
    datum: str | None = None,
    gates: Literal["auto", "gated", "open", "residents"] = "auto",
    beside: Mapping[Literal["compounds", "gates", "dem"], Path | str] | None = None,
) -> Streets:
    """Return the walk network of one file of streets, as a study would get it.

    Parameters
    ----------
    path
        OSM extract (PBF or XML), GraphML of OSMnx, or a layer of lines (GeoPackage, Shapefile, GeoParquet …).
    crs
        Working CRS in metres: ``EPSG:n``, or ``auto`` for the CGCS2000 zone in China and UTM elsewhere.
    datum
        Of a file that states no CRS, or whose coordinates are shifted: ``wgs84``, ``gcj02``, ``bd09``, ``EPSG:n`` …
    gates
        Whether walls count, as in study.toml.
    beside
        Files of walled compounds, of their gates, and of heights (GeoTIFF), where there are any.

    Returns
    -------
    Streets
        ``network``, and the ``notes`` and ``warnings`` of what was assumed and what may be wrong.

    Raises
    ------
    MissingFileError
        When a file does not exist.
    InputError
        With every fault of the files.

    Examples
    --------
    >>> import tempfile, geopandas, shapely
    >>> lines = [shapely.LineString([(500000, 4050000), (500400, 4050000), (500400, 4050300)])]
    >>> file = Path(tempfile.mkdtemp()) / "streets.gpkg"
    >>> geopandas.GeoDataFrame({"highway": ["footway"]}, geometry=lines, crs="EPSG:4548").to_file(file)
    >>> streets = read_streets(file, crs="EPSG:4548")
    >>> streets.network.edge_length_m.tolist(), streets.network.crs.to_epsg()
    ([700.0], 4548)
    """
    layers = {"streets": LayerSection(path=str(path), datum=datum)}
    layers |= {layer: LayerSection(path=str(file)) for layer, file in (beside or {}).items()}
    study = StudySection(name=Path(path).name, crs=crs, gates=gates)
    settings = StudySettings.model_validate({"study": study, "layers": layers})
    examined = examine_settings(settings, Path.cwd())
    blocking = [fault for fault in examined.faults if fault.blocks]
    if examined.study is None or blocking:
        message = f"{path}: {'; '.join(map(str, blocking[:3]))}"
        raise InputError(message, *blocking)
    return network_of(examined.study)
