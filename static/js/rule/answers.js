// The editor of the answers: a card for each, with the fields of its kind; a news card has articles of its own.

import { addButton, complaints, config, el, icon, newId, words } from "./dom.js";
import { field } from "./fields.js";
import { select } from "./keywords.js";
import { Sortable } from "./sortable.js";

const kinds = new Map(config.answers.map((kind) => [kind.kind, kind]));
const emptyArticle = () => Object.fromEntries(config.article.map(({ name }) => [name, ""]));

export function answersEditor(items, errors, changed) {
  const adds = config.answers.map(({ kind, label, icon: symbol }) => addButton(label, symbol, () => list.add(empty(kind))));
  const full = el("p", { class: "rule-help" }, words.most_answers);
  const limit = () => {
    adds.forEach((button) => { button.disabled = items.length >= config.most.answers; });
    full.hidden = items.length < config.most.answers;
  };
  const list = new Sortable({
    items,
    changed: () => { limit(); changed(); },
    empty: words.no_answers,
    draw: (item, tools) => drawCard(item, tools, errors[items.indexOf(item)], changed),
  });
  limit();
  const bar = el("div", { class: "rule-adds", role: "group", "aria-label": words.add_answer }, el("span", {}, words.add_answer), ...adds);
  return el("div", { class: "rule-editor" }, list.element, bar, full);
}

function empty(kind) {
  if (kind === "news") return { kind, articles: [emptyArticle()] };
  if (kind === "handler") return { kind, name: config.programs[0].value };
  return { kind, ...Object.fromEntries(kinds.get(kind).fields.map(({ name }) => [name, ""])) };
}

function drawCard(item, tools, messages, changed) {
  const { label = String(item.kind), icon: symbol = "help", help = "" } = kinds.get(item.kind) ?? {};
  const top = el("div", { class: "rule-top" }, tools.grip, el("strong", {}, icon(symbol), label), tools.buttons);
  const body = el("div", { class: "rule-body" }, ...drawBody(item, changed), help ? el("p", { class: "rule-help" }, help) : null);
  const card = el("div", { class: "rule-item" }, top, body);
  body.prepend(...complaints(card, messages));
  return card;
}

function drawBody(item, changed) {
  const kind = kinds.get(item.kind);
  if (!kind) return [el("p", { class: "rule-help" }, words.unknown), el("pre", { class: "rule-mono" }, JSON.stringify(item, null, 1))];
  if (item.kind === "news") return [articles(item, changed)];
  if (item.kind === "handler") {
    const programs = select(config.programs, item.name, words.program);
    programs.addEventListener("change", () => { item.name = programs.value; changed(); });
    return [programs];
  }
  return kind.fields.map((definition) => field(definition, item, changed));
}

function articles(item, changed) {
  if (!Array.isArray(item.articles)) item.articles = [];
  const button = addButton(words.add_article, "add", () => list.add(emptyArticle()));
  const limit = () => { button.disabled = item.articles.length >= config.most.articles; };
  const open = item.articles.length < 3;
  const list = new Sortable({
    items: item.articles,
    changed: () => { limit(); changed(); },
    empty: words.no_answers,
    css: "rule-articles",
    draw: (article, tools) => drawArticle(article, tools, changed, open || !article.title),
  });
  limit();
  return el("div", { class: "rule-editor" }, list.element, el("div", {}, button));
}

function drawArticle(article, tools, changed, open) {
  const id = newId();
  const name = el("bdi", {}, article.title);
  const body = el("div", { class: "rule-body", id, hidden: !open }, ...config.article.map((definition) =>
    field(definition, article, () => { name.textContent = article.title; changed(); })));
  const toggle = el("button", { type: "button", class: "rule-fold", "aria-expanded": String(open), "aria-controls": id },
    icon("expand_more"), el("span", { "data-number": words.article }), name);
  toggle.addEventListener("click", () => {
    body.hidden = !body.hidden;
    toggle.setAttribute("aria-expanded", String(!body.hidden));
  });
  return el("div", { class: "rule-item" }, el("div", { class: "rule-top" }, tools.grip, toggle, tools.buttons), body);
}
