// A menu as the editor holds it: the very object that the JSON says, so that what the editor does not know is kept.

import { config } from "../rule/dom.js";

const { most, kinds } = config;
const known = new Map(kinds.map((kind) => [kind.kind, kind]));
const encoder = new TextEncoder();
const typed = new WeakMap(); // what a button had in the fields of its other kinds

export const kindOf = (button) => known.get(button.type);
export const bytes = (text) => encoder.encode(text).length;
export const isGroup = (button) => (button.sub_button ?? []).length > 0;

// The menu of a text: {menu}, or {error} with the place of the mistake where the browser tells it.
export function read(text) {
  let menu;
  try {
    menu = JSON.parse(text.trim() || "{}");
  } catch (error) {
    return { error: place(String(error.message), text) };
  }
  return isMenu(menu) ? { menu } : { error: {} };
}

export const written = (menu) => JSON.stringify(menu, null, 2);

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isList = (value, test) => value === undefined || (Array.isArray(value) && value.every(test));
const isMenu = (value) => isObject(value) && isList(value.button, (button) => isObject(button) && isList(button.sub_button, (sub) => isObject(sub) && isList(sub.sub_button, () => false)));

// Browsers name the place by line and column, or count the characters before it.
function place(message, text) {
  const named = /line (\d+),? column (\d+)/.exec(message);
  if (named) return { line: Number(named[1]), column: Number(named[2]) };
  const counted = /position (\d+)/.exec(message);
  const before = counted ? text.slice(0, Number(counted[1])) : /end of (JSON|data)/i.test(message) ? text : null;
  if (before === null) return {};
  const lines = before.split("\n");
  return { line: lines.length, column: lines.at(-1).length + 1 };
}

export class Menu {
  constructor(menu) { this.menu = menu; }

  get buttons() { return this.menu.button ?? []; }

  at(path) {
    const top = this.buttons[path?.[0]];
    return path?.length === 2 ? top?.sub_button?.[path[1]] : top;
  }

  // The list in which the button of that place stands.
  list(path) { return path.length === 1 ? this.buttons : this.buttons[path[0]]?.sub_button ?? []; }

  addTop(name) {
    this.menu.button = [...this.buttons, { type: "click", name, key: "" }];
    return [this.menu.button.length - 1];
  }

  // The first one below takes over what its button did: nothing that was typed is lost.
  addSub(top, name) {
    const button = this.buttons[top];
    const first = isGroup(button) ? null : { ...button, sub_button: undefined };
    if (first) become(button, { name: button.name, sub_button: hasContent(first) ? [stripped(first)] : [] });
    button.sub_button.push({ type: "click", name, key: "" });
    return [top, button.sub_button.length - 1];
  }

  remove(path) {
    this.list(path).splice(path.at(-1), 1);
    if (path.length === 2) this.mend(path[0]);
  }

  // Within its level only. Returns the new place, or null where there is no room.
  move(from, to) {
    if (from.length !== to.length || !this.at(from)) return null;
    if (from.length === 2 && from[0] !== to[0]) return this.across(from, to);
    const list = this.list(from);
    const place = Math.max(0, Math.min(to.at(-1), list.length - 1));
    const [button] = list.splice(from.at(-1), 1);
    list.splice(place, 0, button);
    return [...to.slice(0, -1), place];
  }

  across(from, to) {
    const target = this.buttons[to[0]];
    if (!target || !isGroup(target) || target.sub_button.length >= most.subs) return null;
    const [button] = this.list(from).splice(from[1], 1);
    target.sub_button.splice(to[1], 0, button);
    this.mend(from[0]);
    return [to[0], Math.min(to[1], target.sub_button.length - 1)];
  }

  // A button that lost the last one below it does something itself again.
  mend(top) {
    const button = this.buttons[top];
    if (!isGroup(button)) become(button, { type: "click", name: button.name, key: "" });
  }

  // Another kind, with what was typed for it before.
  become(path, kind) {
    const button = this.at(path);
    const kept = { ...typed.get(button), ...button };
    typed.set(button, kept);
    become(button, { type: kind, name: button.name, ...Object.fromEntries(known.get(kind).fields.map(({ name }) => [name, typeof kept[name] === "string" ? kept[name] : ""])) });
  }
}

function become(button, fields) {
  for (const name of Object.keys(button)) delete button[name];
  Object.assign(button, fields);
}

const hasContent = (button) => Object.entries(button).some(([name, value]) => !["type", "name", "sub_button"].includes(name) && value);
const stripped = ({ sub_button: _subs, ...rest }) => rest;
