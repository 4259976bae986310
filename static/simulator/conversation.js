// The conversation with the account: its lines, the menu, and the box to write in.

import { button, clean, el, icon, texts } from "./dom.js";
import { drawLine, timeBefore } from "./lines.js";

const PLACES = [
  { latitude: "31.230416", longitude: "121.473701", label: "上海市黄浦区人民大道" },
  { latitude: "30.572816", longitude: "104.066801", label: "成都市武侯区天府大道" },
];

export function conversation(actions) {
  const title = el("h2");
  const lines = el("ol", { class: "lines", role: "log", "aria-live": "polite" });
  const box = el("textarea", { rows: 1, maxLength: 2000, "aria-label": texts.message, enterkeyhint: "send" });
  const send = el("button", { class: "send", hidden: true }, texts.send);
  const extras = el("div", { class: "extras", hidden: true }, ...extraButtons(actions));
  const plus = button(texts.more, icon("plus"), () => { extras.hidden = !extras.hidden; toEnd(); });
  const swap = button(texts.menu, icon("menu"), () => { writing = !writing; layOut(); });
  const form = el("form", { class: "write" }, swap, box, plus, send);
  const bar = el("div", { class: "menu-bar" });
  const foot = el("footer", {}, form, bar, extras);
  const node = el("div", { class: "view conversation" },
    el("header", { class: "nav" }, button(texts.back, icon("back"), () => actions.go("home")), title, button(texts.profile, icon("more"), () => actions.go("profile"))),
    lines, foot);
  let writing = true;
  let drawn = { openid: null, menu: null, last: 0, lines: [] };

  const toEnd = () => { lines.scrollTop = lines.scrollHeight; };

  function layOut() {
    const menu = drawn.menu;
    swap.hidden = !menu;
    swap.replaceChildren(icon(writing ? "menu" : "keyboard"));
    for (const part of [box, plus]) part.hidden = !writing;
    send.hidden = !writing || !box.value.trim();
    plus.hidden = !writing || !send.hidden;
    bar.hidden = writing || !menu;
    extras.hidden ||= !writing;
    foot.classList.toggle("menus", !writing && Boolean(menu));
  }

  function grow() {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 110)}px`;
    layOut();
  }

  async function submit(event) {
    event?.preventDefault();
    const text = box.value;
    if (!text.trim()) return;
    box.value = "";
    grow();
    await actions.act("text", { text });
  }

  form.addEventListener("submit", submit);
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });

  function drawLines(person, account, chat) {
    const fresh = drawn.openid !== person.openid || (chat.length && chat[0].id > drawn.last) || chat.length < drawn.lines.length;
    if (fresh) {
      drawn = { ...drawn, openid: person.openid, last: 0, lines: [] };
      lines.replaceChildren();
    }
    const nearEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 160;
    for (const line of chat.filter((one) => one.id > drawn.last)) {
      const time = timeBefore(line, drawn.lines.at(-1));
      if (time) lines.append(time);
      lines.append(drawLine(line, person, account, actions));
      drawn.lines.push(line);
      drawn.last = line.id;
    }
    if (fresh || nearEnd) requestAnimationFrame(toEnd);
  }

  function update({ person, account, chat, menu }) {
    title.textContent = person.typing ? texts.typing : account.name;
    drawLines(person, account, chat);
    const key = JSON.stringify(menu);
    if (drawn.menuKey !== key) {
      writing = !menu;
      drawn = { ...drawn, menu, menuKey: key };
      bar.replaceChildren(...(menu?.button ?? []).map((entry, place) => menuButton(entry, place, actions)));
    }
    layOut();
  }

  return { node, update };
}

function extraButtons(actions) {
  const tile = (name, label, act) => el("button", { type: "button", onclick: act }, el("span", {}, icon(name)), label);
  const pictureOf = () => `/static/simulator/avatars/${["fox", "panda", "cat", "owl"][Math.floor(Math.random() * 4)]}.svg`;
  return [
    tile("scan", texts.scan, () => actions.go("scan")),
    tile("picture", texts.picture, () => actions.act("picture", { picture: pictureOf() })),
    tile("place", texts.place, () => actions.act("location", PLACES[Math.floor(Math.random() * PLACES.length)])),
    tile("voice", texts.voice, () => actions.act("voice", { recognition: texts.voiceSample })),
  ];
}

function menuButton(entry, place, actions) {
  const subs = entry.sub_button ?? [];
  if (!subs.length) return el("button", { type: "button", onclick: () => actions.act("click", { path: [place] }) }, clean(entry.name));
  const list = el("div", { class: "sub-menu", hidden: true }, ...subs.map((sub, number) =>
    el("button", { type: "button", onclick: () => { list.hidden = true; actions.act("click", { path: [place, number] }); } }, clean(sub.name))));
  const opener = el("button", { type: "button", "aria-haspopup": "true", onclick: () => { const show = list.hidden; closeMenus(); list.hidden = !show; } }, icon("menu"), clean(entry.name));
  return el("div", { class: "with-sub" }, opener, list);
}

function closeMenus() {
  for (const open of document.querySelectorAll(".sub-menu")) open.hidden = true;
}

document.addEventListener("click", (event) => { if (!event.target.closest(".with-sub")) closeMenus(); });
