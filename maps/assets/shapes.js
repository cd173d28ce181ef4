// Shapes of marks, the same on the map's canvas and in the legend; pins for proposed sites.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});

  function around(count, radius, turn, inner) {
    const points = [];
    for (let step = 0; step < count; step += 1) {
      const reach = inner && step % 2 ? inner : radius;
      const angle = turn + (2 * Math.PI * step) / count;
      points.push([reach * Math.sin(angle), -reach * Math.cos(angle)]);
    }
    return points;
  }

  // Corners around 0, 0; null for a circle. Sizes are balanced so that all shapes weigh the same to the eye.
  lc.corners = function (shape, radius) {
    const r = radius;
    if (shape === "square") return around(4, r * 1.22, Math.PI / 4);
    if (shape === "diamond") return around(4, r * 1.25, 0);
    if (shape === "triangle") return around(3, r * 1.35, 0);
    if (shape === "down") return around(3, r * 1.35, Math.PI);
    if (shape === "pentagon") return around(5, r * 1.12, 0);
    if (shape === "star") return around(10, r * 1.4, 0, r * 0.62);
    if (shape === "cross") {
      const a = r * 1.15;
      const b = r * 0.42;
      return [[-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b], [b, a], [-b, a], [-b, b], [-a, b], [-a, -b], [-b, -b]];
    }
    return null;
  };

  lc.markDrawing = function (shape, color, radius) {
    const corners = lc.corners(shape, radius);
    const look = { fill: color, stroke: "#fff", "stroke-width": 1 };
    return corners
      ? lc.drawing("polygon", { points: corners.map((corner) => corner.join(",")).join(" "), ...look })
      : lc.drawing("circle", { r: radius, ...look });
  };

  // Marks shrink when the whole city is in view.
  lc.zoomFactor = (zoom) => Math.min(1.15, Math.max(0.55, 0.55 + (zoom - 11.5) * 0.13));

  // Dots stand as close as homes do: they shrink faster.
  lc.dotFactor = (zoom) => Math.min(1.5, Math.max(0.35, Math.pow(2, (zoom - 15) * 0.45)));

  L.Canvas.include({
    _updateMark: function (layer) {
      if (!this._drawing || layer._empty()) return;
      const corners = lc.corners(layer.options.shape, layer._radius);
      if (!corners) {
        this._updateCircle(layer);
        return;
      }
      const context = this._ctx;
      context.beginPath();
      corners.forEach(([x, y], index) => {
        const method = index ? "lineTo" : "moveTo";
        context[method](layer._point.x + x, layer._point.y + y);
      });
      context.closePath();
      this._fillStroke(context, layer);
    },
  });

  lc.Mark = L.CircleMarker.extend({
    _project: function () {
      this._radius = this.options.radius * (this.options.factor || lc.zoomFactor)(this._map.getZoom());
      L.CircleMarker.prototype._project.call(this);
    },
    _updatePath: function () {
      this._renderer._updateMark(this);
    },
  });

  lc.pinDrawing = function (color, text, height) {
    const pin = lc.drawing("path", {
      d: "M13 33 C9 26 2 20.500 2 13 A11 11 0 1 1 24 13 C24 20.500 17 26 13 33 Z",
      fill: color,
      stroke: "#fff",
      "stroke-width": 2,
    });
    const label = lc.drawing("text", { x: 13, y: 17.2, "text-anchor": "middle", class: "lc-pin-text" }, text);
    return lc.drawing("svg", { viewBox: "0 0 26 35", height, width: (height * 26) / 35, "aria-hidden": "true" }, pin, label);
  };
})(window);
