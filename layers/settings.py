"""The shape of study.toml: every key a study may set, with its unit and default; unknown keys are refused."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  pydantic reads the annotations when the module runs
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from .dburl import is_database, without_password
from .zoning_settings import ZoningSection

Positive = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Policy = Literal["keep", "subtract", "multiply", "none"]
Model = Literal["max_cover", "set_cover", "p_median", "p_centre", "capacitated", "budgeted"]


class _Strict(BaseModel):
    """Frozen, and refuses keys it does not know: a mistyped key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StudySection(_Strict):
    """``[study]``: what the study is and how it speaks."""

    name: Annotated[str, Field(min_length=1)]
    language: Literal["zh", "en"] = "zh"
    made_up: bool = False
    """True when the data are not of a real place; said on every map and page."""
    date: dt.date | None = None
    """Date of the data; the day of the run where it is not given."""
    crs: str = "auto"
    """Working CRS: ``auto`` (CGCS2000 3-degree zone in China, UTM elsewhere) or an EPSG code in metres."""
    datum: Literal["gcj02"] | None = None
    """``gcj02``: work in shifted coordinates throughout, and give every result in them."""
    standard: str = "gb50180-2018"
    """A standard that ships with lifecircle, or the path of a TOML file."""
    indicators: list[str] = ["tdt1063-2021", "mohurd-checkup"]
    """Standards whose indicators are counted beside those of the study's own: keys, or paths of TOML files."""
    walker: str = "standard"
    """``standard`` (metres, as the standards are written), ``adult``, ``elderly``, ``frail``, ``wheelchair``, or one
    of ``[walkers]``."""
    gates: Literal["auto", "gated", "open", "residents"] = "auto"
    """Whether walls count. ``auto``: ``gated`` where gates are known, else ``open``."""
    snap_limit_m: Positive = 200.0
    map_approval: str | None = None
    """审图号, printed on every map where given."""


class JoinSection(_Strict):
    """``[layers.NAME.join]``: a table without geometry whose figures belong to the layer's features."""

    path: str
    layer: str | None = None
    """Sheet of the workbook; its first where it is not given."""
    encoding: str | None = None
    by: str | None = None
    """The product's column to match by: the layer's id, or ``name``; both are tried where it is not given."""
    columns: dict[str, str] = {}
    """The product's column → the table's column."""
    names: dict[str, str] = {}
    """The table's name of a place → the layer's, where the two cannot be told to be one."""
    source: str | None = None
    licence: str | None = None


class LayerSection(_Strict):
    """``[area]`` and each ``[layers.NAME]``: one file (or one layer of a file) and how to read it."""

    path: str
    layer: str | list[str] | None = None
    """Layer inside the file; may be left out when the file has one. Of a drawing (DXF): the CAD layers to take."""
    datum: str | None = None
    """``wgs84``, ``gcj02``, ``bd09``, ``bd09mc``, ``cgcs2000``, ``EPSG:n`` or one of ``[local]``; needed where the file
    states no CRS, wins over it."""
    axes: Literal["east_north", "north_east"] = "east_north"
    """``north_east``: the first coordinate in the file is the northing or the latitude."""
    encoding: str | None = None
    columns: dict[str, str] = {}
    """The product's column → the file's column."""
    values: dict[str, dict[str, str]] = {}
    """Per product column: the file's value → the product's value."""
    keep: dict[str, str | list[str]] = {}
    """Only rows whose file column has one of the values."""
    join: JoinSection | None = None
    """A table whose figures are joined to the features by code or name."""
    tags: list[str] = []
    """For OSM files: ``key=value`` or ``key`` filters that make this layer."""
    source: str | None = None
    """Who made the data; printed on maps."""
    licence: str | None = None
    table: str | None = None
    """``schema.table``, where path is a database's (``postgresql://…``)."""
    sql: str | None = None
    """One ``select``, where path is a database's."""
    _password: str | None = PrivateAttr(default=None)
    """Taken out of the path, so that whatever shows or stores the settings shows none."""

    def model_post_init(self, _: object, /) -> None:
        """Keep the password of a database apart from its address."""
        if is_database(self.path):
            shown, self._password = without_password(self.path)
            self.__dict__["path"] = shown  # before anybody sees the frozen section

    @property
    def password(self) -> str | None:
        """The password that stood in the path of a database."""
        return self._password

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers inside the file that are stated."""
        return () if self.layer is None else (self.layer,) if isinstance(self.layer, str) else tuple(self.layer)


class RingSection(_Strict):
    """One ``[[rings.ring]]``: a ring bounded by named lines of ``ring_lines`` (or the streets), inside out."""

    name: str
    bounded_by: list[str]
    """Names of the lines around the ring; each may be a regular expression of the line's whole name."""
    policy: Policy = "none"


class RingsSection(_Strict):
    """``[rings]``: rings from named boundary lines, where no polygon layer ``rings`` is given."""

    ring: list[RingSection] = []
    rest_name: str | None = None
    """Name of the last ring, what of the area lies in no other."""
    rest_policy: Policy = "none"


class PeopleSection(_Strict):
    """``[people]``: what is assumed of people where no layer says it."""

    m2_per_person: Positive = 35.0
    """Residential floor area per person, GB 50180-2018 note 4.0.2."""
    persons_per_household: Positive = 2.6
    storeys_unknown: Positive = 3.0
    """Storeys of a residential building that states none."""
    elders_share: Share | None = None
    """People of 60 and over where no layer gives age groups; without it elders are unknown."""
    children_0_3_share: Share | None = None
    children_3_6_share: Share | None = None
    children_6_12_share: Share | None = None
    places: Literal["homes", "compounds", "grid"] = "homes"
    """Where walks begin: at every home, or at one of each compound or cell, for studies of a province."""
    grid_m: Positive = 100.0
    """Side of the cells of ``places = "grid"``."""


class FacilitiesSection(_Strict):
    """``[facilities]``: which facilities count, what is estimated of them, and which records are one."""

    count: Literal["existing", "building", "planned"] = "existing"
    """Which are walked to: existing ones, those under construction too, or planned ones too."""
    until: int | None = None
    """Of those to come only the ones with a year up to this."""
    estimate_capacity: bool = False
    """Whether a capacity that is not stated is estimated from floor area, by the class's m² a place."""
    keep_apart: list[Annotated[list[str], Field(min_length=2)]] = []
    """Ids of records that are never merged with each other."""
    merge: list[Annotated[list[str], Field(min_length=2)]] = []
    """Ids of records that are one facility."""


class WalkerSection(_Strict):
    """``[walkers.NAME]``: a walker of the user's own."""

    speed_mps: Positive
    steps: bool = True
    """False: cannot use steps."""
    steps_factor: Positive = 0.5
    """Speed on steps over speed on the flat."""
    slope: bool = True
    """Whether the terrain counts (Tobler), where a DEM is given."""
    max_slope: Positive | None = None
    signal_seconds: Seconds = 0.0
    """Mean wait at a crossing with signals."""
    lift_seconds: Seconds = 30.0
    """Mean wait for a lift and ride in it."""


class WishSection(_Strict):
    """One ``[[siting.wish]]``: where new sites of a facility class are wanted, by which model, with what money.

    Which keys a model reads: `lifecircle.layers.wishes`; a key that it does not read is refused.
    """

    facility_class: str
    model: Model = "max_cover"
    """``max_cover``: the most people within the limit; ``set_cover``: the fewest sites that reach all who can be
    reached; ``p_median``: the least sum of walks; ``p_centre``: the shortest longest walk; ``capacitated``: the most
    people with a place within the limit; ``budgeted``: the most people within the limit for the money."""
    sites: Annotated[int, Field(ge=1)] | None = None
    weight: Literal["people", "elders_60", "households"] | None = None
    """Who is to be reached; the class's own group where it is not given."""
    budget_yuan: Positive | None = None
    cost_yuan: Positive | None = None
    """Cost of a site whose land states none."""
    cost_yuan_per_m2: Positive | None = None
    """Instead: yuan for each m² of the floor area that is built or taken over."""
    m2_per_place: Positive | None = None
    """Floor area of one place, where it is not to be that of the class."""
    places_per_1000: Positive | None = None
    """Places that a thousand of those to be reached need; each needs one where it is not given."""
    places_unknown: Annotated[int, Field(ge=0)] | None = None
    """Places of a facility that stands and states none."""
    must: list[str] = []
    """Ids of candidates that are chosen whatever they bring."""
    bar: list[str] = []
    """Ids of candidates that are not chosen."""
    close: list[str] = []
    """Ids of facilities that stand and may be closed; each one that is frees a site more."""
    closings: Annotated[int, Field(ge=1)] | None = None
    """How many of them at most; all where it is not given."""
    least: Share | None = None
    """Share of the people of each group that must be within the limit afterwards."""
    worst_first: bool = False
    """The group that is worst off first, then the next one, then the sum."""
    groups: Literal["ring", "district"] | None = None
    """The groups of ``least`` and ``worst_first``; rings where it is not given."""
    phases: list[Annotated[int, Field(ge=1)]] = []
    """New sites of each phase, the first phase first; their sum is the number of sites."""
    phase_yuan: list[Positive] = []
    """Instead: the money of each phase; what is left over is not carried on."""
    curve: Annotated[int, Field(ge=0)] | None = None
    """How many sites the curve of people reached goes up to; 0 is no curve; twice the sites where it is not given."""


class AccessSection(_Strict):
    """``[access]``: what is shared among those who reach a facility."""

    supply: Literal["places", "building_m2", "land_m2", "count"] = "places"
    """What a facility offers: its capacity, floor area, land, or (only on request) each one alike. Facilities that do
    not state it take no part and are counted as unknown."""


class SitingSection(_Strict):
    """``[siting]``: what to look for and how long to prove it."""

    wish: list[WishSection] = []
    seconds: Positive = 60.0
    """Longest time for the solver on one class."""
    gap: Annotated[float, Field(ge=0)] = 0.0
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the random part of the search."""
    together: Literal["one_use", "combined"] | None = None
    """Choose for all wishes at once instead of one after the other: ``one_use``, each site has one use; ``combined``,
    a site may be a centre of several classes as far as its floor area holds them."""
    walk_most_m: Positive = 3000.0
    """How far ``p_median`` and ``p_centre`` look."""
    street_spacing_m: Positive = 250.0
    """Spacing of candidates along streets, where the study has no land layer."""
    site_rules: str | None = None
    """Path of a TOML file whose entries replace those of ``standards/site_rules.toml``."""


class LocalSection(_Strict):
    """``[local.NAME]``: a local coordinate system, fitted to control points or given by its parameters."""

    crs: str
    """The known CRS in metres, such as ``EPSG:4548``."""
    method: Literal["similarity", "affine", "seven"] = "similarity"
    """Four, six or seven (Bursa-Wolf) parameters."""
    base: str | None = None
    """Of ``seven``: the CRS on the old ellipsoid that the local coordinates are in, such as ``EPSG:2436``."""
    points: str | list[Annotated[list[float], Field(min_length=4, max_length=4)]] | None = None
    """Control points: rows of local x (east), y (north), known east, north; or the path of a table with them."""
    columns: dict[str, str] = {}
    """Of a table: ``x``, ``y``, ``east``, ``north``, ``name`` → its columns."""
    limit_m: Positive = 0.5
    """No control point may be off by more."""
    parameters: dict[str, float] = {}
    """Given in place of control points; see `lifecircle.gis.local.PARAMETERS`."""


class StudySettings(_Strict):
    """The whole study.toml.

    Examples
    --------
    >>> settings = StudySettings.model_validate(
    ...     {"study": {"name": "样例"}, "area": {"path": "a.gpkg"}, "layers": {"streets": {"path": "s.gpkg"}}}
    ... )
    >>> settings.study.walker, settings.people.m2_per_person
    ('standard', 35.0)
    """

    study: StudySection
    area: LayerSection | None = None
    """The study area; the hull of the streets where it is not given."""
    layers: dict[
        Literal[
            "rings",
            "ring_lines",
            "districts",
            "zones",
            "compounds",
            "gates",
            "streets",
            "barriers",
            "facilities",
            "parcels",
            "projects",
            "land",
            "hazard",
            "protection",
            "buildings",
            "population",
            "dem",
        ],
        LayerSection | list[LayerSection],
    ]
    """The sources by layer; a list where a layer comes from several files."""
    rings: RingsSection = RingsSection()
    people: PeopleSection = PeopleSection()
    facilities: FacilitiesSection = FacilitiesSection()
    walkers: dict[str, WalkerSection] = {}
    local: dict[str, LocalSection] = {}
    access: AccessSection = AccessSection()
    siting: SitingSection = SitingSection()
    zoning: ZoningSection = ZoningSection()
