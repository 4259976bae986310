// The account's menu at the bottom of a chat: up to three buttons, sub menus that open upwards, and what a tap asks for.

import { clean, el, icon, texts } from "./dom.js";
import { askPhotos, askPlace, askScan } from "./drawer.js";

const TOP = 8, SUB = 16; // widths that WeChat shows of a name; a Chinese character counts two
const WIDE = /[\u1100-\uffff]|[\u{10000}-\u{1ffff}]/u;
const ASKS = {
  scancode_push: askScan,
  scancode_waitmsg: askScan,
  pic_sysphoto: () => askPhotos(texts.takePhoto),
  pic_photo_or_album: () => askPhotos(texts.photoOrAlbum, 9),
  pic_weixin: () => askPhotos(texts.album, 9),
  location_select: askPlace,
};

export function drawMenu(menu, actions) {
  return (menu?.button ?? []).map((entry, place) => menuButton(entry, place, actions));
}

function menuButton(entry, place, actions) {
  const subs = entry.sub_button ?? [];
  if (!subs.length) return el("button", { type: "button", title: clean(entry.name), onclick: () => tap(entry, [place], actions) }, shorten(entry.name, TOP));
  const list = el("div", { class: "sub-menu", role: "menu", hidden: true }, ...subs.map((sub, number) =>
    el("button", { type: "button", role: "menuitem", title: clean(sub.name), onclick: () => { closeMenus(); tap(sub, [place, number], actions); } }, shorten(sub.name, SUB))));
  const opener = el("button", { type: "button", title: clean(entry.name), "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => toggle(list, opener) }, icon("menu"), el("span", {}, shorten(entry.name, TOP)));
  return el("div", { class: "with-sub" }, opener, list);
}

// A name as WeChat shows it: cut, with an ellipsis.
export function shorten(name, limit) {
  const letters = [...clean(name)];
  const width = (letter) => (WIDE.test(letter) ? 2 : 1);
  if (letters.reduce((sum, letter) => sum + width(letter), 0) <= limit) return letters.join("");
  let left = limit;
  return `${letters.filter((letter) => (left -= width(letter)) >= 0).join("")}…`;
}

async function tap(button, path, actions) {
  const ask = ASKS[button.type];
  const answer = ask ? await ask() : {};
  if (!answer) return;
  const outcome = await actions.act("click", { path, ...answer });
  if (outcome?.result === "miniprogram") actions.say(`${texts.miniprogram} ${clean(button.appid)}\n${clean(button.pagepath)}`);
  if (outcome && button.type === "scancode_waitmsg") actions.say(texts.receiving);
}

function toggle(list, opener) {
  const show = list.hidden;
  closeMenus();
  list.hidden = !show;
  opener.setAttribute("aria-expanded", String(show));
}

export function closeMenus() {
  for (const open of document.querySelectorAll(".sub-menu:not([hidden])")) {
    open.hidden = true;
    open.previousElementSibling.setAttribute("aria-expanded", "false");
  }
}

document.addEventListener("click", (event) => { if (!event.target.closest(".with-sub")) closeMenus(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(); });
