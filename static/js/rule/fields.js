// One field of an answer: its box, how many bytes are in it, what will be cut, and the placeholders that may stand there.

import { config, el, fill, icon, newId, words } from "./dom.js";

const encoder = new TextEncoder();
const PLACEHOLDER = /##[A-Z]+##/;

export function field(definition, holder, changed) {
  const { name, label, needed } = definition;
  const id = newId();
  const box = makeBox(definition, id, holder[name] ?? "");
  const count = el("small", { class: "rule-count" });
  const warning = el("p", { class: "rule-warning", role: "status" });
  const check = () => {
    if (definition.bytes) showSize(definition, box.value, count);
    warning.textContent = warnings(definition, box.value).join(" ");
    warning.hidden = !warning.textContent;
  };
  box.addEventListener("input", () => {
    holder[name] = box.value;
    check();
    changed();
  });
  check();
  const title = el("label", { htmlFor: id, class: "rule-label" }, label, needed ? el("span", { class: "rule-error", title: words.needed }, " *") : null);
  const under = el("div", { class: "rule-under" }, definition.filled && !definition.link ? inserts(box) : null, definition.bytes ? count : null);
  const chooser = definition.material ? picker(definition.material, box) : null;
  return el("div", { class: "rule-field" }, title, chooser, box, warning, under.hasChildNodes() ? under : null);
}

// A single line is a box for several lines too: what holds a line break keeps it.
function makeBox({ multiline, link }, id, value) {
  if (link) return el("input", { id, class: "rule-input", type: "text", inputMode: "url", placeholder: "https://", spellcheck: false, value });
  const box = el("textarea", { id, class: `rule-input ${multiline ? "rule-long" : "rule-single"}`, rows: multiline ? 3 : 1, value });
  if (!multiline) box.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) event.preventDefault(); });
  return box;
}

// The files of the chosen account, above the box for a media ID; the answer keeps the file's name, for its ID changes.
function picker(kind, box) {
  const account = document.querySelector("[name=account]");
  const choices = el("select", { class: "rule-input rule-select", "aria-label": words.choose_file });
  const note = el("p", { class: "rule-help", hidden: true });
  const draw = () => {
    const mine = config.materials.filter((one) => one.kind === kind && (!account?.value || String(one.account) === account.value));
    choices.replaceChildren(el("option", { value: "" }, words.choose_file), ...mine.map(({ value, label }) => el("option", { value }, label)));
    choices.value = mine.some(({ value }) => value === box.value) ? box.value : "";
    choices.hidden = !mine.length;
    box.hidden = Boolean(choices.value);
    const lost = box.value.startsWith("material:") && !choices.value;
    note.textContent = lost ? words.lost_file : words.no_file;
    note.hidden = Boolean(mine.length) && !lost;
  };
  choices.addEventListener("change", () => {
    box.value = choices.value;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  box.addEventListener("input", draw);
  account?.addEventListener("change", draw);
  draw();
  return el("div", { class: "rule-picker" }, choices, note);
}

function showSize({ bytes }, text, count) {
  const size = encoder.encode(text).length;
  count.textContent = fill(words.bytes, { size: size.toLocaleString(), limit: bytes.toLocaleString() });
  count.classList.toggle("rule-beyond", size > bytes);
}

function warnings({ bytes, filled, link }, text) {
  const found = [];
  const encoded = encoder.encode(text);
  if (bytes && encoded.length > bytes) {
    const kept = new TextDecoder().decode(encoded.slice(0, bytes - 3), { stream: true }); // half a character is left out
    found.push(fill(words.cut, { over: (encoded.length - bytes).toLocaleString(), end: `${[...kept].slice(-12).join("")}…` }));
  } else if (bytes && filled && PLACEHOLDER.test(text) && encoded.length > bytes * 0.8) found.push(words.filled);
  if (link && text && !/^https?:\/\/[^\s]/i.test(text)) found.push(words.not_a_link);
  return found;
}

function inserts(box) {
  const chips = config.placeholders.map(({ written, label, sample }) =>
    el("button", { type: "button", title: `${label} – ${sample}`, onclick: () => insert(box, written) }, `${written} ${label}`));
  return el("details", { class: "rule-more-words" }, el("summary", {}, icon("data_object"), words.insert), el("div", { class: "rule-inserts" }, ...chips));
}

function insert(box, text) {
  box.focus();
  box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
