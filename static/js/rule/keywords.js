// The editor of the keywords: one line for each, its kind and its text.

import { addButton, complaints, config, el, words } from "./dom.js";
import { Sortable } from "./sortable.js";

const kinds = new Map(config.keywords.map((kind) => [kind.kind, kind]));

export function keywordsEditor(items, errors, changed) {
  const list = new Sortable({
    items,
    changed,
    empty: words.no_keywords,
    draw: (item, tools) => drawLine(item, tools, { messages: errors[items.indexOf(item)], changed, next: () => add() }),
  });
  const add = () => list.add({ kind: "exact", text: "" });
  return el("div", { class: "rule-editor" }, list.element, el("div", { class: "rule-adds" }, addButton(words.add_keyword, "add", add)));
}

function drawLine(item, tools, { messages, changed, next }) {
  const kind = select(config.keywords.map(({ kind, label }) => ({ value: kind, label })), item.kind, words.kind);
  const place = el("div", { class: "rule-words" });
  const row = el("div", { class: "rule-item rule-line" }, tools.grip, kind, place, tools.buttons);
  row.append(...complaints(row, messages));
  let typed = item.text;
  const remember = (text) => { item.text = typed = text; changed(); };
  const show = () => {
    const { takes = "text", help: about = "" } = kinds.get(item.kind) ?? {};
    kind.title = about;
    place.replaceChildren(takes === "nothing" ? el("p", { class: "rule-help" }, about) : takes === "handle" ? handles(item) : textBox(item, about, { remember, next }));
  };
  kind.addEventListener("change", () => {
    const takes = kinds.get(kind.value).takes;
    item.kind = kind.value;
    item.text = takes === "nothing" ? "" : takes === "handle" ? config.handles[0].options[1].value : typed;
    show();
    changed();
  });
  place.addEventListener("change", (event) => {
    if (event.target.tagName !== "SELECT") return;
    item.text = event.target.value;
    changed();
  });
  show();
  return row;
}

// Enter begins the next keyword; a line break within one is typed with the shift key.
function textBox(item, about, { remember, next }) {
  const box = el("textarea", { class: `rule-input rule-single${item.kind === "regex" ? " rule-mono" : ""}`, rows: 1, value: item.text, placeholder: about, "aria-label": words.text, spellcheck: false, dir: "auto" });
  box.addEventListener("input", () => remember(box.value));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (box.value.trim()) next();
  });
  return box;
}

function handles(item) {
  const groups = config.handles.map(({ label, options }) => el("optgroup", { label }, ...options.map((option) => choice(option, item.text))));
  const known = config.handles.some(({ options }) => options.some(({ value }) => value === item.text));
  return el("select", { class: "rule-input", "aria-label": words.text }, ...(known ? [] : [choice({ value: item.text, label: item.text }, item.text)]), ...groups);
}

export function select(options, chosen, label) {
  const known = options.some(({ value }) => value === chosen);
  return el("select", { class: "rule-input", "aria-label": label }, ...(known ? options : [{ value: chosen, label: chosen }, ...options]).map((option) => choice(option, chosen)));
}

const choice = ({ value, label }, chosen) => el("option", { value, selected: value === chosen }, label);
