// Elements made by hand: texts go in as text, so that no name of a data set can become markup.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});
  const SVG = "http://www.w3.org/2000/svg";

  function fill(element, properties, children) {
    for (const [name, value] of Object.entries(properties || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    for (const child of children) {
      if (child === null || child === undefined) continue;
      element.append(typeof child === "object" ? child : document.createTextNode(String(child)));
    }
    return element;
  }

  lc.element = (name, properties, ...children) => fill(document.createElement(name), properties, children);
  lc.drawing = (name, properties, ...children) => fill(document.createElementNS(SVG, name), properties, children);

  let count = 0;
  lc.newId = (stem) => "lc-" + stem + "-" + (count += 1);
})(window);
