// The tree of layers: boxes for layers and groups, groups fold.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});

  function swatch(key) {
    const item = lc.page.layers[key].legend;
    return item && item.length && ["mark", "pin"].includes(item[0].symbol) ? lc.legendSymbol(item[0]) : null;
  }

  function leaf(node, refreshers) {
    const id = lc.newId("layer");
    const box = lc.element("input", { type: "checkbox", id, "data-layer": node.layer, onchange: () => lc.show(node.layer, box.checked) });
    refreshers.push(() => (box.checked = lc.isShown(node.layer)));
    const layer = lc.page.layers[node.layer];
    const line = lc.element("div", { class: "lc-node" }, box, lc.element("label", { for: id }, swatch(node.layer), node.label));
    return lc.element("li", {}, line, layer.modes ? lc.element("div", { class: "lc-node-mode" }, lc.modeSelect(layer)) : null);
  }

  // The wish is kept apart from the box: the box is redrawn after every layer.
  function showAll(keys, on) {
    keys.forEach((key) => lc.show(key, on));
  }

  function branch(node, refreshers) {
    const id = lc.newId("group");
    const keys = lc.leaves(node);
    const box = lc.element("input", {
      type: "checkbox",
      "aria-label": node.label,
      onchange: () => showAll(keys, box.checked),
    });
    refreshers.push(() => {
      const on = keys.filter(lc.isShown).length;
      box.checked = on === keys.length;
      box.indeterminate = on > 0 && on < keys.length;
    });
    const list = lc.element("ul", { id, hidden: !node.open }, ...node.children.map((child) => (child.layer ? leaf(child, refreshers) : branch(child, refreshers))));
    const fold = lc.element(
      "button",
      { type: "button", class: "lc-fold", "aria-expanded": String(Boolean(node.open)), "aria-controls": id, onclick: () => toggle(fold, list) },
      node.label
    );
    return lc.element("li", { class: "lc-branch" }, lc.element("div", { class: "lc-node" }, box, fold), list);
  }

  function toggle(button, list) {
    list.hidden = !list.hidden;
    button.setAttribute("aria-expanded", String(!list.hidden));
  }

  lc.drawTree = function (body) {
    const refreshers = [];
    body.append(lc.element("ul", { class: "lc-tree" }, ...lc.page.tree.map((node) => branch(node, refreshers))));
    const refresh = () => {
      refreshers.forEach((update) => update());
      body.querySelectorAll("select.lc-mode").forEach((choose) => (choose.value = lc.mode()));
    };
    lc.onChange(refresh);
    refresh();
  };
})(window);
