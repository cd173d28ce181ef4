// Starts the page: map furniture, panel, and the layers shown at first.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});

  const Scale = L.Control.Scale.extend({
    _updateMetric: function (most) {
      const metres = this._getRoundNum(most);
      const label = metres < 1000 ? lc.say("scale_m", { number: metres }) : lc.say("scale_km", { number: metres / 1000 });
      this._updateScale(this._mScale, label, metres / most);
    },
  });

  function corner(position, element) {
    const control = L.control({ position });
    control.onAdd = () => {
      L.DomEvent.disableClickPropagation(element);
      L.DomEvent.disableScrollPropagation(element);
      return element;
    };
    control.addTo(lc.map);
  }

  function legend() {
    const body = lc.element("div", { class: "lc-legend-body" });
    corner("bottomright", lc.element("details", { class: "lc-legend", open: root.innerWidth > 700 }, lc.element("summary", {}, lc.say("legend")), body));
    const draw = () => lc.drawLegend(body);
    lc.onChange(draw);
    lc.map.on("zoomend", draw);
    draw();
  }

  function north() {
    const arrow = lc.drawing("svg", { width: 26, height: 36, viewBox: "0 0 26 36", "aria-hidden": "true" },
      lc.drawing("path", { d: "M13 2 L20 24 L13 19.500 Z", fill: lc.page.ink }),
      lc.drawing("path", { d: "M13 2 L6 24 L13 19.500 Z", fill: "#fff", stroke: lc.page.ink, "stroke-width": 1 }),
      lc.drawing("text", { x: 13, y: 34, "text-anchor": "middle", class: "lc-north-text" }, lc.say("north")));
    return lc.element("div", { class: "lc-north" }, arrow);
  }

  function escaped(text) {
    return lc.element("i", {}, text).innerHTML;
  }

  function home() {
    const [west, south, east, north_] = lc.page.bounds;
    const legend = document.querySelector(".lc-legend[open]");
    const beside = legend && lc.map.getSize().x > 900 ? legend.offsetWidth + 16 : 12;
    lc.map.fitBounds([[south, west], [north_, east]], { animate: false, paddingTopLeft: [24, 12], paddingBottomRight: [beside, 12] });
  }

  function furniture() {
    lc.map.createPane("lc-ground").style.zIndex = 200;
    lc.map.getPane("lc-ground").style.pointerEvents = "none";
    lc.map.createPane("lc-labels").style.zIndex = 610;
    lc.map.getPane("lc-labels").style.pointerEvents = "none";
    lc.ground = L.canvas({ pane: "lc-ground", padding: 0.2 });
    lc.map.options.renderer = L.canvas({ padding: 0.2, tolerance: 3 });
    L.control.zoom({ position: "topright", zoomInTitle: lc.say("zoom_in"), zoomOutTitle: lc.say("zoom_out") }).addTo(lc.map);
    const whole = lc.element("a", { href: "#", role: "button", title: lc.say("home"), "aria-label": lc.say("home"), class: "lc-home", onclick: (event) => (event.preventDefault(), lc.map.closePopup(), home()) });
    corner("topright", lc.element("div", { class: "leaflet-bar" }, whole));
    const credit = L.control.attribution({ position: "bottomright", prefix: "" });
    lc.page.attribution.forEach((sentence) => credit.addAttribution(escaped(sentence)));
    if (lc.page.study.made_up) credit.addAttribution(escaped(lc.page.study.made_up));
    credit.addTo(lc.map);
    new Scale({ position: "bottomleft", imperial: false, maxWidth: 140 }).addTo(lc.map);
    corner("bottomleft", north());
  }

  function refuse(text) {
    document.body.append(lc.element("div", { class: "lc-refusal", role: "alert" }, text));
  }

  async function begin(getMap) {
    lc.page = JSON.parse(document.getElementById("lifecircle-page").textContent);
    lc.map = getMap();
    const container = lc.map.getContainer();
    container.setAttribute("aria-label", lc.say("map"));
    furniture();
    lc.drawPanel(container);
    lc.map.invalidateSize({ animate: false });
    home();
    lc.watchPopups();
    if (!lc.canUnpack()) {
      refuse(lc.say("too_old"));
      return;
    }
    legend();
    const first = Object.keys(lc.page.layers).filter((key) => lc.page.layers[key].shown);
    try {
      const shown = first.map((key) => lc.show(key, true));
      home(); // again: the legend now has its width
      await Promise.all(shown);
    } catch (error) {
      refuse(lc.say("broken"));
      throw error;
    }
    document.documentElement.dataset.ready = "yes";
  }

  lc.start = function (getMap) {
    document.addEventListener("DOMContentLoaded", () => begin(getMap));
  };
})(window);
