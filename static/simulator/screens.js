// The other screens of the phone: the list of chats, the scanner, the account's profile, the browser.

import { get } from "./api.js";
import { askFriend } from "./drawer.js";
import { button, clean, clockTime, el, fill, icon, portrait, texts } from "./dom.js";

export function home(actions) {
  const rows = el("ul", { class: "chats" });
  const node = el("div", { class: "view home" },
    el("header", { class: "nav" }, el("span", { class: "spacer" }), el("h2", {}, texts.wechat), button(texts.scan, icon("scan"), () => actions.go("scan"))),
    rows);

  function update({ person, account }) {
    const last = person.last;
    const said = last ? clean(last.text ?? last.articles?.[0]?.title ?? last.title ?? `[${last.kind}]`) : texts.noMessages;
    const face = el("span", { class: "face" }, portrait("/static/simulator/account.svg"), person.unread ? el("b", {}, String(person.unread)) : null);
    const row = el("button", { type: "button", onclick: () => actions.go(person.follows ? "chat" : "profile") }, face,
      el("span", { class: "words" }, el("strong", {}, account.name), el("span", {}, person.follows ? said : texts.notFollowed)),
      el("time", {}, last ? clockTime(last.time) : ""));
    const friends = (person.received ?? []).map((card) => el("li", {}, received(card, actions)));
    rows.replaceChildren(el("li", {}, row), ...friends);
  }
  return { node, update };
}

// A card that a friend has sent.
function received(card, actions) {
  const cover = /^https?:/i.test(card.picture) ? portrait(card.picture) : el("span", { class: "avatar blank" }, icon("page"));
  return el("button", { type: "button", onclick: () => actions.open(card.link) }, cover,
    el("span", { class: "words" }, el("strong", {}, fill(texts.fromFriend, { name: clean(card.from) })), el("span", {}, clean(card.title || card.link))),
    el("time", {}, clockTime(card.time)));
}

export function scanner(actions) {
  const address = el("input", { name: "url", autocomplete: "off", placeholder: texts.pasteCode, "aria-label": texts.pasteCode });
  const form = el("form", { class: "paste" }, address, el("button", { class: "button" }, texts.scan));
  const list = el("ul", { class: "codes" });
  const node = el("div", { class: "view scanner" },
    el("header", { class: "nav dark" }, button(texts.back, icon("back"), () => actions.go("back")), el("h2", {}, texts.scan), el("span", { class: "spacer" })),
    el("div", { class: "finder", "aria-hidden": "true" }, el("i")), form, el("h3", {}, texts.recentCodes), list);
  let loadedAt = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const value = address.value.trim();
    if (value) actions.scan(value.includes("/") && value.startsWith("http") ? { url: value } : { ticket: value });
    address.value = "";
  });

  async function load(account) {
    const { codes } = await get("/codes?limit=12");
    const own = codes.filter((code) => code.appid === account.appid);
    list.replaceChildren(...own.map((code) => el("li", {}, codeRow(code))));
    if (!own.length) list.replaceChildren(el("li", { class: "hint" }, texts.noCodes));
  }

  function codeRow(code) {
    const gone = code.seconds !== null && code.seconds <= 0;
    const left = code.seconds === null ? texts.permanent : gone ? texts.expired : fill(texts.expiresIn, { time: duration(code.seconds) });
    const image = el("img", { alt: "", loading: "lazy", src: `${new URL(code.url).pathname}.svg` });
    return el("button", { type: "button", class: gone ? "gone" : "", onclick: () => actions.scan({ ticket: code.ticket }) }, image,
      el("span", { class: "words" }, el("strong", {}, clean(code.scene)), el("span", {}, left)));
  }

  function update({ account, codesSeq }) {
    if (loadedAt === codesSeq) return;
    loadedAt = codesSeq;
    load(account);
  }
  return { node, update };
}

export function duration(seconds) {
  if (seconds < 100) return fill(texts.seconds, { number: Math.ceil(seconds) });
  if (seconds < 7200) return fill(texts.minutes, { number: Math.round(seconds / 60) });
  return fill(texts.hours, { number: Math.round(seconds / 3600) });
}

export function profile(actions) {
  const name = el("h2");
  const about = el("p");
  const main = el("button", { type: "button", class: "button large" });
  const leave = el("button", { type: "button", class: "button quiet", onclick: () => actions.unfollow() }, texts.unfollow);
  const scanned = el("p", { class: "scanned" }, texts.scannedCode);
  const notices = el("section", { class: "notices" });
  const node = el("div", { class: "view profile" },
    el("header", { class: "nav" }, button(texts.back, icon("back"), () => actions.dismiss()), el("span", { class: "spacer" })),
    el("div", { class: "sheet" }, portrait("/static/simulator/account.svg", "avatar big"), name, about, scanned, main, leave),
    notices);

  function noticeRow({ id, title, left }) {
    const wish = left === -1 ? texts.noticeAlways : left ? fill(texts.noticeLeft, { number: left }) : texts.noticeNone;
    const choice = (label, action) => el("button", { type: "button", onclick: () => actions.act(action, { template_id: id }) }, label);
    return el("li", {}, el("span", { class: "words" }, el("strong", {}, clean(title)), el("span", {}, wish)),
      left !== -1 ? choice(texts.allow, "allow_notice") : null, left ? choice(texts.switchOff, "withdraw_notice") : choice(texts.refuse, "refuse_notice"));
  }

  function update({ person, account, notices: list }) {
    notices.hidden = !list.length || Boolean(person.pending);
    notices.replaceChildren(el("h3", {}, texts.subscriptionNotices), el("ul", {}, ...list.map(noticeRow)));
    name.textContent = account.name;
    about.textContent = `${account.kind.includes("subscription") ? texts.subscriptionAccount : texts.serviceAccount} · ${account.original_id}`;
    scanned.hidden = !person.pending;
    leave.hidden = !person.follows;
    main.textContent = person.follows ? texts.enter : texts.follow;
    main.onclick = () => (person.follows ? actions.go("chat") : actions.follow());
  }
  return { node, update };
}

// A browser inside the phone. A site that forbids frames is opened in a tab of its own instead.
export function browser(actions) {
  const host = el("h2");
  // A page cannot see the phone's user agent in a frame; its name says that this is WeChat.
  const frame = el("iframe", { title: texts.page, referrerPolicy: "no-referrer", name: "MicroMessenger" });
  const refused = el("div", { class: "refused", hidden: true });
  const tab = el("a", { target: "_blank", rel: "noopener noreferrer", "aria-label": texts.openTab, title: texts.openTab }, icon("out"));
  const back = button(texts.back, icon("back"), () => step(-1));
  const forward = button(texts.forward, icon("forward"), () => step(1));
  const node = el("div", { class: "view browser" },
    el("header", { class: "nav" }, button(texts.close, icon("close"), () => actions.go("back")), host, tab, button(texts.share, icon("more"), share)),
    frame, refused, el("footer", { class: "steps" }, back, forward));
  let place = { at: 0, of: 0, moving: true };
  let card = null; // what the page in the frame wants to look like when it is passed on

  // The stand-in for WeChat's script tells it, once the simulator has found the page's signature right.
  window.addEventListener("message", ({ source, data }) => {
    if (source === frame.contentWindow && data?.call === "updateAppMessageShareData") card = data.wxCard;
  });

  async function share() {
    const to = await askFriend();
    if (!to) return;
    const shown = { title: card?.title ?? "", desc: card?.desc ?? "", link: card?.link ?? tab.href, picture: card?.imgUrl ?? "" };
    if (await actions.act("share", { ...shown, to: to.openid })) actions.say(fill(texts.sentTo, { name: clean(to.nickname) }));
  }

  function step(by) {
    if (place.at + by < 0 || place.at + by > place.of) return;
    place = { ...place, at: place.at + by, moving: true };
    if (by < 0) history.back(); else history.forward();
    marks();
  }

  function marks() {
    back.disabled = place.at === 0;
    forward.disabled = place.at === place.of;
  }

  frame.addEventListener("load", () => {
    if (!place.moving) place = { at: place.at + 1, of: place.at + 1, moving: false };
    place.moving = false;
    marks();
  });

  async function open(url) {
    place = { at: 0, of: 0, moving: true };
    card = null;
    marks();
    host.textContent = new URL(url).host;
    tab.href = url;
    refused.hidden = true;
    frame.hidden = false;
    const { framed } = await get(`/framing?url=${encodeURIComponent(url)}`);
    if (framed) { frame.src = url; return; }
    frame.hidden = true;
    refused.hidden = false;
    refused.replaceChildren(icon("page"), el("p", {}, texts.framesRefused),
      el("a", { class: "button", href: url, target: "_blank", rel: "noopener noreferrer" }, texts.openTab));
  }

  function leave() { frame.removeAttribute("src"); }
  return { node, update() {}, open, leave };
}
