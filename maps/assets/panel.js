// The panel beside the map: title, search, and three tabs of summary, sites and layers.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});

  function titleBlock() {
    const { study } = lc.page;
    return lc.element(
      "header",
      { class: "lc-title" },
      study.made_up ? lc.element("span", { class: "lc-badge" }, study.made_up) : null,
      lc.element("h1", {}, study.name),
      lc.element("p", {}, study.lines.join(" · "))
    );
  }

  function totals() {
    return lc.element(
      "dl",
      { class: "lc-totals" },
      ...lc.page.totals.map((total) => lc.element("div", {}, lc.element("dd", {}, total.value), lc.element("dt", {}, total.label)))
    );
  }

  function bar(row) {
    if (row.rate === null) return lc.element("div", { class: "lc-bar lc-bar-unknown", "aria-hidden": "true" });
    const part = (name, share) => lc.element("span", { class: name, style: "width:" + (100 * share).toFixed(2) + "%" });
    return lc.element("div", { class: "lc-bar", "aria-hidden": "true" }, row.after === null ? null : part("lc-bar-after", row.after), part("lc-bar-now", row.rate));
  }

  // A row of the summary shows its class: neighbourhoods coloured by it, its facilities on the map, the others off.
  function showClass(key) {
    const wanted = "facilities:" + key;
    for (const name of Object.keys(lc.page.layers)) if (name.startsWith("facilities:")) lc.show(name, name === wanted && lc.mode() !== key);
    lc.setMode(lc.mode() === key ? "" : key);
    if (lc.page.layers.compounds) lc.show("compounds", true);
  }

  // A row by the measure chosen: the group a class is for has all its notes, another measure its rate.
  function byMeasure(row, measure) {
    if (measure === "group" || row.rate === null) return { ...row, notes: [row.few, row.limit, row.sure, row.lacking, row.unknown] };
    const other = row.others[measure] || { rate: null, text: lc.page.nothing };
    return { name: row.plain, rate: other.rate, rate_text: other.text, after: null, after_text: "", notes: [row.few, row.limit, row.sure, other.note] };
  }

  function coverageRow(row) {
    const after = lc.element("small", { class: "lc-after" });
    const rate = lc.element("span", { class: "lc-row-rate" });
    const note = lc.element("small", { class: "lc-row-note" });
    const name = lc.element("span", { class: "lc-row-name" });
    let drawn = lc.element("div", {});
    const button = lc.element(
      "button",
      { type: "button", class: "lc-row", title: [row.full, row.basis].filter(Boolean).join("\n"), "aria-pressed": "false", "data-class": row.key, onclick: () => showClass(row.key) },
      name,
      rate,
      drawn,
      note
    );
    const draw = (measure) => {
      const shown = byMeasure(row, measure);
      name.textContent = shown.name;
      after.textContent = shown.after_text ? lc.say("after", { rate: shown.after_text }) : "";
      rate.replaceChildren(shown.rate_text, after);
      const fresh = bar(shown);
      drawn.replaceWith(fresh);
      drawn = fresh;
      note.textContent = shown.notes.filter(Boolean).join(" · ");
    };
    draw("group");
    measured.push(draw);
    lc.onChange(() => button.setAttribute("aria-pressed", String(lc.mode() === row.key)));
    return lc.element("li", {}, button);
  }

  const measured = [];

  // Which measure the rates are of: only this list changes, the map stays.
  function measureSelect() {
    const offered = lc.page.measures;
    if (offered.length < 2) return null;
    const choose = lc.element("select", { class: "lc-mode lc-measure", "aria-label": lc.say("measure"), onchange: () => measured.forEach((draw) => draw(choose.value)) });
    for (const item of offered) choose.append(lc.element("option", { value: item.key }, item.name));
    return choose;
  }

  function coverageSection(name) {
    const rows = lc.page.coverage.filter((row) => row.section === name);
    if (!rows.length) return [];
    return [lc.element("h3", {}, lc.say("section_" + name)), lc.element("ul", { class: "lc-coverage" }, ...rows.map(coverageRow))];
  }

  function summary() {
    return lc.element(
      "div",
      {},
      totals(),
      lc.element("h2", {}, lc.say("coverage")),
      measureSelect(),
      lc.element("p", { class: "lc-quiet" }, lc.say("coverage_note")),
      ...["required", "optional", "no_data"].flatMap(coverageSection),
      lc.element("p", { class: "lc-quiet lc-sure" }, lc.say("confidence")),
      lc.element("details", { class: "lc-sources" }, lc.element("summary", {}, lc.say("sources")), lc.element("ul", {}, ...lc.page.sources.map((line) => lc.element("li", {}, line))))
    );
  }

  function siteGroup(group) {
    const key = "sites:" + group.key;
    const rows = group.sites.map((site) =>
      lc.element(
        "li",
        {},
        lc.element(
          "button",
          { type: "button", class: "lc-site", onclick: () => lc.visit(key, site.row) },
          lc.pinDrawing(lc.page.layers[key].color, site.rank, 30),
          lc.element("span", {}, lc.element("b", {}, site.name), lc.element("small", {}, [site.kind, site.added].filter(Boolean).join(" · ")))
        )
      )
    );
    return lc.element("section", {}, lc.element("h2", {}, group.name), group.proof ? lc.element("p", { class: "lc-quiet" }, group.proof) : null, lc.element("ol", { class: "lc-sites" }, ...rows));
  }

  function sites() {
    if (!lc.page.sites.length) return lc.element("p", { class: "lc-quiet" }, lc.say("no_sites"));
    return lc.element("div", {}, ...lc.page.sites.map(siteGroup));
  }

  function layers() {
    const body = lc.element("div", {});
    lc.drawTree(body);
    return body;
  }

  function tabs(parts) {
    const buttons = [];
    const panels = [];
    const select = (chosen, focus) => {
      buttons.forEach((button, at) => {
        button.setAttribute("aria-selected", String(at === chosen));
        button.tabIndex = at === chosen ? 0 : -1;
        panels[at].hidden = at !== chosen;
      });
      if (focus) buttons[chosen].focus();
    };
    parts.forEach(([name, body], at) => {
      const tab = lc.newId("tab");
      const panel = lc.newId("panel");
      buttons.push(lc.element("button", { type: "button", role: "tab", id: tab, "aria-controls": panel, "data-tab": name, onclick: () => select(at) }, lc.say("tab_" + name)));
      panels.push(lc.element("div", { role: "tabpanel", id: panel, "aria-labelledby": tab, tabindex: 0, class: "lc-tabpanel" }, body));
    });
    const list = lc.element("div", { role: "tablist", class: "lc-tabs" }, ...buttons);
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) select((buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length, true);
    });
    select(0);
    return [list, ...panels];
  }

  lc.drawPanel = function (container) {
    const panel = lc.element("aside", { class: "lc-panel", id: "lc-panel", "aria-label": lc.page.study.name }, titleBlock(), lc.drawSearch());
    const parts = [["summary", summary()], ["sites", sites()], ["layers", layers()]];
    panel.append(...tabs(parts));
    const flip = () => {
      const hidden = document.body.classList.toggle("lc-folded");
      button.setAttribute("aria-expanded", String(!hidden));
      button.setAttribute("aria-label", lc.say(hidden ? "expand" : "collapse"));
      button.title = lc.say(hidden ? "expand" : "collapse");
      lc.map.invalidateSize({ animate: false });
    };
    const button = lc.element("button", { type: "button", class: "lc-flip", "aria-controls": "lc-panel", "aria-expanded": "true", "aria-label": lc.say("collapse"), title: lc.say("collapse"), onclick: flip });
    container.before(panel);
    container.append(button);
    L.DomEvent.disableClickPropagation(button);
  };
})(window);
