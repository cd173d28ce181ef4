// Unpacks the data sets that maps/pack.py packed, each when it is first needed.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});
  const STEP = 1e-6;
  const loaded = new Map();

  lc.canUnpack = () => typeof DecompressionStream === "function";

  lc.load = function (name) {
    if (!loaded.has(name)) loaded.set(name, unpack(name));
    return loaded.get(name);
  };

  async function unpack(name) {
    const element = document.getElementById("data-" + name);
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const data = JSON.parse(await new Response(stream).text());
    element.textContent = "";
    data.places = places(data.shapes);
    if (data.outlines) data.outlines = places(data.outlines);
    if (data.labels) data.labels.places = places(data.labels.shapes);
    return data;
  }

  // Points as [lat, lng]; lines as [[lat, lng] …] lists; polygons as lists of rings; what is not there as null.
  function places(shapes) {
    const points = [];
    let x = 0;
    let y = 0;
    for (let at = 0; at < shapes.xy.length; at += 2) {
      x += shapes.xy[at];
      y += shapes.xy[at + 1];
      points.push([y * STEP, x * STEP]);
    }
    if (shapes.type === "point") return points;
    const rings = taken(points, shapes.rings);
    const parts = shapes.type === "polygon" ? taken(rings, shapes.parts) : rings;
    return taken(parts, shapes.features).map((feature) => (feature.length ? feature : null));
  }

  function taken(items, counts) {
    let at = 0;
    return counts.map((count) => items.slice(at, (at += count)));
  }
})(window);
