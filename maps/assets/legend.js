// The legend: what is shown now, from the top of the map down.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});
  const WIDTH = 26;
  const HEIGHT = 16;

  function box(...children) {
    return lc.drawing("svg", { width: WIDTH, height: HEIGHT, viewBox: [-13, -8, WIDTH, HEIGHT].join(" "), "aria-hidden": "true" }, ...children);
  }

  function lineLook(look) {
    return { stroke: look.line || "none", "stroke-width": look.width_px, "stroke-dasharray": look.dash.join(" ") || null };
  }

  const symbols = {
    area(item) {
      const look = item.look ? lc.page.looks[item.look] : { line: item.line, width_px: 1.2, dash: [], opacity: 1 };
      const opacity = item.opacity === undefined ? look.opacity : item.opacity;
      const edge = look.line === "#ffffff" ? { stroke: "#b9b6ae", "stroke-width": 0.6 } : lineLook(look);
      const fill = { fill: item.fill || "none", "fill-opacity": opacity };
      return box(lc.drawing("rect", { x: -11, y: -6, width: 22, height: 12, rx: 1.5, ...fill, ...edge }));
    },
    line: (item) => box(lc.drawing("line", { x1: -12, x2: 12, y1: 0, y2: 0, ...lineLook(lc.page.looks[item.look]) })),
    mark: (item) => box(lc.markDrawing(item.shape, item.color, 5.4)),
    dot(item) {
      const look = lc.page.looks[item.look];
      return box(lc.drawing("circle", { r: 5.5, fill: look.fill, "fill-opacity": look.opacity, stroke: "#fff" }));
    },
    pin: (item) => lc.pinDrawing(item.color, "", 20),
  };

  // To 1, 2 or 5 times a power of ten.
  function round(value) {
    const power = Math.pow(10, Math.floor(Math.log10(Math.max(1, value))));
    return [5, 2, 1].find((step) => step * power <= Math.max(1, value)) * power;
  }

  function sizes(item) {
    const look = lc.page.looks[item.look];
    const factor = lc.dotFactor(lc.map.getZoom());
    const steps = [...new Set([0.1, 0.4, 1].map((share) => round(share * lc.page.people_shown)))];
    let at = 4;
    const dots = [];
    for (const people of steps) {
      const r = lc.dotRadius(people) * factor;
      dots.push(lc.drawing("circle", { cx: at + r, cy: 18, r, fill: look.fill, "fill-opacity": look.opacity }));
      const text = lc.say("dot_people", { number: lc.format(people, "count") });
      dots.push(lc.drawing("text", { x: at + 2 * r + 4, y: 22, class: "lc-size-text" }, text));
      at += 2 * r + 16 + text.length * 7;
    }
    return lc.element("div", { class: "lc-sizes" }, lc.element("span", {}, item.label), lc.drawing("svg", { width: Math.min(at, 250), height: 36 }, ...dots));
  }

  lc.legendSymbol = (item) => symbols[item.symbol](item);

  function row(item) {
    if (item.symbol === "sizes") return sizes(item);
    return lc.element("div", { class: "lc-item" }, lc.element("span", { class: "lc-symbol" }, symbols[item.symbol](item)), lc.element("span", {}, item.label, note(item.note)));
  }

  // Small print below a line: what a limit is, where it stands, how sure it is.
  function note(text) {
    return text ? lc.element("small", { class: "lc-far lc-wrap" }, text) : null;
  }

  function modeSelect(layer) {
    const choose = lc.element("select", { class: "lc-mode", "aria-label": lc.say("color_by"), onchange: (event) => lc.setMode(event.target.value) });
    for (const item of layer.modes) choose.append(lc.element("option", { value: item.key, selected: item.key === lc.mode() }, item.label));
    return choose;
  }
  lc.modeSelect = modeSelect;

  function leaves(node) {
    return node.layer ? [node.layer] : node.children.flatMap(leaves);
  }
  lc.leaves = leaves;

  // Sections follow the tree, so that the legend reads in the same order as the list of layers.
  function sections() {
    return lc.page.tree
      .map((node) => ({ label: node.label, layers: leaves(node).filter(lc.isShown).map((key) => lc.page.layers[key]) }))
      .filter((section) => section.layers.length);
  }

  lc.drawLegend = function (body) {
    const active = document.activeElement;
    if (active && active.classList.contains("lc-mode") && body.contains(active)) setTimeout(() => body.querySelector("select.lc-mode")?.focus());
    const parts = sections().map((section) => {
      const rows = section.layers.filter((layer) => layer.draw === "gap").map((layer) => lc.element("div", { class: "lc-named" }, layer.label, note(layer.note)));
      const seen = new Set();
      for (const layer of section.layers) {
        const current = layer.modes && (layer.modes.find((item) => item.key === lc.mode()) || layer.modes[0]);
        if (current) rows.push(modeSelect(layer), ...[note(current.note)].filter(Boolean));
        else if (layer.draw === "area" && layer.legend.length > 1 && section.layers.length > 1) rows.push(lc.element("div", { class: "lc-caption" }, layer.label));
        for (const item of current ? current.legend : layer.legend) {
          const mark = JSON.stringify(item);
          if (!seen.has(mark)) rows.push(row(item));
          seen.add(mark);
        }
      }
      const short = rows.length > 2 && rows.every((line) => line.className !== "lc-item" || line.textContent.length <= 8) && section.layers.every((layer) => layer.draw === "ground" || layer.draw === "area") && !section.layers.some((layer) => layer.modes);
      return lc.element("section", { class: short ? "lc-short" : null }, lc.element("h3", {}, section.label), ...rows);
    });
    body.replaceChildren(...parts);
  };
})(window);
