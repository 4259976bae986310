// Larger things in a chat: articles, template messages, films, music, mini programs, and what the phone cannot show.

import { avatars, clean, el, icon, texts } from "./dom.js";

export function picture(source) {
  const image = el("img", { alt: "", src: source || avatars[0], loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(placeholder()), { once: true });
  return image;
}

const placeholder = (name = "page") => el("div", { class: "placeholder" }, icon(name));
const cover = (source) => (source && /^(https?:|data:image\/|\/)/i.test(source) ? picture(source) : placeholder());
const more = (label) => el("span", { class: "more", "aria-hidden": "true" }, label, icon("forward"));

// One article is a card of its own; of several the first is large and the others are rows below it.
export function drawNews(articles, actions) {
  const [first, ...others] = articles;
  const top = others.length
    ? [el("span", { class: "cover" }, cover(first.picurl), el("strong", {}, clean(first.title)))]
    : [el("strong", {}, clean(first.title)), el("span", { class: "cover" }, cover(first.picurl)), el("span", { class: "brief" }, clean(first.description)), more(texts.readMore)];
  const rows = others.map((article) =>
    el("button", { type: "button", class: "row", onclick: () => actions.open(article.url) }, el("span", {}, clean(article.title)), el("span", { class: "thumb" }, cover(article.picurl))));
  return el("article", { class: "card" }, el("button", { type: "button", class: "top", onclick: () => actions.open(first.url) }, ...top), ...rows);
}

// A template message or a subscription notice: a title, its fields, and a way to the page if there is one.
export function drawTemplate(line, actions) {
  const rows = line.rows.map(([label, value]) => el("div", {}, el("dt", {}, clean(label)), el("dd", {}, clean(value))));
  const content = [
    el("span", { class: "sender" }, icon(line.via === "subscription" ? "bell" : "page"), line.via === "subscription" ? texts.subscriptionNotice : texts.serviceNotice),
    el("strong", {}, clean(line.title)), el("dl", {}, ...rows)];
  if (!line.url && !line.miniprogram) return el("article", { class: "card template" }, el("div", { class: "top" }, ...content));
  const open = () => (line.miniprogram ? actions.say(`${texts.miniprogram} ${clean(line.miniprogram)}`) : actions.open(line.url));
  return el("article", { class: "card template" }, el("button", { type: "button", class: "top", onclick: open }, ...content, more(line.miniprogram ? texts.openMiniprogram : texts.details)));
}

export function drawFilm(line) {
  return el("div", { class: "bubble film" }, cover(line.picture), el("i", { class: "play", "aria-label": texts.video, role: "img" }), line.title ? el("span", {}, clean(line.title)) : null);
}

export function drawMusic(line, actions) {
  return el("button", { type: "button", class: "bubble music", onclick: () => actions.open(line.musicurl) }, el("span", { class: "thumb" }, cover(line.picture)),
    el("span", { class: "words" }, el("strong", {}, clean(line.title)), el("span", {}, clean(line.description))), icon("music"));
}

export function drawProgram(line) {
  return el("div", { class: "bubble program" }, el("strong", {}, clean(line.title)), el("span", { class: "cover" }, cover(line.picture)), el("small", {}, icon("program"), texts.miniprogram));
}

// A file, an article or a coupon of which the simulator knows no more than a name.
export function drawUnknown(line) {
  const label = { material: texts.material, mpnewsarticle: texts.article, mpnews: texts.article, wxcard: texts.coupon }[line.kind] ?? line.kind;
  return el("div", { class: "bubble unknown" }, placeholder(line.kind === "wxcard" ? "coupon" : "page"), el("span", { class: "words" }, el("strong", {}, label), el("span", {}, clean(line.title || line.article_id || line.card_id))));
}
