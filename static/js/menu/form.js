// The fields of the chosen button, with their bytes while typing.

import { addButton, config, el, fill, icon, newId, words } from "../rule/dom.js";
import { bytes, isGroup, kindOf } from "./model.js";
import { shorten } from "./phone.js";

const { most, kinds } = config;

// `actions`: changed(), become(path, kind), move(path, to), remove(path), addSub(top).
export function drawForm(menu, path, actions) {
  const button = menu.at(path);
  if (!button) return [el("p", { class: "rule-empty" }, words.choose)];
  const rows = [heading(menu, path, actions), field(config.name, button, most.name[path.length - 1], actions.changed, most.shown[path.length - 1])];
  if (isGroup(button)) rows.push(el("p", { class: "rule-help" }, words.group));
  else rows.push(kindBox(button, path, actions), ...fields(button, actions));
  if (path.length === 1 && (button.sub_button ?? []).length < most.subs) rows.push(el("div", {}, addButton(words.add_sub, "add", () => actions.addSub(path[0]))));
  return rows;
}

function heading(menu, path, actions) {
  const [number, below] = path.map((place) => place + 1);
  const last = path.at(-1), total = menu.list(path).length;
  const tool = (label, symbol, onclick, disabled = false) => el("button", { type: "button", title: label, "aria-label": label, onclick, disabled }, icon(symbol));
  const to = (step) => () => actions.move(path, [...path.slice(0, -1), last + step]);
  const [back, on] = path.length === 1 ? [[words.earlier, "arrow_back"], [words.later, "arrow_forward"]] : [[words.up, "arrow_upward"], [words.down, "arrow_downward"]];
  return el("div", { class: "menu-heading" },
    el("h3", {}, fill(path.length === 1 ? words.top : words.sub, { number, below })),
    el("span", { class: "rule-tools" }, tool(...back, to(-1), last === 0), tool(...on, to(1), last === total - 1), tool(words.remove, "delete", () => actions.remove(path))));
}

function kindBox(button, path, actions) {
  const id = newId(), kind = kindOf(button);
  const options = kinds.map(({ kind: value, label }) => el("option", { value, selected: value === button.type }, label));
  if (!kind) options.unshift(el("option", { value: "", selected: true }, String(button.type ?? "…")));
  const box = el("select", { id, class: "rule-input" }, ...options);
  box.addEventListener("change", () => { if (box.value) actions.become(path, box.value); });
  return el("div", { class: "rule-field" }, el("label", { htmlFor: id, class: "rule-label" }, words.kind), box, el("p", { class: "rule-help" }, kind ? kind.help : words.unknown));
}

const fields = (button, actions) => (kindOf(button)?.fields ?? []).map((definition) => field(definition, button, definition.most, actions.changed));

function field({ name, label, help }, button, limit, changed, shown = 0) {
  const id = newId();
  const box = el("input", { id, class: "rule-input", type: "text", spellcheck: false, autocomplete: "off", dir: "auto", value: button[name] ?? "", "data-field": name });
  if (name === "url") Object.assign(box, { inputMode: "url", placeholder: "https://", dir: "ltr" });
  const count = el("small", { class: "rule-count" });
  const warning = el("p", { class: "rule-warning", role: "status" });
  const check = () => {
    const size = bytes(box.value), cut = shown ? shorten(box.value, shown) : box.value;
    count.textContent = fill(words.bytes, { size: size.toLocaleString(), limit: limit.toLocaleString() });
    count.classList.toggle("rule-beyond", size > limit);
    warning.textContent = size > limit ? fill(words.over, { over: (size - limit).toLocaleString() }) : cut === box.value ? "" : fill(words.cut, { shown: cut });
    warning.hidden = !warning.textContent;
  };
  box.addEventListener("input", () => { button[name] = box.value; check(); changed(); });
  box.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) event.preventDefault(); });
  check();
  return el("div", { class: "rule-field" }, el("label", { htmlFor: id, class: "rule-label" }, label), box, warning,
    el("div", { class: "rule-under" }, help ? el("span", { class: "rule-help" }, help) : null, count));
}
