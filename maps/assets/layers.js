// Layers of the map: made when first switched on, kept in their order, coloured by the chosen facility class.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});
  const made = new Map();
  const shown = new Set();
  const listeners = [];
  let mode = "";

  lc.isShown = (key) => shown.has(key);
  lc.shownKeys = () => Object.keys(lc.page.layers).filter((key) => shown.has(key));
  lc.onChange = (listener) => listeners.push(listener);
  lc.mode = () => mode;
  const changed = () => listeners.forEach((listener) => listener());

  // How many features of a layer are on the map now.
  lc.drawn = (key) => (shown.has(key) && made.has(key) ? made.get(key).count : 0);

  function stroke(look) {
    return {
      stroke: look.line !== null,
      color: look.line || undefined,
      weight: look.width_px,
      dashArray: look.dash.length ? look.dash.join(" ") : null,
      lineJoin: "round",
    };
  }

  function areaStyle(layer, fill) {
    const look = lc.page.looks[layer.look];
    const opacity = layer.opacity === undefined ? look.opacity : layer.opacity;
    return { ...stroke(look), fill: Boolean(fill), fillColor: fill, fillOpacity: fill ? opacity : 0 };
  }

  function chosenRows(layer, data) {
    const count = data.places.length;
    const rows = [];
    const wanted = Object.entries(layer.where || {});
    for (let row = 0; row < count; row += 1) {
      if (data.places[row] && wanted.every(([column, value]) => data.columns[column][row] === value)) rows.push(row);
    }
    return rows;
  }

  function fillOf(layer, data, row) {
    if (!layer.modes) return data.columns.fill ? data.columns.fill[row] : null;
    const current = layer.modes.find((item) => item.key === mode) || layer.modes[0];
    return current.palette[data.fills[current.key][row]];
  }

  const draw = {
    ground(layer, data) {
      return chosenRows(layer, data).map((row) => {
        const look = lc.page.looks[data.columns.look[row]];
        const options = { ...stroke(look), renderer: lc.ground, interactive: false, smoothFactor: 1.2 };
        return data.shapes.type === "polygon"
          ? L.polygon(data.places[row], { ...options, fill: Boolean(look.fill), fillColor: look.fill, fillOpacity: look.opacity })
          : L.polyline(data.places[row], options);
      });
    },
    area(layer, data) {
      return chosenRows(layer, data).map((row) =>
        tagged(L.polygon(data.places[row], { ...areaStyle(layer, fillOf(layer, data, row)), smoothFactor: 0.5 }), row)
      );
    },
    circle(layer, data) {
      const options = { color: layer.color, weight: 1.2, opacity: 0.75, fillColor: layer.color, fillOpacity: layer.opacity };
      return chosenRows(layer, data).map((row) => L.polygon(data.places[row], { ...options, interactive: false }));
    },
    mark(layer, data) {
      const colors = data.columns.color;
      return chosenRows(layer, data).map((row) =>
        tagged(
          new lc.Mark(data.places[row], {
            shape: layer.mark.shape,
            radius: 6.2,
            color: "#fff",
            weight: 1,
            fillColor: colors ? colors[row] : layer.mark.color,
            fillOpacity: 1,
          }),
          row
        )
      );
    },
    gap(layer, data) {
      const { rows } = data;
      const [[column, value]] = Object.entries(layer.row_where);
      const dots = [];
      rows.place.forEach((place, row) => {
        if (rows[column][row] !== value) return;
        const look = lc.page.looks[rows.status[row] === 0 ? "gaps" : "gaps_unknown"];
        const options = { ...stroke(look), fillColor: look.fill, fillOpacity: look.opacity, shape: "circle" };
        dots.push(tagged(new lc.Mark(data.places[place], { ...options, radius: lc.dotRadius(rows.people[row]), factor: lc.dotFactor }), row));
      });
      return dots.sort((a, b) => b.options.radius - a.options.radius);
    },
    pin(layer, data) {
      return chosenRows(layer, data).map((row) => {
        const icon = L.divIcon({
          className: "lc-pin",
          html: lc.pinDrawing(layer.color, data.columns.rank[row], 35),
          iconSize: [26, 35],
          iconAnchor: [13, 34],
        });
        const title = data.columns.title[row];
        const pin = L.marker(data.places[row], { icon, keyboard: true, alt: layer.label + " " + title, riseOnHover: true });
        return tagged(pin, row);
      });
    },
  };

  function tagged(path, row) {
    path.lcRow = row;
    return path;
  }

  // The area of a dot follows the people; page.people_shown of them make a large dot.
  lc.dotRadius = (people) => Math.min(16, 1 + 6 * Math.sqrt(Math.max(0, people || 0) / lc.page.people_shown));

  function labels(data) {
    if (!data.labels) return [];
    return data.labels.places.map((place, index) => {
      const text = lc.element("span", {}, data.labels.texts[index]);
      const icon = L.divIcon({ className: "lc-label lc-label-" + data.labels.style, html: text, iconSize: [0, 0] });
      return L.marker(place, { icon, interactive: false, keyboard: false, pane: "lc-labels" });
    });
  }

  async function make(key) {
    const layer = lc.page.layers[key];
    const data = await lc.load(layer.dataset);
    const features = draw[layer.draw](layer, data);
    const group = L.featureGroup(features);
    group.on("click", (event) => lc.openPopup(key, event.propagatedFrom.lcRow, event.latlng));
    group.on("mouseover", (event) => lc.showTip(layer, data, event.propagatedFrom.lcRow, event.latlng));
    group.on("mousemove", (event) => lc.moveTip(event.latlng));
    group.on("mouseout", () => lc.hideTip());
    return { layer, data, group, labels: L.layerGroup(labels(data)), count: features.length };
  }

  const pending = new Map();

  function ready(key) {
    if (!pending.has(key)) {
      pending.set(key, make(key).then((entry) => (made.set(key, entry), entry)));
    }
    return pending.get(key);
  }

  // Lifts what belongs above a layer that was just added.
  function stack(order) {
    const above = [...shown].filter((key) => made.has(key) && lc.page.layers[key].order > order);
    above.sort((a, b) => lc.page.layers[a].order - lc.page.layers[b].order);
    for (const key of above) {
      if (["area", "circle", "mark", "gap"].includes(lc.page.layers[key].draw)) made.get(key).group.bringToFront();
    }
  }

  lc.show = async function (key, on) {
    if (on === shown.has(key)) return;
    if (on) shown.add(key);
    else shown.delete(key);
    changed();
    const entry = await ready(key);
    const wanted = shown.has(key);
    if (wanted && !lc.map.hasLayer(entry.group)) {
      entry.group.addTo(lc.map);
      entry.labels.addTo(lc.map);
      stack(entry.layer.order);
    } else if (!wanted) {
      entry.group.remove();
      entry.labels.remove();
    }
    changed();
  };

  lc.setMode = function (key) {
    mode = key;
    for (const entry of made.values()) {
      if (!entry.layer.modes) continue;
      entry.group.eachLayer((path) => path.setStyle({ fillColor: fillOf(entry.layer, entry.data, path.lcRow) }));
    }
    changed();
  };
})(window);
