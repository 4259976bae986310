// The page's loop: wait for a change, fetch what is new, draw it. Holds which screen the phone shows.

import { call, get, post } from "./api.js";
import { drawBench, followJournal } from "./bench.js";
import { conversation } from "./conversation.js";
import { clockTime, el, texts } from "./dom.js";
import { browser, home, profile, scanner } from "./screens.js";

const PAUSE = 250; // ms between two rounds at least
const screen = document.getElementById("screen");
const toastBox = document.getElementById("toast");
let world = null;
let shown = "home";
let before = "home";
let toastTimer = null;

const actions = {
  go(name) {
    const next = name === "back" ? before : name;
    if (next !== shown) before = shown;
    if (shown === "browser" && next !== "browser") screens.browser.leave();
    shown = next;
    screen.replaceChildren(screens[shown].node);
    if (world) screens[shown].update(world);
    if (shown === "chat") markRead();
  },
  async act(action, body = {}) {
    const outcome = await guarded(() => post(`/actions/${action}`, { openid: world.person.openid, ...body }));
    if (outcome?.result === "open") actions.open(outcome.url);
    return outcome;
  },
  async scan(code) {
    const outcome = await actions.act("scan", code);
    if (outcome?.result === "follow_page") actions.go("profile");
    else if (outcome) actions.go(world.person.follows ? "chat" : "home");
    if (outcome?.result === "expired") toast(texts.codeExpired);
  },
  async follow() {
    if (await actions.act("follow")) actions.go("chat");
  },
  async unfollow() {
    if (await actions.act("unfollow")) actions.go("home");
  },
  async dismiss() {
    if (world.person.pending) await actions.act("dismiss");
    actions.go(world.person.follows ? "chat" : "home");
  },
  open(url) {
    if (!/^https?:\/\//i.test(url)) { toast(texts.noPage); return; }
    actions.go("browser");
    screens.browser.open(url);
  },
  async choose(openid) {
    await guarded(() => call("PUT", "/chosen", { openid }));
    actions.go("home");
    await refresh();
    if (world.person?.follows) actions.go("chat");
    showTab("phone");
  },
  say: (text) => toast(text),
  guarded,
};

const screens = { home: home(actions), chat: conversation(actions), scan: scanner(actions), profile: profile(actions), browser: browser(actions) };

async function guarded(attempt) {
  try {
    return await attempt();
  } catch (error) {
    toast(error.message);
    return null;
  }
}

function toast(text) {
  toastBox.textContent = text;
  toastBox.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toastBox.hidden = true; }, 2600);
}

function markRead() {
  if (world?.person?.unread) get(`/persons/${encodeURIComponent(world.person.openid)}/chat?read=1`);
}

async function refresh() {
  const state = await get("/state");
  const known = world?.person?.openid;
  const openid = state.chosen;
  const chat = openid ? await get(`/persons/${encodeURIComponent(openid)}/chat`) : null;
  world = { state, codesSeq: state.codes, person: chat?.person ?? null, chat: chat?.chat ?? [], menu: chat?.menu ?? null, notices: chat?.notices ?? [] };
  world.account = state.accounts.find((account) => account.appid === world.person?.appid) ?? state.accounts[0];
  drawBench(world, actions);
  if (!world.person) { screen.replaceChildren(welcome()); return; }
  const pending = world.person.pending && !["profile", "scan"].includes(shown);
  if (known !== openid || pending || !screen.firstChild?.classList?.contains("view")) actions.go(startScreen(pending));
  screens[shown].update(world);
  if (shown === "chat") markRead();
}

function startScreen(pending) {
  if (pending) return "profile";
  return world.person.follows ? "chat" : "home";
}

function welcome() {
  return el("div", { class: "welcome" }, el("img", { src: "/static/simulator/account.svg", alt: "", class: "avatar big" }),
    el("p", {}, texts.nobody), el("button", { type: "button", class: "button large", onclick: () => actions.guarded(() => post("/persons", { appid: world.account.appid })).then(refresh) }, texts.firstPerson));
}

function showTab(name) {
  document.querySelector(".bench").dataset.tab = name;
  for (const tab of document.querySelectorAll(".tabs button")) tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
}

for (const tab of document.querySelectorAll(".tabs button")) tab.addEventListener("click", () => showTab(tab.dataset.tab));

function tick() {
  document.getElementById("phone-time").textContent = clockTime(Date.now() / 1000 + (world?.state.offset ?? 0));
}

async function loop() {
  for (;;) {
    try {
      await refresh();
      await followJournal();
      document.body.classList.remove("away");
      await get(`/changes?since=${world.state.seq}&wait=20`);
    } catch {
      document.body.classList.add("away");
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

setInterval(tick, 1000);
tick();
loop();
