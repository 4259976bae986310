// A list whose items are moved by buttons, by keyboard, by mouse or by finger. `items` is changed in place.

import { el, fill, icon, say, words } from "./dom.js";

export class Sortable {
  // draw(item, tools) makes the element of an item; changed() is called after every change; empty is shown without items.
  constructor({ items, draw, changed, empty, css = "rule-list" }) {
    Object.assign(this, { items, draw, changed });
    this.rows = new Map();
    this.list = el("div", { class: css, role: "list" });
    this.empty = el("p", { class: "rule-empty" }, empty);
    this.element = el("div", {}, this.empty, this.list);
    items.forEach((item) => this.list.append(this.row(item)));
    this.number();
  }

  add(item) {
    this.items.push(item);
    const row = this.row(item);
    this.list.append(row);
    this.update();
    (row.querySelector("input, textarea") ?? row.querySelector("select, button"))?.focus();
  }

  row(item) {
    const row = this.draw(item, this.tools(item));
    row.setAttribute("role", "listitem");
    this.rows.set(row, item);
    return row;
  }

  tools(item) {
    const tool = (name, symbol, onclick) => el("button", { type: "button", title: words[name], "aria-label": words[name], onclick }, icon(symbol));
    const up = tool("up", "arrow_upward", () => this.move(item, -1, up, down));
    const down = tool("down", "arrow_downward", () => this.move(item, 1, down, up));
    const grip = el("span", { class: "rule-grip", title: words.drag, "aria-hidden": "true", onpointerdown: (event) => this.drag(event, item) }, icon("drag_indicator"));
    return { grip, buttons: el("span", { class: "rule-tools" }, up, down, tool("remove", "delete", () => this.remove(item))) };
  }

  rowOf(item) {
    return [...this.rows].find(([, other]) => other === item)[0];
  }

  move(item, step, pressed, other) {
    const row = this.rowOf(item);
    if (step < 0) row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    this.update();
    (pressed.disabled ? other : pressed).focus();
    say(fill(words.moved, { number: this.items.indexOf(item) + 1, total: this.items.length }));
  }

  remove(item) {
    const row = this.rowOf(item);
    const next = row.nextElementSibling ?? row.previousElementSibling;
    this.rows.delete(row);
    row.remove();
    this.update();
    next?.querySelector(".rule-tools button:last-child")?.focus();
    say(words.removed);
  }

  // The neighbours make way, the dragged row itself stays in the document: so the pointer is never lost.
  drag(event, item) {
    if (event.button) return;
    event.preventDefault();
    const row = this.rowOf(item);
    row.classList.add("rule-dragged");
    const moved = ({ clientY }) => {
      const [before, after] = [row.previousElementSibling, row.nextElementSibling];
      if (before && clientY < middle(before)) row.after(before);
      else if (after && clientY > middle(after)) row.before(after);
    };
    const ended = () => {
      document.removeEventListener("pointermove", moved);
      row.classList.remove("rule-dragged");
      this.update();
    };
    document.addEventListener("pointermove", moved);
    for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, ended, { once: true });
  }

  update() {
    this.items.splice(0, this.items.length, ...[...this.list.children].map((row) => this.rows.get(row)));
    this.number();
    this.changed();
  }

  number() {
    const rows = [...this.list.children];
    this.empty.hidden = rows.length > 0;
    rows.forEach((row, index) => {
      const [up, down] = row.querySelector(".rule-tools").children;
      up.disabled = index === 0;
      down.disabled = index === rows.length - 1;
      row.querySelectorAll(":scope > .rule-top [data-number]").forEach((place) => { place.textContent = fill(place.dataset.number, { number: index + 1 }); });
    });
  }
}

function middle(element) {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
}
