// A sheet that slides up from the bottom of the phone and asks for one thing: what is scanned, which photos, where.

import { get, post } from "./api.js";
import { clean, el, icon, photos, texts } from "./dom.js";

export const PLACES = [
  { latitude: "31.230416", longitude: "121.473701", label: "上海市黄浦区人民大道" },
  { latitude: "30.572816", longitude: "104.066801", label: "成都市武侯区天府大道" },
  { latitude: "39.908692", longitude: "116.397477", label: "北京市东城区长安街1号" },
];
const BARCODE = "EAN_13,6901234567892";

// Resolves with what `draw(done)` hands to `done`, or with null when the person changes their mind.
function ask(title, draw) {
  return new Promise((resolve) => {
    const done = (answer) => { over.remove(); document.removeEventListener("keydown", onKey); resolve(answer); };
    const onKey = (event) => { if (event.key === "Escape") done(null); };
    const sheet = el("div", { class: "drawer", role: "dialog", "aria-modal": "true", "aria-label": title },
      el("header", {}, el("h3", {}, title), el("button", { type: "button", "aria-label": texts.cancel, title: texts.cancel, onclick: () => done(null) }, icon("close"))), ...draw(done));
    const over = el("div", { class: "drawer-over", onclick: (event) => { if (event.target === over) done(null); } }, sheet);
    document.getElementById("screen").append(over);
    document.addEventListener("keydown", onKey);
    sheet.querySelector("input, .photos button, .rows button")?.focus({ preventScroll: true });
  });
}

const row = (name, main, small, onclick) => el("li", {}, el("button", { type: "button", onclick }, icon(name), el("span", { class: "words" }, el("strong", {}, main), el("span", {}, small))));

// What the scan tool of a menu button sees: an address, a barcode, or one of the account's own codes.
export async function askScan() {
  const { codes } = await get("/codes?limit=3");
  return ask(texts.scanWhat, (done) => {
    const box = el("input", { autocomplete: "off", placeholder: texts.scanPlaceholder, "aria-label": texts.scanPlaceholder });
    const form = el("form", { class: "paste" }, box, el("button", { class: "button" }, texts.scan));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = box.value.trim();
      if (text) done({ scan_result: text, scan_type: /^[A-Z0-9_]+,\d+$/.test(text) ? "barcode" : "qrcode" });
    });
    const rows = codes.map((code) => row("scan", clean(code.scene), code.url, () => done({ scan_result: code.url, scan_type: "qrcode" })));
    const barcode = row("list", texts.barcode, BARCODE, () => done({ scan_result: BARCODE, scan_type: "barcode" }));
    return [form, el("ul", { class: "rows" }, ...rows, barcode)];
  });
}

export function askPlace() {
  return ask(texts.choosePlace, (done) => [el("ul", { class: "rows" }, ...PLACES.map((place) => row("place", place.label, `${place.latitude}, ${place.longitude}`, () => done(place))))]);
}

// At most `most` photos; a single one is sent at once.
export function askPhotos(title, most = 1) {
  return ask(title, (done) => {
    const chosen = new Set();
    const send = el("button", { type: "button", class: "button large", disabled: true, onclick: () => done({ pictures: [...chosen] }) }, texts.send);
    const tile = (source, place) => el("button", { type: "button", "aria-pressed": "false", "aria-label": `${texts.picture} ${place + 1}`, onclick: (event) => pick(event.currentTarget, source) }, el("img", { alt: "", src: source }));
    function pick(button, source) {
      if (most === 1) { done({ pictures: [source] }); return; }
      if (!chosen.delete(source)) chosen.add(source);
      button.setAttribute("aria-pressed", String(chosen.has(source)));
      send.disabled = !chosen.size;
      send.textContent = chosen.size ? `${texts.send} (${chosen.size})` : texts.send;
    }
    return [el("div", { class: "photos" }, ...photos.map(tile)), most > 1 ? send : null].filter(Boolean);
  });
}

// To whom a page is sent: another person of the account, or one who is made up for it.
export async function askFriend() {
  const { persons, chosen } = await get("/state");
  const me = persons.find((person) => person.openid === chosen);
  const others = persons.filter((person) => person.openid !== chosen && person.appid === me?.appid).slice(0, 20);
  const somebody = await ask(texts.sendTo, (done) => {
    const rows = others.map((person) => row("person", clean(person.nickname), person.follows ? texts.follows : texts.notFollowed, () => done(person)));
    return [el("ul", { class: "rows" }, ...rows, row("plus", texts.newFriend, texts.notFollowed, () => done({})))];
  });
  if (!somebody || somebody.openid) return somebody;
  const { persons: [made] } = await post("/persons", { appid: me.appid });
  return made;
}
