// The form of a menu: the phone, the fields of the chosen button, and the JSON. The box with the JSON is what is sent; what is
// done on the phone is written there, and what is typed there is shown on the phone. What cannot be read stays as it was typed.

import { config, el, fill, icon, say, words } from "./rule/dom.js";
import { Check } from "./menu/check.js";
import { drawForm } from "./menu/form.js";
import { Menu, read, written } from "./menu/model.js";
import { Phone } from "./menu/phone.js";

function start(page, box) {
  const form = box.form;
  const menu = new Menu({ button: [] });
  let chosen = null, marks = new Map(), blocked = false;

  const actions = {
    choose(path) { chosen = path; draw(); },
    addTop() { done(menu.addTop(`${words.new_name}${menu.buttons.length + 1}`)); },
    addSub(top) { done(menu.addSub(top, `${words.new_name}${(menu.buttons[top].sub_button?.length ?? 0) + 1}`)); },
    remove(path) {
      menu.remove(path);
      const rest = menu.list(path).length;
      done(rest ? [...path.slice(0, -1), Math.min(path.at(-1), rest - 1)] : path.length === 2 ? [path[0]] : null, words.removed);
    },
    move(from, to) {
      const place = menu.move(from, to);
      if (place) done(place, fill(words.moved, { number: place.at(-1) + 1, total: menu.list(place).length }));
    },
    become(path, kind) { menu.become(path, kind); done(path); },
    changed() { write(); phone.draw(menu, chosen, marks); },
  };
  const phone = new Phone(actions);
  const pane = el("div", { class: "menu-fields" });
  const locked = el("p", { class: "menu-locked", role: "alert", hidden: true }, icon("lock"), el("span", {}, words.locked));
  const dirty = el("p", { class: "menu-dirty", hidden: true }, icon("save"), el("span", {}, words.dirty));
  const where = el("button", { type: "button", class: "menu-where", hidden: true });
  const check = new Check(page, form, { told, choose: actions.choose });

  function done(path, said) {
    chosen = path;
    write();
    draw();
    if (said) say(said);
    if (path) phone.focus(path);
  }

  function write() {
    box.value = written(menu.menu);
    dirty.hidden = false;
    box.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "editor" })); // leaving the page is asked about
    check.ask();
  }

  function draw() {
    if (!menu.at(chosen)) chosen = menu.buttons.length ? [0] : null;
    phone.draw(menu, chosen, marks);
    pane.replaceChildren(...drawForm(menu, chosen, actions));
    lock();
  }

  function lock() {
    locked.hidden = !blocked;
    phone.element.inert = pane.inert = blocked;
    page.classList.toggle("menu-blocked", blocked);
  }

  // What was typed in the box. The same menu that is on the phone already is not drawn again.
  function take() {
    const { menu: typed, error } = read(box.value);
    blocked = Boolean(error);
    where.hidden = !error?.line;
    if (error?.line) {
      where.textContent = fill(words.where, error);
      where.onclick = () => goTo(error);
    }
    if (typed) menu.menu = typed;
    if (typed) draw();
    lock();
    check.ask();
  }

  function goTo({ line, column }) {
    const at = box.value.split("\n").slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
    box.focus();
    box.setSelectionRange(Math.max(0, at), Math.min(at + 1, box.value.length));
  }

  // What JSON.parse forgives, such as a field that stands twice, the server does not: until then nothing is written over it.
  function told({ broken, problems, hints }) {
    const worst = [...hints.map((one) => [one.path.join("."), "look"]), ...problems.map((one) => [one.path.join("."), "wrong"])];
    marks = new Map(worst);
    if (broken) blocked = true;
    else if (blocked && !read(box.value).error) blocked = false;
    phone.draw(menu, chosen, marks);
    lock();
  }

  const row = box.parentElement;
  const json = el("div", { class: "menu-json-pane" }, el("h3", {}, words.json), el("p", { class: "rule-help" }, words.json_help), where);
  const editor = el("div", { class: "menu-editor rule-editor" }, el("div", { class: "menu-stuck" }, phone.element), el("div", { class: "menu-middle" }, locked, pane, check.element, dirty), json);
  row.append(editor);
  json.append(box);
  box.setAttribute("aria-label", words.json);
  const account = form.elements.account;
  const name = () => phone.title(account?.selectedOptions?.[0]?.text ?? page.dataset.account);
  box.addEventListener("input", (event) => { if (event.detail !== "editor") { dirty.hidden = false; take(); } });
  for (const one of ["account", "tag", "client"]) form.elements[one]?.addEventListener("change", () => { name(); check.ask(); });
  name();
  take();
}

const page = document.querySelector(".menu-page");
const box = page?.querySelector("textarea[data-menu]");
if (box && config) start(page, box);
