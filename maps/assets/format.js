// Numbers written by the same table as maps/formats.py: format_number and the scales of areas and lengths.
(function (root) {
  "use strict";
  const lc = (root.lifecircle = root.lifecircle || {});

  function grouped(text) {
    const [whole, rest] = text.split(".");
    const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return rest === undefined ? spaced : spaced + "." + rest;
  }

  function number(value, kind) {
    const page = lc.page;
    if (typeof value !== "number" || !Number.isFinite(value)) return page.nothing;
    const form = page.formats[kind];
    const step = Math.pow(10, -form.digits);
    let shown = Number((value * form.factor).toFixed(form.digits));
    let sign = "";
    if (form.share && value > 0 && value < 1) {
      if (shown >= 100) [sign, shown] = [">", 100 - step];
      else if (shown <= 0) [sign, shown] = ["<", step];
    }
    const text = (shown === 0 ? 0 : shown).toFixed(form.digits);
    return sign + (form.grouped ? grouped(text) : text) + form.unit;
  }

  // A value as a field says: a kind of number, a scale of units, or a text.
  lc.format = function (value, kind) {
    if (value === null || value === undefined || value === "") return lc.page.nothing;
    if (kind === "text") return String(value);
    const scale = lc.page.scales[kind];
    if (!scale) return number(value, kind);
    const size = Number.isFinite(value) ? value : 0;
    return number(value, scale.find(([below]) => below === null || size < below)[1]);
  };

  // A walk and a limit by their unit, as maps/formats.py: format_walk and format_limit.
  // A walk beyond the limit beside it gets more digits until it is written as beyond.
  lc.formatWalk = function (walk, unit, limit) {
    const kinds = lc.page.walk_kinds[unit === "s" ? "s" : "m"];
    if (typeof walk !== "number" || typeof limit !== "number" || walk <= limit) return lc.format(walk, kinds[0]);
    return lc.format(walk, kinds.find((kind) => shown(walk, kind) > shown(limit, kind)) || kinds[kinds.length - 1]);
  };

  function shown(value, kind) {
    const form = lc.page.formats[kind];
    return Number((value * form.factor).toFixed(form.digits));
  }
  lc.formatLimit = (limit, unit) => (unit === "s" && limit % 60 === 0 ? lc.format(limit, "whole_minutes") : lc.formatWalk(limit, unit));

  // A text of the page with its {parameters} filled in.
  lc.say = function (name, parameters) {
    const text = lc.page.texts[name];
    return parameters ? text.replace(/\{(\w+)\}/g, (hole, key) => (key in parameters ? String(parameters[key]) : hole)) : text;
  };
})(window);
