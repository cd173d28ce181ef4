"""A first study.toml, written from what the files are: commented, ready to plan with where nothing must be asked."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely

from ..gis.crs import as_crs, transform
from ..gis.errors import Fault, InputError, OutputError
from .contracts import CONTRACTS
from .files import read_source
from .osmfile import ATTRIBUTION, LICENCE, Wanted, is_osm, osm_layers
from .osmlayers import TAGS
from .output import whole_folder
from .reading import How
from .ringguess import guess_rings
from .scaffold_fill import datums_by_fit, tables_to_join
from .settings import StudySettings
from .survey import Found, outside_china, survey
from .words import explain, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .scaffold_fill import Joining
    from .words import Language

COMPOUND_SHARE = 0.6
"""Share of the buildings that must lie in ``landuse=residential`` before these stand for neighbourhoods."""

COMPOUND_AREA_HA = 20.0
"""Median area up to which ``landuse=residential`` polygons can be neighbourhoods rather than whole quarters."""

FROM_OSM: tuple[str, ...] = ("facilities", "buildings", "compounds", "barriers", "land")
"""Layers that an OSM extract may give, beside the streets, where no file of the user's own does."""

WISHES: tuple[tuple[str, int], ...] = (("elderly_day_care", 5), ("elderly_home", 2), ("food_market", 3))
"""Sites that a new study looks for; the user changes the numbers."""

STUDY_FILE = "study.toml"


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What `init` made of the files: the text of study.toml, what is used as what, what the user must still answer."""

    text: str
    path: Path
    used: tuple[tuple[str, Path], ...]
    unused: tuple[Found, ...]
    questions: tuple[str, ...] = ()
    """Sentences in the user's language; empty when the study can be planned as it stands."""
    unmatched: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Layer, file and the file's columns that were recognised as none of the product's, where there are such."""


@dataclass(slots=True)
class _Draft:
    """What gathers while a study.toml is written."""

    folder: Path
    language: Language
    datum: str | None
    lines: list[str] = field(default_factory=list)
    used: list[tuple[str, Path]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    unmatched: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    joins: Mapping[int, Joining] = field(default_factory=dict)
    asked: list[tuple[int, int, str, str]] = field(default_factory=list)
    """Places in ``lines`` and ``questions`` where a datum is asked for, with its layer and path."""

    def say(self, name: str, **detail: object) -> str:
        return say(f"init.{name}", self.language, **detail)

    def comment(self, name: str, **detail: object) -> None:
        self.lines += [f"# {line}" for line in self.say(name, **detail).split("\n")]

    def path_of(self, path: Path) -> str:
        """Return how study.toml names a file: relative where it lies beside or below, else in full."""
        full = path.resolve()
        return full.relative_to(self.folder).as_posix() if full.is_relative_to(self.folder) else full.as_posix()


def init(
    sources: Sequence[Path],
    *,
    out: Path | None = None,
    name: str | None = None,
    language: Language = "zh",
    datum: str | None = None,
    force: bool = False,
) -> Scaffold:
    """Write a commented study.toml from a folder, or from one or more files.

    Every file is looked at; what it is taken for stands in study.toml, and what is not used too, with the reason.
    Nothing is guessed that could be wrong in silence: coordinates without a datum are taken for WGS 84 only outside
    China, where no map is shifted; in China the question is left to the user.

    Parameters
    ----------
    sources
        One folder, or files such as an OSM extract, a boundary and a table of people.
    out
        Folder of study.toml: the folder itself where one is given, else the working folder.
    name
        Name of the study.
    language
        Of the comments, and of the maps and reports to come.
    datum
        Datum of all files that state none.
    force
        Overwrite a study.toml that is there.

    Raises
    ------
    MissingFileError
        When a source does not exist.
    InputError
        When no file can give the streets.
    OutputError
        When a study.toml is there already, or the place cannot be written.
    """
    folder = out or next((source for source in sources if source.is_dir()), Path())
    target = folder / STUDY_FILE
    if target.exists() and not force:
        message = f"{target} is there already"
        raise OutputError(message, Fault("init.exists", file=str(target)))
    draft = _Draft(folder.resolve(), language, datum)
    chosen, unused = _chosen(survey(sources))
    draft.joins = tables_to_join(chosen, unused)
    joined = {id(joining.table) for joining in draft.joins.values()}
    unused = tuple(part for part in unused if id(part) not in joined)
    if "streets" not in chosen:
        message = "none of the files holds streets"
        raise InputError(message, Fault("init.no_streets", file=", ".join(str(source) for source in sources)))
    _write_head(draft, name or _name(chosen, sources), chosen)
    _write_area(draft, chosen)
    _write_layers(draft, chosen)
    _write_tail(draft, chosen, unused)
    _propose_datums(draft)
    text = _written(draft, folder)
    return Scaffold(text, target, tuple(draft.used), unused, tuple(draft.questions), tuple(draft.unmatched))


def _written(draft: _Draft, folder: Path) -> str:
    """Write the study.toml, once it is known to be one, and return its text."""
    text = "\n".join(draft.lines) + "\n"
    StudySettings.model_validate(tomllib.loads(text))
    with whole_folder(folder) as partial:
        (partial / STUDY_FILE).write_text(text, encoding="utf-8", newline="\n")
    return text


def quoted(text: str) -> str:
    r"""Write a text as a TOML string.

    Examples
    --------
    >>> print(quoted('a "b" \\ 名称'))
    "a \"b\" \\ 名称"
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _chosen(found: Sequence[Found]) -> tuple[dict[str, list[Found]], tuple[Found, ...]]:
    """Return the files of each layer, and those that are not used.

    An OSM extract gives streets only where there is no street layer of lines; one file draws the area.
    """
    usable = [part for part in found if part.layer is not None and part.reason is None]
    chosen: dict[str, list[Found]] = {}
    for part in usable:
        chosen.setdefault(str(part.layer), []).append(part)
    lines = [part for part in chosen.get("streets", []) if not is_osm(part.path)]
    extracts = [part for part in chosen.get("streets", []) if is_osm(part.path)]
    if lines and extracts:
        chosen["streets"] = lines
    for single in ("area", "dem"):
        if single in chosen:
            chosen[single] = [max(chosen[single], key=lambda part: part.points)]
    rasters = [part for part in chosen.get("population", []) if not part.fields]
    if rasters and len(chosen["population"]) > 1:
        tables = [part for part in chosen["population"] if part.fields]
        chosen["population"] = tables or rasters[:1]
    taken = {id(part) for parts in chosen.values() for part in parts} | {id(part) for part in extracts}
    return chosen, tuple(part for part in found if id(part) not in taken)


def _name(chosen: dict[str, list[Found]], sources: Sequence[Path]) -> str:
    """Return a name for the study: that of the folder, the OSM extract or the first file."""
    folder = next((source for source in sources if source.is_dir()), None)
    if folder is not None:
        return folder.resolve().name or "study"
    path = chosen["streets"][0].path
    return path.name.split(".")[0] or "study"


def _extracts(chosen: dict[str, list[Found]]) -> list[Path]:
    """Return the OSM extracts that give the streets."""
    return [part.path for part in chosen["streets"] if is_osm(part.path)]


def _write_head(draft: _Draft, name: str, chosen: dict[str, list[Found]]) -> None:
    """Write ``[study]``."""
    draft.comment("head")
    draft.lines += ["", "[study]", f"name = {quoted(name)}", f"language = {quoted(draft.language)}"]
    date = next((date for path in _extracts(chosen) if (date := _date(path)) is not None), None)
    if date is not None:
        draft.lines.append(f"date = {date}  # {draft.say('date')}")
    draft.comment("study_options")


def _date(path: Path) -> str | None:
    """Return the date that an OSM extract's header states."""
    header = osmium.FileProcessor(str(path)).header
    stamp = header.get("osmosis_replication_timestamp") or header.get("timestamp")
    date = str(stamp)[:10]
    try:
        return np.datetime64(date, "D").astype(str) if stamp else None
    except ValueError:
        return None


def _write_area(draft: _Draft, chosen: dict[str, list[Found]]) -> None:
    """Write ``[area]``, or say what stands for it."""
    draft.lines.append("")
    if "area" not in chosen:
        draft.comment("area_none")
        return
    draft.comment("area")
    draft.lines.append("[area]")
    _write_source(draft, "area", chosen["area"][0])


def _write_layers(draft: _Draft, chosen: dict[str, list[Found]]) -> None:
    """Write a section for each layer: the user's own files first, then what the OSM extract gives besides."""
    draft.lines.append("")
    draft.comment("layers")
    own = {layer: parts for layer, parts in chosen.items() if layer != "area"}
    for layer, parts in own.items():
        for part in parts:
            head = f"[layers.{layer}]" if len(parts) == 1 else f"[[layers.{layer}]]"
            draft.lines += ["", head]
            _write_source(draft, layer, part)
    extracts = _extracts(chosen)
    offered = _offers(extracts)
    for layer in FROM_OSM:
        if layer in own or not extracts:
            continue
        draft.lines.append("")
        if layer not in offered:
            draft.comment(f"osm_no_{layer}")
            continue
        draft.comment(f"osm_{layer}")
        for path in extracts:
            draft.lines.append(f"[layers.{layer}]" if len(extracts) == 1 else f"[[layers.{layer}]]")
            draft.lines += [f"path = {quoted(draft.path_of(path))}", f"tags = {_list(TAGS[layer])}"]
            draft.used.append((layer, path))


def _list(texts: Sequence[str]) -> str:
    """Write texts as a TOML list, one a line where there are several."""
    if len(texts) == 1:
        return f"[{quoted(texts[0])}]"
    return "[\n" + "".join(f"    {quoted(text)},\n" for text in texts) + "]"


def _write_source(draft: _Draft, layer: str, part: Found) -> None:
    """Write the keys of one file, its datum where the file states none."""
    draft.lines.append(f"path = {quoted(draft.path_of(part.path))}")
    draft.used.append((layer, part.path))
    if part.sublayer is not None:
        draft.lines.append(f"layer = {quoted(part.sublayer)}")
    if part.cad_layers:
        draft.lines.append(f"layer = {_one_or_list(part.cad_layers)}")
    _write_datum(draft, layer, part)
    if id(part) in draft.joins:
        joining = draft.joins[id(part)]
        draft.comment("join", count=joining.count)
        sheet = f", layer = {quoted(joining.table.sublayer)}" if joining.table.sublayer is not None else ""
        draft.lines.append(f"join = {{ path = {quoted(draft.path_of(joining.table.path))}{sheet} }}")
        draft.used.append((layer, joining.table.path))
    if part.tagged:
        draft.lines += [f"source = {quoted(ATTRIBUTION)}", f"licence = {quoted(LICENCE)}"]
    renamed = {name: source for name, source in part.columns.items() if name != source}
    if renamed:
        pairs = ", ".join(f"{name} = {quoted(source)}" for name, source in renamed.items())
        draft.lines.append(f"columns = {{ {pairs} }}")
    if part.meanings:
        draft.comment("values")
        tables = ", ".join(f"{name} = {_inline(pairs)}" for name, pairs in part.meanings.items())
        draft.lines.append(f"values = {{ {tables} }}")
    for name, texts in part.unknown_values.items():
        choices = ", ".join(CONTRACTS[layer].column(name).choices)
        draft.comment("values_unknown", column=name, values=_one_line(texts), choices=choices)
        draft.questions.append(
            draft.say("question_values", file=part.path.name, column=part.columns[name], values=_one_line(texts))
        )
    if part.fields:
        draft.comment("fields", fields=_one_line(part.fields))
    left = tuple(name for name in part.fields if name not in part.columns.values())
    if left and not part.tagged:
        draft.unmatched.append((layer, part.path.name, left))
        draft.comment("fields_unmatched", fields=_one_line(left))


def _inline(pairs: Mapping[str, str]) -> str:
    """Write texts to texts as an inline table of TOML."""
    return "{ " + ", ".join(f"{quoted(name)} = {quoted(value)}" for name, value in pairs.items()) + " }"


def _one_line(texts: Sequence[str]) -> str:
    """Write texts in one line of a comment."""
    return "".join(sign if sign.isprintable() else " " for sign in ", ".join(texts))


def _one_or_list(texts: Sequence[str]) -> str:
    """Write one text, or several as a TOML list in one line."""
    return quoted(texts[0]) if len(texts) == 1 else f"[{', '.join(map(quoted, texts))}]"


def _write_datum(draft: _Draft, layer: str, part: Found) -> None:
    """State the datum of a file that states none: as told, or WGS 84 outside China; else leave the question."""
    if part.states_crs or part.bounds is None:
        return
    if draft.datum is not None:
        draft.lines.append(f"datum = {quoted(draft.datum)}")
    elif outside_china(part.bounds):
        draft.lines.append(f'datum = "wgs84"  # {draft.say("datum_outside_china")}')
    else:
        draft.asked.append((len(draft.lines), len(draft.questions), layer, draft.path_of(part.path)))
        draft.questions.append(draft.say("question_datum", file=part.path.name))


def _propose_datums(draft: _Draft) -> None:
    """Put under each file whose datum is asked for what its coordinates may be, by how well it would fit."""
    if not draft.asked:
        return
    settings = StudySettings.model_validate(tomllib.loads("\n".join(draft.lines)))
    likely = datums_by_fit(settings, draft.folder)
    for place, question, layer, path in reversed(draft.asked):
        candidates = likely.get((layer, path), ())
        lines = draft.say("datum_likely" if candidates else "datum_question").split("\n")
        for candidate in candidates:
            why = explain(replace(candidate, detail={**candidate.detail, "write": ""}), draft.language).strip()
            lines.append(f"datum = {quoted(str(candidate.detail['datum']))}  # {why}")
            lines += ['axes = "north_east"'] if candidate.detail["swapped"] else []
        draft.lines[place:place] = [f"# {line}" for line in lines]
        if candidates:
            write = candidates[0].detail["write"]
            draft.questions[question] = draft.say("question_datum_likely", file=Path(path).name, write=write)


def _offers(extracts: Sequence[Path]) -> frozenset[str]:
    """Return the layers that the extracts can give besides streets."""
    offered = set()
    wanted = [Wanted(TAGS[layer], CONTRACTS[layer].shapes, ()) for layer in FROM_OSM]
    for path in extracts:
        frames = dict(zip(FROM_OSM, osm_layers(path, wanted), strict=True))
        offered |= {layer for layer, frame in frames.items() if layer != "compounds" and len(frame)}
        if _are_compounds(frames["compounds"], frames["buildings"]):
            offered.add("compounds")
    return frozenset(offered)


def _are_compounds(residential: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> bool:
    """Tell whether residential land of OSM can be neighbourhoods: most buildings lie in it, and it is finely drawn."""
    if residential.empty or buildings.empty:
        return False
    metric = residential.estimate_utm_crs()
    areas_ha = residential.to_crs(metric).area.to_numpy() / 10_000
    if float(np.median(areas_ha)) > COMPOUND_AREA_HA:
        return False
    centres = shapely.centroid(buildings.geometry.to_numpy())
    tree = shapely.STRtree(residential.geometry.to_numpy())
    inside = np.unique(tree.query(centres, predicate="intersects")[0])
    return len(inside) >= COMPOUND_SHARE * len(buildings)


def _write_rings(draft: _Draft, found: Sequence[Found]) -> None:
    """Propose the rings that the ring lines close; where they close none, name the lines; else say there is none."""
    given = (_named_lines(draft, part) for part in found)
    lines: list[gpd.GeoDataFrame] = [frame for frame in given if frame is not None]
    if not lines:
        draft.comment("rings_none")
        return
    crs = as_crs(lines[0].crs)
    together = gpd.GeoDataFrame(pd.concat([frame.to_crs(crs) for frame in lines], ignore_index=True))
    rings = guess_rings(together)
    if not rings:
        names = sorted({str(name) for name in together["name"].dropna()})
        draft.comment("rings_skeleton", names=_one_line(names))
        return
    draft.comment("rings_guessed")
    draft.lines += ["[rings]", f"rest_name = {quoted(draft.say('ring_rest'))}"]
    for ring in rings:
        listed = ", ".join(quoted(re.escape(name)) for name in ring.names)
        draft.lines += ["", "[[rings.ring]]", f"name = {quoted(draft.say('ring_name', stem=ring.stem))}"]
        draft.lines += [f"bounded_by = [{listed}]", f'policy = "none"  # {draft.say("ring_policy")}']


def _named_lines(draft: _Draft, part: Found) -> gpd.GeoDataFrame | None:
    """Return the lines of a file in metres with their names, where it says their names and where they are."""
    frame = read_source(part.path, How(layer=part.sublayer)).frame
    source = part.columns.get("name")
    if source is None or frame.empty:
        return None
    if frame.crs is None:
        frame = transform(frame, draft.datum or "wgs84", "EPSG:4326")
    named = gpd.GeoDataFrame({"name": frame[source]}, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    return named.to_crs(named.estimate_utm_crs()) if as_crs(named.crs).is_geographic else named


def _write_tail(draft: _Draft, chosen: dict[str, list[Found]], unused: Sequence[Found]) -> None:
    """Write rings, people and siting, and what was not used."""
    if "rings" not in chosen:
        draft.lines.append("")
        _write_rings(draft, chosen.get("ring_lines", []))
    draft.lines += ["", "[people]"]
    draft.comment("people")
    draft.lines += ["m2_per_person = 35.0", "persons_per_household = 2.6", "storeys_unknown = 3.0"]
    draft.comment("people_shares")
    draft.lines.append("")
    draft.comment("siting")
    for facility_class, sites in WISHES:
        draft.lines += ["[[siting.wish]]", f"facility_class = {quoted(facility_class)}", f"sites = {sites}", ""]
    if unused:
        draft.comment("unused")
        for part in unused:
            inside = f" / {part.sublayer}" if part.sublayer is not None else ""
            reason = say(part.reason or "init.unused_second", draft.language, lacks=", ".join(part.lacks))
            draft.lines.append(f"# - {draft.path_of(part.path)}{inside}: {reason}".replace("\n", " "))
