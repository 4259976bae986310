// The conversation with the account: its lines, the menu, and the box to write in.

import { button, el, icon, texts } from "./dom.js";
import { askPhotos, askPlace } from "./drawer.js";
import { drawLine, timeBefore } from "./lines.js";
import { drawMenu } from "./menu.js";

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
  let atEnd = true;
  let drawn = { openid: null, menu: null, last: 0, lines: [] };

  const toEnd = () => { lines.scrollTop = lines.scrollHeight; };
  const isNearEnd = () => lines.scrollHeight - lines.scrollTop - lines.clientHeight < 160;

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

  // Pictures take their room only when they have arrived.
  lines.addEventListener("load", () => { if (atEnd) toEnd(); }, true);
  lines.addEventListener("scroll", () => { atEnd = isNearEnd(); });
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
    const nearEnd = isNearEnd();
    for (const line of chat.filter((one) => one.id > drawn.last)) {
      const time = timeBefore(line, drawn.lines.at(-1));
      if (time) lines.append(time);
      lines.append(drawLine(line, person, account, actions));
      drawn.lines.push(line);
      drawn.last = line.id;
    }
    atEnd = fresh || nearEnd;
    if (atEnd) requestAnimationFrame(toEnd);
  }

  function update({ person, account, chat, menu }) {
    title.textContent = person.typing ? texts.typing : account.name;
    drawLines(person, account, chat);
    const key = JSON.stringify(menu);
    if (drawn.menuKey !== key) {
      writing = !menu;
      drawn = { ...drawn, menu, menuKey: key };
      bar.replaceChildren(...drawMenu(menu, actions));
    }
    layOut();
  }

  return { node, update };
}

function extraButtons(actions) {
  const tile = (name, label, act) => el("button", { type: "button", onclick: act }, el("span", {}, icon(name)), label);
  const send = async (action, ask, fields) => { const answer = await ask(); if (answer) actions.act(action, fields(answer)); };
  return [
    tile("scan", texts.scan, () => actions.go("scan")),
    tile("picture", texts.picture, () => send("picture", () => askPhotos(texts.album), ({ pictures }) => ({ picture: pictures[0] }))),
    tile("place", texts.place, () => send("location", askPlace, (place) => place)),
    tile("voice", texts.voice, () => actions.act("voice", { recognition: texts.voiceSample })),
  ];
}
