// Draws the lines of a conversation: bubbles, cards, pictures, notices, and the times between them.

import { drawFilm, drawMusic, drawNews, drawProgram, drawTemplate, drawUnknown, picture } from "./cards.js";
import { clean, clockTime, el, icon, portrait, texts } from "./dom.js";

const GAP = 300; // seconds of silence after which a time is shown
const LINK = /<a\s[^>]*?href\s*=\s*["']([^"']*)["'][^>]*>([\s\S]*?)<\/a>|(https?:\/\/[^\s<>"'，。；、（）]+)/gi;

export function timeBefore(line, previous) {
  if (previous && line.time - previous.time < GAP) return null;
  return el("li", { class: "when" }, el("time", {}, clockTime(line.time)));
}

export function drawLine(line, person, account, actions) {
  if (line.kind === "notice") return el("li", { class: "notice" }, el("span", {}, line.text));
  if (line.kind === "transfer_customer_service") return el("li", { class: "notice" }, el("span", {}, texts.transferred));
  if (line.kind === "news") return el("li", { class: "line wide" }, drawNews(line.articles, actions));
  if (line.kind === "template") return el("li", { class: "line wide" }, drawTemplate(line, actions));
  const mine = line.who === "person";
  const face = portrait(mine ? person.avatar : "/static/simulator/account.svg");
  const content = drawContent(line, actions);
  if (!line.agent && !line.by_machine) return el("li", { class: mine ? "line mine" : "line" }, face, content);
  const said = el("div", { class: "said" }, line.agent ? el("small", {}, clean(line.agent)) : null, content, line.by_machine ? el("small", {}, texts.byMachine) : null);
  return el("li", { class: "line" }, face, said);
}

function drawContent(line, actions) {
  switch (line.kind) {
    case "text": return el("div", { class: "bubble" }, ...drawText(line.text, actions));
    case "image": return el("div", { class: "bubble picture" }, picture(line.picture));
    case "voice": return el("div", { class: "bubble voice" }, icon("voice"), el("span", {}, line.text || "3″"));
    case "location": return drawPlace(line);
    case "msgmenu": return drawMenu(line, actions);
    case "video": return drawFilm(line);
    case "music": return drawMusic(line, actions);
    case "miniprogrampage": return drawProgram(line);
    default: return drawUnknown(line);
  }
}

// Text with links: `<a href>` as the platform allows it, and bare addresses. Anything else stays text.
export function drawText(text, actions) {
  const parts = [];
  let end = 0;
  for (const match of clean(text).matchAll(LINK)) {
    parts.push(clean(text).slice(end, match.index));
    parts.push(drawLink(match[1] ?? match[3], match[2] ?? match[3], actions) ?? match[0]);
    end = match.index + match[0].length;
  }
  parts.push(clean(text).slice(end));
  return parts.filter((part) => part !== "");
}

function drawLink(address, label, actions) {
  const plain = label.replace(/<[^>]*>/g, "");
  const href = address.replaceAll("&amp;", "&");
  if (/^https?:\/\//i.test(href)) {
    return el("button", { type: "button", class: "link", onclick: () => actions.open(href) }, plain);
  }
  if (href.startsWith("weixin://bizmsgmenu?")) {
    const query = new URLSearchParams(href.slice(href.indexOf("?") + 1));
    const body = { text: query.get("msgmenucontent") ?? "", menuid: query.get("msgmenuid") ?? "" };
    return el("button", { type: "button", class: "link", onclick: () => actions.act("text", body) }, plain);
  }
  return null;
}

function drawMenu(line, actions) {
  const items = line.list.map((item) =>
    el("button", { type: "button", class: "link", onclick: () => actions.act("text", { text: item.content, menuid: item.id }) }, clean(item.content)));
  return el("div", { class: "bubble choices" }, ...drawText(line.head_content, actions), ...items, ...drawText(line.tail_content, actions));
}

function drawPlace(line) {
  return el("div", { class: "bubble place" }, el("strong", {}, clean(line.text)), el("small", {}, line.place), el("div", { class: "map" }, icon("place")));
}
