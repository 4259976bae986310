// What the server says of the menu as it stands now: what is wrong, and what is worth a look; 300 ms after the last change.

import { config, el, icon, words } from "../rule/dom.js";
import { bytes } from "./model.js";

const PAUSE = 300;
const NAMES = ["csrfmiddlewaretoken", "account", "tag", "client", "document"];

export class Check {
  // told(answer) after each answer; choose(path) when somebody follows a complaint.
  constructor(page, form, { told, choose }) {
    Object.assign(this, { page, form, told, choose });
    this.element = el("div", { class: "menu-check", role: "status", "aria-live": "polite" });
  }

  ask() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.element.classList.add("menu-waiting");
    this.timer = setTimeout(() => this.run(), PAUSE);
  }

  async run() {
    const body = new FormData();
    for (const name of NAMES) body.set(name, this.form.elements[name]?.value ?? "");
    body.set("menu", this.page.dataset.menuId);
    if (bytes(body.get("document")) > config.most.text) return this.show({ broken: words.too_long, problems: [], hints: [] });
    this.running = new AbortController();
    try {
      const response = await fetch(this.page.dataset.check, { method: "POST", body, signal: this.running.signal, headers: { "X-Requested-With": "fetch" } });
      if (!response.ok || response.redirected) throw new Error(response.statusText);
      this.show(await response.json());
    } catch (error) {
      if (error.name !== "AbortError") this.show(null);
    }
  }

  show(answer) {
    this.element.classList.remove("menu-waiting");
    if (!answer) return this.element.replaceChildren(line("cloud_off", words.unchecked, "menu-look"));
    const rows = [
      ...(answer.broken ? [line("error", answer.broken, "menu-wrong")] : []),
      ...answer.problems.map((one) => this.complaint(one, "error", "menu-wrong")),
      ...answer.hints.map((one) => this.complaint(one, "info", "menu-look")),
    ];
    if (!answer.broken && !answer.problems.length) rows.unshift(line("check_circle", words.fine, "menu-good"));
    this.element.replaceChildren(...rows);
    this.told(answer);
  }

  complaint({ path, place, text, make }, symbol, css) {
    const where = path.length ? el("button", { type: "button", class: "menu-where", onclick: () => this.choose(path) }, place) : null;
    const link = make ? el("a", { href: make, target: "_blank", rel: "noopener" }, words.make_rule, " ↗") : null;
    return el("p", { class: css }, icon(symbol), el("span", {}, where, where ? " " : null, text, link ? " " : null, link));
  }
}

const line = (symbol, text, css) => el("p", { class: css }, icon(symbol), el("span", {}, text));
