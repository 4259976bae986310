// What stands around the phone: persons, faults, journal.

import { call, get, post } from "./api.js";
import { avatars, clean, clockTime, el, fill, icon, portrait, texts } from "./dom.js";
import { duration } from "./screens.js";

const ROWS = 150;
const SEND = "/cgi-bin/message/custom/send";
const byId = (id) => document.getElementById(id);
let journalSeq = 0;
let drawnAt = 0;
let current = null;

// What a kind of fault wants to know besides where and how often.
const FIELDS = { errcode: ["errcode"], status: ["status"], slow: ["seconds"], hang: ["seconds"], late: ["seconds"], swap: ["seconds"], timestamp: ["seconds"], copies: ["count"] };

const PRESETS = [
  { label: texts.presetRevoked, tokens: "revoke" },
  { label: texts.presetExpired, tokens: "expire" },
  { label: texts.presetWindow, fault: { path: SEND, kind: "errcode", errcode: 45015, calls: 1 } },
  { label: texts.presetBusy, fault: { path: SEND, kind: "errcode", errcode: -1, calls: 3 } },
  { label: texts.presetAddress, fault: { path: "/cgi-bin/*", kind: "errcode", errcode: 40164, calls: 1 } },
  { label: texts.presetField, fault: { path: "/cgi-bin/message/template/send", kind: "errcode", errcode: 47003, calls: 1 } },
  { label: texts.presetQuota, fault: { path: SEND, kind: "errcode", errcode: 45009, calls: 1 } },
  { label: texts.presetLost, fault: { path: SEND, kind: "lost", calls: 1 } },
  { label: texts.presetSlow, fault: { path: "*", kind: "slow", seconds: 4 } },
  { label: texts.presetDown, fault: { path: "*", kind: "down" } },
  { label: texts.presetRefuse, listener: 15 },
  { label: texts.presetCopies, fault: { event: "*", kind: "copies", count: 4, pushes: 1 } },
  { label: texts.presetLate, fault: { event: "*", kind: "late", seconds: 8, pushes: 1 } },
];

// Draws all panels. `world` is what phone.js fetched.
export function drawBench(world, actions) {
  current = { world, actions };
  drawnAt = performance.now();
  drawAccounts(world);
  drawFigures(world.state);
  drawPersons(world, actions);
  drawFaults(world.state, actions);
}

function drawAccounts({ state, account }) {
  const choice = byId("account");
  const wanted = state.accounts.map((one) => `${one.name} · ${one.appid}`);
  if (choice.options.length !== wanted.length || wanted.some((text, place) => choice.options[place].text !== text)) {
    choice.replaceChildren(...state.accounts.map((one, place) => el("option", { value: one.appid }, wanted[place])));
  }
  choice.value = account.appid;
  choice.parentElement.hidden = state.accounts.length < 2;
}

function drawFigures(state) {
  const numbers = [[texts.pushes, state.counters.pushes], [texts.messages, state.counters.messages], [texts.templateMessages, state.counters.template_messages], [texts.tokenFetches, state.counters.token_fetches], [texts.fetchPeak, state.counters.fetch_peak]];
  const parts = numbers.map(([name, number]) => el("span", {}, `${name} `, el("b", {}, String(number ?? 0))));
  if (state.offset) parts.push(el("span", { class: "shifted" }, fill(texts.clockShifted, { seconds: Math.round(state.offset) })));
  byId("figures").replaceChildren(...parts);
}

function drawPersons({ state, person, account }, actions) {
  const own = state.persons.filter((one) => one.appid === account.appid);
  byId("persons").replaceChildren(...own.map((one) => personRow(one, one.openid === person?.openid, actions)));
  byId("persons-more").hidden = state.persons_total <= state.persons.length;
  byId("persons-more").textContent = fill(texts.morePersons, { number: state.persons_total - state.persons.length });
}

function personRow(one, chosen, actions) {
  const facts = [one.follows ? texts.follows : texts.notFollowed, ...(one.muted ? [texts.muted] : []), ...(one.blacklisted ? [texts.blacklisted] : [])];
  const windows = Object.entries(one.windows).map(([kind, { left, seconds }]) =>
    el("span", { class: left ? "window" : "window spent", "data-seconds": seconds, "data-text": `${texts[`window_${kind}`]} ${left} · ` }, ""));
  const row = el("button", { type: "button", class: "person", "aria-pressed": String(chosen), onclick: () => actions.choose(one.openid) },
    portrait(one.avatar), el("span", { class: "words" }, el("strong", {}, clean(one.nickname)), el("span", { class: one.follows ? "follows" : "" }, facts.join(" · ")), el("span", { class: "windows" }, ...windows)),
    one.unread ? el("b", { class: "badge" }, String(one.unread)) : null);
  if (!chosen) return el("li", {}, row);
  const change = (field, value) => actions.guarded(() => call("PATCH", `/persons/${encodeURIComponent(one.openid)}`, { [field]: value }));
  const choices = el("div", { class: "choices" },
    el("button", { type: "button", onclick: () => actions.act(one.follows ? "unfollow" : "follow") }, one.follows ? texts.unfollow : texts.follow),
    el("button", { type: "button", "aria-pressed": String(one.muted), onclick: () => change("muted", !one.muted) }, texts.mute),
    el("button", { type: "button", "aria-pressed": String(one.blacklisted), onclick: () => change("blacklisted", !one.blacklisted) }, texts.blacklist));
  return el("li", { class: "chosen" }, row, choices);
}

// Windows run out while nothing else happens: count them down here.
function countDown() {
  const passed = (performance.now() - drawnAt) / 1000;
  for (const chip of document.querySelectorAll(".window")) {
    const left = chip.dataset.seconds - passed;
    chip.hidden = left <= 0;
    chip.textContent = chip.dataset.text + duration(left);
  }
}
setInterval(countDown, 500);

function drawFaults(state, actions) {
  const rows = state.faults.map((fault) => el("li", {},
    el("span", {}, el("strong", {}, faultName(fault)), ` ${fault.match}`, fault.remaining === null ? "" : ` ×${fault.remaining}`),
    el("button", { type: "button", "aria-label": texts.clear, title: texts.clear, onclick: () => actions.guarded(() => call("DELETE", `/faults/${fault.id}`)) }, icon("close"))));
  if (state.faults.length > 1) {
    rows.push(el("li", { class: "all" }, el("button", { type: "button", class: "button quiet", onclick: () => actions.guarded(() => call("DELETE", "/faults")) }, texts.clearAll)));
  }
  byId("faults").replaceChildren(...rows);
}

function faultName(fault) {
  if (fault.kind === "errcode") return String(fault.errcode);
  if (fault.kind === "status") return `HTTP ${fault.status}`;
  const kind = fault.effect && fault.kind === "close" ? "lost" : fault.kind;
  return texts[`fault_${kind}`] ?? kind;
}

function setPreset(preset) {
  const { world, actions } = current;
  if (preset.tokens) return actions.guarded(() => post(`/accounts/${world.account.appid}/tokens`, { action: preset.tokens }));
  if (preset.listener) return actions.guarded(() => post("/listener", { seconds: preset.listener }));
  return actions.guarded(() => post("/faults", preset.fault));
}

byId("presets").replaceChildren(...PRESETS.map((preset) => el("button", { type: "button", onclick: () => setPreset(preset) }, preset.label)));

byId("avatar-choice").replaceChildren(...avatars.map((source, place) =>
  el("label", {}, el("input", { type: "radio", name: "avatar", value: source, checked: place === 0 }), portrait(source))));

byId("new-person").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const nickname = form.nickname.value.trim();
  const body = { appid: current.world.account.appid, avatar: new FormData(form).get("avatar"), ...(nickname ? { nickname } : {}) };
  const made = await current.actions.guarded(() => post("/persons", body));
  form.nickname.value = "";
  if (made) current.actions.choose(made.persons[0].openid);
});

byId("account").addEventListener("change", async (event) => {
  const appid = event.target.value;
  const first = current.world.state.persons.find((one) => one.appid === appid);
  const person = first ?? (await post("/persons", { appid })).persons[0];
  current.actions.choose(person.openid);
});

// The form for any fault: the kinds come from the simulator itself.
async function drawFaultForm() {
  const { kinds } = await get("/faults");
  const form = byId("new-fault");
  const options = (scope) => el("optgroup", { label: scope === "call" ? texts.calls : texts.pushes }, ...Object.keys(kinds[scope]).map((kind) => el("option", { value: `${scope}:${kind}` }, texts[`fault_${kind}`] ?? kind)));
  const kind = el("select", { name: "kind" }, options("call"), options("push"));
  const field = (name, label, value = "") => el("label", { "data-field": name }, label, el("input", { name, value, autocomplete: "off" }));
  const choose = () => {
    const wanted = FIELDS[kind.value.split(":")[1]] ?? [];
    for (const label of form.querySelectorAll("[data-field]")) label.hidden = !["match", "remaining", ...wanted].includes(label.dataset.field);
  };
  kind.addEventListener("change", choose);
  form.replaceChildren(el("label", {}, texts.kind, kind), field("match", texts.match, "*"), field("remaining", texts.times, "1"), field("errcode", "errcode", "40001"),
    field("status", "HTTP", "502"), field("seconds", texts.waitSeconds, "5"), field("count", texts.copies, "3"), el("button", { class: "button" }, texts.setFault));
  choose();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const [scope, name] = data.get("kind").split(":");
    const numbers = Object.fromEntries((FIELDS[name] ?? []).map((field) => [field, Number(data.get(field))]));
    const remaining = data.get("remaining") ? Number(data.get("remaining")) : null;
    current.actions.guarded(() => post("/faults", { scope, kind: name, match: data.get("match") || "*", remaining, ...numbers, ...(name === "token" ? { length: 512 } : {}) }));
  });
}
drawFaultForm();

export async function followJournal() {
  const kind = byId("journal-kind").value;
  const { seq, entries } = await get(`/journal?since=${journalSeq}&limit=${ROWS}${kind ? `&kind=${kind}` : ""}`);
  journalSeq = seq;
  const list = byId("journal");
  for (const entry of entries.filter((one) => kind || one.kind !== "chat")) {
    list.querySelector(`[data-id="${entry.id}"]`)?.remove();
    list.prepend(journalRow(entry));
  }
  while (list.children.length > ROWS) list.lastChild.remove();
  byId("journal-empty").hidden = list.children.length > 0;
}

byId("journal-kind").addEventListener("change", () => {
  journalSeq = 0;
  byId("journal").replaceChildren();
  followJournal();
});

function journalRow(entry) {
  const details = el("pre");
  const row = el("details", {}, el("summary", {}, el("time", {}, clockTime(entry.time, { full: true })), el("span", { class: `tag kind-${entry.kind}` }, texts[`kind_${entry.kind}`] ?? entry.kind), el("span", { class: "what" }, what(entry)), result(entry)), details);
  row.addEventListener("toggle", () => { details.textContent = row.open ? JSON.stringify(entry, null, 2) : ""; });
  return el("li", { "data-id": entry.id }, row);
}

function what(entry) {
  switch (entry.kind) {
    case "call": return entry.endpoint;
    case "push": return `${entry.event}${entry.attempts.length > 1 ? ` ×${entry.attempts.length}` : ""}`;
    case "message": return `${entry.message.msgtype} → ${entry.openid}`;
    case "code": return entry.scene;
    case "template": return `${clean(entry.title ?? entry.added ?? entry.deleted)}${entry.openid ? ` → ${entry.openid}` : ""}`;
    case "media": return `${entry.type} ${clean(entry.name)}`;
    case "fault": return entry.path ? `${entry.path} ${entry.latency} s` : entry.fault ? `${faultName(entry.fault)} ${entry.fault.match}` : texts.cleared;
    case "page": return entry.errmsg;
    case "card": return clean(entry.card.title);
    case "share": return `${clean(entry.title)} → ${entry.to}`;
    case "menu": return fill(texts.buttons, { number: entry.buttons });
    default: return entry.openid ?? (entry.added ? `+${entry.added}` : "");
  }
}

function result(entry) {
  if (entry.kind === "call") return el("b", { class: entry.errcode === 0 ? "good" : "bad" }, entry.fault ? entry.fault : String(entry.errcode ?? "—"));
  if (entry.kind === "push") return el("b", { class: { accepted: "good", reply: "good", waiting: "" }[entry.outcome] ?? "bad" }, texts[`outcome_${entry.outcome}`] ?? entry.outcome);
  return el("b");
}
