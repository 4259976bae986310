// The phone with the bottom bar: every button a tile; chosen by a tap, moved by mouse, by finger or with Alt and the arrow keys.

import { config, el, icon, words } from "../rule/dom.js";
import { isGroup } from "./model.js";

const { most } = config;
const FAR = 6; // pixels after which a press is a drag
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WIDE = /[\u1100-\uffff]|[\u{10000}-\u{1ffff}]/u;

// A name as WeChat shows it: cut, with an ellipsis.
export function shorten(name, limit) {
  const width = (letter) => (WIDE.test(letter) ? 2 : 1);
  const letters = [...name];
  if (letters.reduce((sum, letter) => sum + width(letter), 0) <= limit) return name;
  let left = limit;
  return `${letters.filter((letter) => (left -= width(letter)) >= 0).join("")}…`;
}

export class Phone {
  // `actions`: choose(path), addTop(), addSub(top), move(from, to).
  constructor(actions) {
    this.actions = actions;
    this.bar = el("div", { class: "menu-bar" });
    this.element = el("section", { class: "wx-phone menu-phone", "aria-label": words.phone },
      el("div", { class: "wx-head", "aria-hidden": "true" }, icon("chevron_left"), el("bdi", {}, ""), icon("more_horiz")),
      el("div", { class: "menu-screen" }, el("p", { class: "wx-notice" }, words.message)),
      this.bar);
    this.bar.addEventListener("keydown", (event) => this.key(event));
    this.bar.addEventListener("pointerdown", (event) => this.press(event));
  }

  title(text) { this.element.querySelector("bdi").textContent = text; }

  // `marks`: by place, "wrong" or "look".
  draw(menu, chosen, marks) {
    const focused = this.bar.contains(document.activeElement) ? document.activeElement.dataset.path : null;
    const columns = menu.buttons.map((button, top) => {
      const subs = (button.sub_button ?? []).map((sub, number) => this.tile(sub, [top, number], chosen, marks));
      const add = subs.length < most.subs ? this.adder(words.add_sub, `${top}.${subs.length}`, () => this.actions.addSub(top)) : null;
      return el("div", { class: `menu-column${chosen?.[0] === top ? " menu-open" : ""}` }, ...subs, add, this.tile(button, [top], chosen, marks));
    });
    if (columns.length < most.buttons) columns.push(el("div", { class: "menu-column" }, this.adder(words.add, String(columns.length), () => this.actions.addTop())));
    this.bar.replaceChildren(...columns);
    if (focused) this.focus(focused.split("."));
  }

  tile(button, path, chosen, marks) {
    const name = typeof button.name === "string" ? button.name : "";
    const key = path.join(".");
    const css = ["menu-tile", path.length === 1 ? "menu-top" : "", marks.get(key) ? `menu-${marks.get(key)}` : ""].join(" ");
    const label = el("span", { class: "menu-name", dir: "auto" }, shorten(name, most.shown[path.length - 1]) || words.unnamed);
    return el("button", { type: "button", class: css, title: name, "data-path": key, "aria-pressed": String(chosen?.join(".") === key), onclick: () => this.click(path) },
      path.length === 1 && isGroup(button) ? icon("menu") : null, label);
  }

  adder(label, path, onclick) {
    return el("button", { type: "button", class: "menu-tile menu-adder", title: label, "aria-label": label, "data-room": path, onclick }, icon("add"));
  }

  click(path) {
    if (this.dragged) this.dragged = false;
    else this.actions.choose(path);
  }

  focus(path) { this.bar.querySelector(`[data-path="${path.join(".")}"]`)?.focus(); }

  key(event) {
    const step = KEYS[event.key], tile = event.target.closest("[data-path]");
    if (!step || !tile) return;
    event.preventDefault();
    const path = tile.dataset.path.split(".").map(Number);
    const [across, down] = step;
    if (event.altKey) {
      const to = path.length === 1 ? [path[0] + across] : [path[0] + across, path[1] + down];
      if (to.every((number) => number >= 0)) this.actions.move(path, to);
      return;
    }
    this.neighbour(tile, path[0], across, down)?.focus();
  }

  neighbour(tile, top, across, down) {
    const column = this.bar.children[top + across];
    const tiles = [...(column?.querySelectorAll("button") ?? [])];
    return down ? tiles[tiles.indexOf(tile) + down] : tiles.at(-1);
  }

  press(event) {
    const tile = event.target.closest("[data-path]");
    if (!tile || event.button) return;
    const from = tile.dataset.path, start = [event.clientX, event.clientY];
    let over = null;
    this.dragged = false;
    const moved = (now) => {
      if (!this.dragged && Math.hypot(now.clientX - start[0], now.clientY - start[1]) < FAR) return;
      this.dragged = true;
      tile.classList.add("menu-dragged");
      over?.classList.remove("menu-over");
      over = document.elementFromPoint(now.clientX, now.clientY)?.closest("[data-path], [data-room]") ?? null;
      over?.classList.add("menu-over");
    };
    const ended = ({ type }) => {
      document.removeEventListener("pointermove", moved);
      for (const name of ["pointerup", "pointercancel"]) document.removeEventListener(name, ended);
      tile.classList.remove("menu-dragged");
      over?.classList.remove("menu-over");
      const to = over?.dataset.path ?? over?.dataset.room;
      if (type === "pointerup" && this.dragged && to !== undefined && to !== from) this.actions.move(from.split(".").map(Number), to.split(".").map(Number));
      setTimeout(() => { this.dragged = false; }); // the click of this press comes first
    };
    document.addEventListener("pointermove", moved);
    for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, ended);
  }
}
