// Popups and hover tips: tables built as elements, the chosen feature outlined.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});
  // What lacks comes first: places in page.statuses are present, partial, too far, unknown, no data, too small.
  const SEVERITY = [4, 2, 0, 3, 5, 1];
  const PRESENT = 0;
  const PARTIAL = 1;
  const TOO_FAR = 2;
  const TOO_SMALL = 5;
  const GAP_TOO_FAR = 0; // place in page.gap_statuses
  let outline = null;
  let tip = null;

  function table(rows) {
    const body = lc.element("tbody", {});
    for (const [label, value] of rows) body.append(lc.element("tr", {}, lc.element("th", { scope: "row" }, label), lc.element("td", {}, value)));
    return lc.element("table", { class: "lc-attributes" }, body);
  }

  // A class required in several circles has a row for each, which says its circle.
  function className(missing, at) {
    const { name } = lc.page.classes[missing.class[at]];
    return missing.circle ? lc.say("class_of_circle", { name, minutes: missing.circle[at] }) : name;
  }

  function statusText(missing, at) {
    const status = lc.page.statuses[missing.status[at]];
    if (missing.status[at] === PARTIAL) return lc.say("partial_people", { status, people: lc.format(missing.lacking[at], "count") });
    if (missing.status[at] === TOO_SMALL && missing.small[at]) return lc.say("too_small_people", { status, people: lc.format(missing.small[at], "count") });
    if (missing.status[at] === PRESENT && missing.sizeless[at]) return lc.say("size_unknown", { status });
    return status;
  }

  // How far the resident in the middle walks, and the one with the longest walk.
  function walkLines(missing, at) {
    const unit = missing.unit[at];
    const limit = missing.limit[at];
    if (missing.walk[at] === null) return [];
    const longest = missing.longest[at];
    return [
      lc.say("walk_middle", { walk: lc.formatWalk(missing.walk[at], unit, limit) }),
      longest === null ? lc.say("walk_beyond") : lc.say("walk_longest", { walk: lc.formatWalk(longest, unit, limit) }),
    ];
  }

  // The facility classes of one neighbourhood: what is within the walk, what is nearest.
  function missingTable(data, row) {
    const { missing } = data;
    const body = lc.element("tbody", {});
    const own = [...missing.compound.keys()].filter((at) => missing.compound[at] === row);
    own.sort((a, b) => SEVERITY[missing.status[a]] - SEVERITY[missing.status[b]]);
    own.forEach((at) => {
      const status = missing.status[at];
      const nearest = missing.nearest[at] || (status === TOO_FAR && missing.walk[at] === null ? lc.say("none_near") : lc.page.nothing);
      const far = walkLines(missing, at).map((line) => lc.element("span", { class: "lc-far" }, line));
      body.append(
        lc.element(
          "tr",
          { class: "lc-status-" + status },
          lc.element("th", { scope: "row", title: basis(missing, at) }, className(missing, at), lc.element("span", { class: "lc-limit" }, limitText(missing, at))),
          lc.element("td", {}, lc.element("i", { class: "lc-swatch", style: "background:" + lc.page.status_fills[status] }), statusText(missing, at)),
          lc.element("td", {}, nearest, ...far)
        )
      );
    });
    const head = ["facility", "within", "nearest"].map((name) => lc.element("th", { scope: "col" }, lc.say(name)));
    return lc.element("table", { class: "lc-missing" }, lc.element("thead", {}, lc.element("tr", {}, ...head)), body);
  }

  // A limit with the letter that says how sure it is.
  function limitText(rows, at) {
    const limit = lc.formatLimit(rows.limit[at], rows.unit[at]);
    const { sure } = lc.page.classes[rows.class[at]];
    return sure ? lc.say("limit_sure", { limit, confidence: sure }) : limit;
  }

  // What a limit stands on: clause and how sure it is.
  function basis(missing, at) {
    return lc.page.classes[missing.class[at]].basis || null;
  }

  function gapRows(data, row) {
    const { rows } = data;
    const noWay = rows.walk[row] === null && rows.status[row] === GAP_TOO_FAR;
    const found = lc.page.classes[rows.class[row]].basis;
    return [
      [lc.say("within"), lc.page.gap_statuses[rows.status[row]]],
      [lc.say("people_lacking"), lc.format(rows.people[row], "count")],
      [lc.say("group_lacking"), lc.format(rows.group[row], "count")],
      [lc.say("walk"), noWay ? lc.say("none_near") : lc.formatWalk(rows.walk[row], rows.unit[row], rows.limit[row])],
      [lc.say("limit"), limitText(rows, row)],
      ...(found ? [[lc.say("basis"), found]] : []),
    ];
  }

  function content(layer, data, row) {
    if (data.rows) {
      const title = data.columns.title[data.rows.place[row]] || data.noun;
      return [heading(title, data.noun + " · " + layer.label), table(gapRows(data, row))];
    }
    const rows = data.fields.map((field) => [field.label, lc.format(data.columns[field.key][row], field.format)]);
    const caution = data.columns.caution && data.columns.caution[row];
    const warned = caution ? lc.element("p", { class: "lc-caution" }, caution) : null;
    return [heading(data.columns.title[row], data.noun), warned, data.missing ? missingTable(data, row) : null, table(rows)];
  }

  function heading(title, noun) {
    return lc.element("header", {}, lc.element("span", { class: "lc-noun" }, noun), lc.element("h2", {}, title));
  }

  function highlight(data, row) {
    const place = data.rows ? null : data.outlines ? data.outlines[row] : data.shapes.type === "polygon" ? data.places[row] : null;
    if (!place) return;
    outline = L.polygon(place, { color: lc.page.accent, weight: 3, fill: false, interactive: false }).addTo(lc.map);
  }

  lc.openPopup = async function (key, row, latlng) {
    if (row === undefined) return;
    const layer = lc.page.layers[key];
    const data = await lc.load(layer.dataset);
    const place = data.rows ? data.places[data.rows.place[row]] : data.places[row];
    const at = latlng && data.shapes.type === "polygon" ? latlng : data.shapes.type === "point" ? place : L.polygon(place).getBounds().getCenter();
    lc.hideTip();
    const width = data.missing ? 380 : 320;
    const legend = document.querySelector(".lc-legend[open]");
    const beside = legend && lc.map.getSize().x > 900 ? legend.offsetWidth + 20 : 10;
    const popup = L.popup({
      maxWidth: width,
      minWidth: 220,
      maxHeight: Math.max(200, Math.min(420, lc.map.getSize().y - 140)),
      offset: layer.draw === "pin" ? [0, -24] : [0, 4],
      autoPanPaddingTopLeft: [30, 10],
      autoPanPaddingBottomRight: [beside, 20],
      className: "lc-popup",
    })
      .setLatLng(at)
      .setContent(lc.element("article", { class: "lc-card" }, ...content(layer, data, row)))
      .openOn(lc.map);
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    if (close) close.setAttribute("aria-label", lc.say("close"));
    if (outline) outline.remove();
    highlight(data, row);
  };

  lc.showTip = function (layer, data, row, latlng) {
    if (row === undefined) return;
    const title = data.rows ? data.columns.title[data.rows.place[row]] : data.columns.title[row];
    if (!title || layer.draw === "pin" || layer.look === "rings") return;
    tip = tip || L.tooltip({ direction: "top", offset: [0, -8], opacity: 0.95, className: "lc-tip" });
    tip.setContent(lc.element("span", {}, title)).setLatLng(latlng);
    if (!lc.map.hasLayer(tip)) tip.addTo(lc.map);
  };
  lc.moveTip = (latlng) => tip && lc.map.hasLayer(tip) && tip.setLatLng(latlng);
  lc.hideTip = () => tip && tip.remove();

  lc.watchPopups = function () {
    lc.map.on("popupclose", () => {
      if (outline) outline.remove();
      outline = null;
    });
  };
})(window);
