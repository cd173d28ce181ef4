"""The layers a study may hold, as contracts: names, columns, units, and how planners' files call them."""

from __future__ import annotations

from .table import Column, Contract

TENURES = {
    "state": ("国有", "国有土地"),
    "collective": ("集体", "集体土地"),
    "private": ("私有", "私房"),
    "public_housing": ("公房", "直管公房"),
    "work_unit": ("单位", "单位自管"),
    "mixed": ("混合",),
}
PROJECT_KINDS = {
    "shantytown": ("棚改", "棚户区改造"),
    "urban_village": ("城中村", "城中村改造"),
    "old_neighbourhood": ("老旧小区", "老旧小区改造"),
    "historic": ("历史保护", "历史街区", "历史文化街区"),
    "factory": ("旧厂区", "老厂房", "工业更新"),
    "old_street": ("老旧街区", "旧街区"),
    "other": ("其他",),
}
WAYS = {"keep": ("留", "保留"), "convert": ("改", "改造"), "demolish": ("拆", "拆除", "拆除重建")}
STAGES = {
    "planned": ("计划", "拟建", "储备"),
    "survey": ("调查", "摸底"),
    "certify": ("认定",),
    "assess": ("评估",),
    "publicise": ("公示",),
    "sign": ("签约",),
    "move": ("搬迁",),
    "demolish": ("拆除", "拆迁"),
    "clear": ("净地", "清运"),
    "build": ("在建", "建设", "施工"),
    "done": ("完成", "竣工"),
    "return": ("回迁", "安置"),
}
STATUSES = {
    "existing": ("现状", "现有", "已建", "建成", "运营", "在用"),
    "building": ("在建", "建设中", "施工"),
    "planned": ("规划", "拟建", "计划"),
    "closed": ("关闭", "停用"),
}
LAND_KINDS = {
    "idle_land": ("闲置用地", "闲置土地", "低效用地", "空地"),
    "cleared_site": ("拆违空地", "净地"),
    "vacated_factory": ("腾退厂房", "旧厂房", "闲置厂房"),
    "public_building": ("公共建筑", "闲置公房", "国有房产"),
    "vacant_building": ("闲置建筑", "空置建筑"),
}
HAZARD_KINDS = {
    "flood": ("洪水", "洪涝", "内涝", "洪水淹没", "淹没区", "行洪区", "蓄滞洪区", "flooding"),
    "landslide": ("地质灾害", "滑坡", "崩塌", "泥石流", "地质灾害隐患"),
    "subsidence": ("采空区", "地面塌陷", "地面沉降", "塌陷"),
    "fault": ("断裂带", "活动断层", "断层"),
    "pipeline": ("油气管线", "油气管道", "燃气管线", "高压燃气"),
    "power_line": ("高压走廊", "高压线", "高压电力线", "高压线走廊"),
    "dangerous_goods": ("危险品", "危化品", "易燃易爆", "危险源"),
    "pollution": ("污染地块", "污染源", "土壤污染", "污染"),
    "noise": ("噪声", "噪音", "噪声超标区"),
    "other": ("其他",),
}
PROTECTION_KINDS = {
    "heritage": ("文物保护范围", "文保", "文物", "历史文化保护", "核心保护范围", "紫线", "城市紫线"),
    "heritage_control": ("建设控制地带", "建控地带", "风貌协调区"),
    "ecological": ("生态保护红线", "生态红线", "自然保护区"),
    "farmland": ("永久基本农田", "基本农田"),
    "water_source": ("饮用水水源保护区", "水源保护区", "水源地"),
    "green_line": ("绿线", "城市绿线"),
    "blue_line": ("蓝线", "城市蓝线", "河道管理范围"),
    "yellow_line": ("黄线", "城市黄线"),
    "other": ("其他",),
}
POLICIES = {"keep": ("保护", "保持", "留"), "subtract": ("减法", "减量"), "multiply": ("乘法", "增量"), "none": ("无",)}

_AGES = (
    Column("elders_60", "float", least=0, also=("60岁以上", "六十岁以上", "老年人口", "老年人数", "pop_60")),
    Column("elders_65", "float", least=0, also=("65岁以上", "六十五岁以上", "pop_65")),
    Column("elders_80", "float", least=0, also=("80岁以上", "八十岁以上", "高龄人口", "高龄老人", "pop_80")),
    Column("children_0_3", "float", least=0, also=("0-3岁", "零至三岁", "3岁以下", "婴幼儿", "pop_0_3")),
    Column("children_3_6", "float", least=0, also=("3-6岁", "三至六岁", "学龄前", "学龄前儿童", "pop_3_6")),
    Column("children_6_12", "float", least=0, also=("6-12岁", "六至十二岁", "小学学龄", "小学学龄儿童", "pop_6_12")),
)
AGE_COLUMNS: tuple[str, ...] = tuple(column.name for column in _AGES)
"""Age groups that travel with people, from the sub-district table to every coverage figure."""

_NAME = Column("name", "text", also=("名称", "name", "NAME", "小区名称", "项目名称"))

AREA = Contract("area", ("Polygon",), (_NAME,))
RINGS = Contract(
    "rings",
    ("Polygon",),
    (
        Column("ring_id", "id", also=("圈层编号", "编号", "id")),
        Column("name", "text", required=True, also=("圈层", "圈层名称", "名称")),
        Column("order", "int", least=1, also=("序号", "次序", "由内向外")),
        Column("policy", "choice", choices=POLICIES, also=("政策", "导向")),
    ),
)
RING_LINES = Contract("ring_lines", ("LineString",), (Column("name", "text", required=True, also=("名称", "路名")),))
DISTRICTS = Contract(
    "districts",
    ("Polygon",),
    (
        Column(
            "district_id", "id", also=("街道编号", "街道代码", "代码", "行政区划代码", "区划代码", "编号", "id", "code")
        ),
        Column("name", "text", required=True, also=("街道", "街道名称", "名称", "街道办")),
        Column("borough", "text", also=("区县", "区县名称", "所属区县", "所属区", "区名", "县名", "county")),
        Column("people", "float", least=0, also=("人口", "常住人口", "总人口", "population", "pop")),
        *_AGES,
        Column("households", "float", least=0, also=("户数", "总户数")),
    ),
)
ZONES = Contract(
    "zones",
    ("Polygon",),
    (
        Column("zone_id", "id", also=("分区编号", "单元编号", "编号", "id")),
        Column("name", "text", also=("分区名称", "分区", "单元名称", "名称")),
    ),
)
COMPOUNDS = Contract(
    "compounds",
    ("Polygon",),
    (
        Column("compound_id", "id", also=("小区编号", "小区代码", "编号", "id")),
        Column("name", "text", also=("小区名称", "小区", "小区名", "名称")),
        Column("year_built", "int", least=1000, also=("建成年份", "建成年代", "年代")),
        Column("households", "int", least=0, also=("户数", "总户数")),
        Column("people", "float", least=0, also=("人口", "居住人口", "常住人口", "总人口", "人口数")),
        Column("floor_area_m2", "float", least=0, also=("建筑面积", "总建筑面积", "建筑面积_m2")),
        Column("storeys", "int", least=0, also=("层数", "主要层数", "楼层", "地上层数")),
        Column("tenure", "choice", choices=TENURES, also=("权属", "土地权属", "土地性质", "产权", "权属性质")),
        Column(
            "walled",
            "bool",
            choices={"true": ("封闭", "封闭式", "全封闭", "有围墙"), "false": ("开放", "开放式", "无围墙", "敞开")},
            also=("封闭", "是否封闭", "是否封闭管理", "封闭管理", "封闭小区", "封闭式管理", "围墙", "有无围墙"),
        ),
        Column("expropriation", "bool", also=("拟征收", "列入征收", "是否征收", "征收计划")),
    ),
)
GATES = Contract(
    "gates",
    ("Point",),
    (
        Column("gate_id", "id", also=("大门编号", "出入口编号", "编号", "id")),
        Column("compound_id", "text", also=("小区编号", "小区代码", "所属小区编号", "所属小区")),
        Column("open", "bool", also=("开放", "是否开放", "是否开启")),
        Column(
            "passes", "choice", choices={"all": ("所有人", "公众"), "residents": ("居民", "业主")}, also=("通行对象",)
        ),
    ),
)
STREETS = Contract(
    "streets",
    ("LineString",),
    (
        Column("highway", "text", also=("道路类型", "等级", "道路等级", "class", "fclass")),
        Column("name", "text", also=("路名", "名称")),
        Column("level", "int", also=("层", "layer", "高程层")),
        Column("foot", "text", also=("步行",)),
        Column("sidewalk", "text", also=("人行道",)),
        Column("access", "text", also=("通行",)),
        Column("bridge", "bool", also=("桥", "桥梁")),
        Column("tunnel", "bool", also=("隧道", "地道")),
        Column("oneway_foot", "bool", also=("步行单向",)),
    ),
)
BARRIERS = Contract(
    "barriers",
    ("LineString", "Polygon"),
    (
        Column(
            "kind",
            "choice",
            choices={
                "river": ("河流", "运河"),
                "water": ("水域", "水面", "湖泊", "水库", "lake"),
                "railway": ("铁路",),
                "wall": ("围墙",),
            },
            also=("类型",),
        ),
        _NAME,
    ),
)
FACILITIES = Contract(
    "facilities",
    ("Point", "Polygon"),
    (
        Column("facility_id", "id", also=("设施编号", "编号", "id")),
        Column("name", "text", also=("名称", "设施名称")),
        Column(
            "facility_class",
            "text",
            required=True,
            also=("类别", "设施类别", "设施类型", "类型", "class", "type", "std_tag", "typecode", "poi类型", "分类"),
        ),
        Column(
            "capacity", "float", least=0, also=("容量", "规模", "床位", "床位数", "学位", "学位数", "摊位", "摊位数")
        ),
        Column("floor_area_m2", "float", least=0, also=("建筑面积", "面积")),
        Column("land_area_m2", "float", least=0, also=("用地面积",)),
        Column("status", "choice", choices=STATUSES, also=("状态", "建设状态")),
        Column("year", "int", least=1000, also=("年份", "建成年份", "计划年份", "计划建成年份")),
        Column("extendable", "bool", also=("可扩建", "能否扩建", "扩建潜力", "可改扩建")),
    ),
)
PARCELS = Contract(
    "parcels",
    ("Polygon",),
    (
        Column("parcel_id", "id", also=("地块编号", "宗地编号", "编号", "id")),
        Column(
            "land_use",
            "text",
            required=True,
            also=(
                *("用地性质", "用地代码", "规划用地代码", "规划用地性质", "规划用地编码", "用地编码", "用地性质代码"),
                *("规划用地", "用地类型", "规划用地类型", "地类", "地类编码", "地类代码"),
            ),
        ),
        Column("land_use_now", "text", also=("现状用地", "现状用地性质", "现状用地代码", "现状用地编码", "现状地类")),
        Column("far", "float", least=0, also=("容积率", "FAR", "容积率上限"), control=True),
        Column("density", "float", least=0, also=("建筑密度", "密度", "建筑密度上限"), control=True, share=True),
        Column("height_m", "float", least=0, also=("建筑限高", "限高", "控制高度", "建筑高度"), control=True),
        Column("green_ratio", "float", least=0, also=("绿地率", "绿地率下限"), control=True, share=True),
    ),
)
PROJECTS = Contract(
    "projects",
    ("Polygon",),
    (
        Column("project_id", "id", also=("项目编号", "编号", "id")),
        Column("name", "text", required=True, also=("项目名称", "项目", "名称")),
        Column("kind", "choice", choices=PROJECT_KINDS, also=("项目类型", "类型", "类别")),
        Column("way", "choice", choices=WAYS, also=("更新方式", "方式", "留改拆")),
        Column("stage", "choice", choices=STAGES, also=("项目阶段", "阶段", "进度", "项目进度", "项目状态", "状态")),
        Column("households", "int", least=0, also=("户数", "涉及户数")),
        Column("floor_area_m2", "float", least=0, also=("建筑面积", "拆迁面积", "现状建筑面积")),
        Column("households_after", "int", least=0, also=("安置户数", "规划户数")),
        Column("floor_area_after_m2", "float", least=0, also=("规划建筑面积", "新建面积")),
        Column("year", "int", least=1900, also=("年份", "计划年份", "年度")),
        Column("tenure", "choice", choices=TENURES, also=("权属", "土地权属", "土地性质")),
        Column(
            "planned_use",
            "text",
            also=("规划用途", "规划用地性质", "规划用地代码", "规划用地", "规划性质", "改造后用途", "更新后用途"),
        ),
        Column(
            "height_after_m",
            "float",
            least=0,
            also=("规划建筑高度", "规划高度", "建筑高度", "最高建筑高度", "改造后高度"),
            control=True,
        ),
    ),
)
LAND = Contract(
    "land",
    ("Polygon", "Point"),
    (
        Column("site_id", "id", also=("地块编号", "资源编号", "场地编号", "编号", "id")),
        Column("name", "text", also=("名称",)),
        Column("kind", "choice", choices=LAND_KINDS, also=("资源类型", "类型", "用地类型", "场地类型", "资源类别")),
        Column("area_m2", "float", least=0, also=("用地面积", "面积")),
        Column("floor_area_m2", "float", least=0, also=("建筑面积", "可用建筑面积")),
        Column("tenure", "choice", choices=TENURES, also=("权属", "土地权属", "产权")),
        Column("land_use", "text", also=("用地性质", "规划用地性质", "规划用地代码", "用地代码")),
        Column("on_hold", "bool", also=("暂缓", "冻结")),
        Column("cost_yuan", "float", least=0, also=("造价", "投资", "建设成本", "估算投资", "成本")),
    ),
)
HAZARD = Contract(
    "hazard",
    ("Polygon",),
    (
        Column("zone_id", "id", also=("隐患编号", "灾害编号", "编号", "id")),
        Column("name", "text", also=("隐患点名称", "隐患名称", "灾害名称", "名称")),
        Column("kind", "choice", choices=HAZARD_KINDS, also=("灾害类型", "隐患类型", "灾种", "危险类型", "类型")),
    ),
)
PROTECTION = Contract(
    "protection",
    ("Polygon",),
    (
        Column("zone_id", "id", also=("保护区编号", "控制线编号", "编号", "id")),
        Column("name", "text", also=("保护区名称", "文物名称", "控制线名称", "名称")),
        Column("kind", "choice", choices=PROTECTION_KINDS, also=("保护类型", "控制线类型", "保护区类型", "类型")),
    ),
)
BUILDINGS = Contract(
    "buildings",
    ("Polygon",),
    (
        Column("building_id", "id", also=("建筑编号", "楼栋编号", "楼幢编号", "编号", "id")),
        Column("use", "text", also=("用途", "建筑用途", "building")),
        Column("storeys", "float", least=0, also=("层数", "楼层", "地上层数", "建筑层数", "building:levels")),
        Column("floor_area_m2", "float", least=0, also=("建筑面积",)),
        Column("people", "float", least=0, also=("人口",)),
        Column("dwellings", "float", least=0, also=("套数", "住宅套数", "户数", "总户数", "building:flats")),
        Column("residential_m2", "float", least=0, also=("住宅建筑面积", "居住建筑面积", "住宅面积")),
    ),
)
POPULATION = Contract(
    "population",
    ("Polygon", "Point"),
    (Column("people", "float", required=True, least=0, also=("人口", "常住人口", "population", "pop")), *_AGES),
)

CONTRACTS: dict[str, Contract] = {
    contract.layer: contract
    for contract in (
        RINGS,
        RING_LINES,
        DISTRICTS,
        ZONES,
        COMPOUNDS,
        GATES,
        STREETS,
        BARRIERS,
        FACILITIES,
        PARCELS,
        PROJECTS,
        LAND,
        HAZARD,
        PROTECTION,
        BUILDINGS,
        POPULATION,
    )
}
"""Contract of each layer that study.toml may name; ``area`` stands apart, rasters have none."""
