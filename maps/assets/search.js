// Search by name over what can be chosen on the map.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});
  const MOST = 12;
  const FIRST = ["sites", "compounds", "projects", "facilities", "rings", "districts"];
  let entries = null;

  async function index() {
    if (entries) return entries;
    const found = [];
    for (const dataset of FIRST) {
      const keys = Object.keys(lc.page.layers).filter((key) => lc.page.layers[key].dataset === dataset);
      if (!keys.length) continue;
      const data = await lc.load(dataset);
      data.columns.title.forEach((title, row) => {
        const key = keys.find((name) => Object.entries(lc.page.layers[name].where || {}).every(([column, value]) => data.columns[column][row] === value));
        if (key && data.places[row]) found.push({ title, plain: title.toLowerCase(), key, row, noun: lc.page.layers[key].where ? lc.page.layers[key].label : data.noun });
      });
    }
    entries = found;
    return entries;
  }

  function matches(all, text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    return all.filter((entry) => entry.plain.includes(wanted)).sort((a, b) => b.plain.startsWith(wanted) - a.plain.startsWith(wanted));
  }

  // Shows a feature: its layer on, the map on it, its popup open.
  lc.visit = async function (key, row) {
    const layer = lc.page.layers[key];
    const data = await lc.load(layer.dataset);
    await lc.show(key, true);
    const place = data.places[row];
    if (data.shapes.type === "point") lc.map.setView(place, Math.max(lc.map.getZoom(), 16), { animate: false });
    else lc.map.fitBounds(L.polygon(place).getBounds().pad(0.6), { maxZoom: 16.5, animate: false });
    await lc.openPopup(key, row);
  };

  lc.drawSearch = function () {
    const listId = lc.newId("results");
    const list = lc.element("ul", { id: listId, role: "listbox", class: "lc-results", hidden: true, "aria-label": lc.say("search") });
    const input = lc.element("input", {
      type: "search",
      class: "lc-search",
      placeholder: lc.say("search"),
      "aria-label": lc.say("search"),
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": listId,
      "aria-autocomplete": "list",
      autocomplete: "off",
    });
    let found = [];
    let active = -1;

    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      active = -1;
    };
    const choose = (entry) => {
      close();
      input.value = entry.title;
      lc.visit(entry.key, entry.row);
    };
    const mark = (place) => {
      active = place;
      [...list.querySelectorAll("[role=option]")].forEach((option, at) => {
        option.setAttribute("aria-selected", String(at === place));
        if (at === place) {
          input.setAttribute("aria-activedescendant", option.id);
          option.scrollIntoView({ block: "nearest" });
        }
      });
    };
    const update = async () => {
      const text = input.value;
      const all = matches(await index(), text);
      if (text !== input.value) return;
      found = all.slice(0, MOST);
      const options = found.map((entry) =>
        lc.element(
          "li",
          { role: "option", id: lc.newId("option"), "aria-selected": "false", onmousedown: (event) => (event.preventDefault(), choose(entry)) },
          lc.element("span", {}, entry.title),
          lc.element("small", {}, entry.noun)
        )
      );
      if (!found.length) options.push(lc.element("li", { class: "lc-quiet" }, lc.say("search_none")));
      if (all.length > MOST) options.push(lc.element("li", { class: "lc-quiet" }, lc.say("search_more", { count: all.length - MOST })));
      list.replaceChildren(...options);
      list.hidden = !text.trim();
      input.setAttribute("aria-expanded", String(!list.hidden));
      active = -1;
    };
    input.addEventListener("input", update);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (!found.length || list.hidden) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        mark((active + (event.key === "ArrowDown" ? 1 : found.length - 1 + (active < 0 ? 1 : 0))) % found.length);
      } else if (event.key === "Enter") {
        event.preventDefault();
        choose(found[Math.max(active, 0)]);
      }
    });
    return lc.element("div", { class: "lc-finder" }, input, list);
  };
})(window);
