// A conversation: new lines and the windows come by themselves, the box sends without leaving the page, and what is typed
// survives everything but the closing of the tab. The page works without this script by reloading it.
const root = document.getElementById("conversation");
const log = root.querySelector(".cv-lines");
const side = root.querySelector("[data-windows]");
const box = root.querySelector(".cv-box");
const draft = `conversation-${root.dataset.id}`;
const EVERY = 3000;
const TYPING_EVERY = 5000;
let polling = false;
let failures = 0;
let lastTyping = 0;
let typingEnds = false;
let sending = Promise.resolve();

class SignedOut extends Error {}

async function ask(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers }, credentials: "same-origin" });
  if (!(response.headers.get("Content-Type") || "").includes("json")) {
    throw response.redirected || response.status === 403 ? new SignedOut() : new Error(String(response.status));
  }
  return response.json();
}

function atEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function toEnd() {
  log.scrollTop = log.scrollHeight;
}

function made(line) {
  const turn = document.createElement("div");
  turn.className = "cv-turn";
  turn.dataset.key = line.key;
  turn.dataset.day = line.day;
  turn.innerHTML = line.html; // the server has escaped it
  return turn;
}

function dayMark(day) {
  const mark = document.createElement("p");
  mark.className = "cv-day";
  mark.append(Object.assign(document.createElement("span"), { textContent: day }));
  return mark;
}

function merge(lines) {
  const stay = !atEnd();
  for (const line of lines) {
    const fresh = made(line);
    const known = log.querySelector(`.cv-turn[data-key="${line.key}"]`);
    if (known) {
      if (known.innerHTML !== fresh.innerHTML) known.replaceWith(fresh);
      continue;
    }
    const last = [...log.querySelectorAll(".cv-turn")].pop();
    if (!last || last.dataset.day !== line.day) log.append(dayMark(line.day));
    log.append(fresh);
  }
  if (lines.length) log.querySelector(".cv-empty")?.remove();
  if (!stay) toEnd();
}

function showWindows(state) {
  side.innerHTML = state.html;
  count();
  if (!box) return;
  box.dataset.open = state.open ? "1" : "0";
  box.dataset.canWait = state.can_wait ? "1" : "0";
  box.querySelector("[data-reason]").textContent = state.reason;
}

async function poll() {
  if (polling || "earlier" in root.dataset) return;
  polling = true;
  try {
    const answer = await ask(`${root.dataset.lines}?stamp=${root.dataset.stamp}`);
    root.dataset.stamp = answer.stamp;
    if (answer.lines) merge(answer.lines);
    showWindows(answer.windows);
    if (failures > 1) complain("");
    failures = 0;
  } catch (error) {
    failures += 1;
    if (failures > 1) complain(error instanceof SignedOut ? root.dataset.signedOut : root.dataset.lost);
  } finally {
    polling = false;
  }
}

function count() {
  const time = side.querySelector("[data-until]");
  if (!time) return;
  const left = Math.max(0, Math.floor((new Date(time.dataset.until) - Date.now()) / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(left / 3600);
  time.textContent = `${hours ? `${hours}:` : ""}${two(Math.floor((left % 3600) / 60))}:${two(left % 60)}`;
  if (!left) poll();
}

function complain(text) {
  const place = box?.querySelector(".cv-errors");
  if (place) place.replaceChildren(...(text ? [Object.assign(document.createElement("p"), { textContent: text })] : []));
}

function clearErrors() {
  complain("");
  for (const place of box.querySelectorAll(".cv-error")) place.replaceChildren();
}

function showErrors(errors) {
  for (const [name, texts] of Object.entries(errors)) {
    const place = box.querySelector(`[data-field="${name}"] .cv-error`);
    if (place) place.replaceChildren(...texts.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
    else complain(texts.join(" "));
  }
}

function values() {
  return [...new FormData(box)].filter(([name]) => name !== "csrfmiddlewaretoken");
}

function keep() {
  sessionStorage.setItem(draft, JSON.stringify(values()));
}

function restore() {
  const kept = JSON.parse(sessionStorage.getItem(draft) || "[]");
  if ("bound" in box.dataset) return;
  for (const [name, value] of kept) {
    const field = box.elements[name];
    if (!field || name === "agent") continue;
    if (name === "may_wait") field.checked = true;
    else field.value = value;
  }
}

function boxes(kind) {
  return [...box.querySelectorAll(`.cv-fields[data-kind="${kind}"] :is(input, textarea, select)`)];
}

function nextNumber() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  box.elements.number.value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What could not be sent comes back, in front of what was typed meanwhile. Untouched, it keeps its number: a message that
// arrived although its answer was lost is not sent again.
function giveBack(body) {
  let touched = false;
  for (const field of boxes(body.get("kind"))) {
    const old = body.get(field.name) || "";
    touched ||= field.value !== "";
    if (field.value === "") field.value = old;
    else if (field.tagName === "TEXTAREA" && old) field.value = `${old}\n${field.value}`;
  }
  if (!touched) box.elements.number.value = body.get("number");
  keep();
}

async function post(body) {
  try {
    const answer = await ask(location.pathname, { method: "POST", body });
    clearErrors();
    if (answer.sent) keep();
    else {
      giveBack(body);
      showErrors(answer.errors);
    }
  } catch (error) {
    giveBack(body);
    complain(error instanceof SignedOut ? root.dataset.signedOut : root.dataset.lost);
  }
  poll().then(toEnd);
}

// One after the other, in the order of writing. The box is free at once for the next message; the draft keeps this one
// until it is through.
function send(event) {
  event.preventDefault();
  keep();
  const body = new FormData(box);
  const fields = boxes(body.get("kind"));
  if (fields.every((field) => !field.value.trim())) return;
  for (const field of fields) field.value = "";
  nextNumber();
  fields[0]?.focus();
  sending = sending.then(() => post(body));
}

function typing() {
  keep();
  if (typingEnds || box.dataset.open !== "1" || Date.now() - lastTyping < TYPING_EVERY) return;
  lastTyping = Date.now();
  const body = new FormData();
  body.append("csrfmiddlewaretoken", box.elements.csrfmiddlewaretoken.value);
  ask(root.dataset.typing, { method: "POST", body }).then(
    (answer) => { typingEnds = answer.stop; },
    () => {},
  );
}

async function offerAgents() {
  const { agents } = await ask(root.dataset.agents);
  if (!agents.length) return;
  const choice = box.elements.agent;
  for (const agent of agents) choice.add(new Option(agent.name, agent.account));
  choice.value = localStorage.getItem("conversation-agent") || "";
  if (choice.selectedIndex < 0) choice.value = "";
  choice.addEventListener("change", () => localStorage.setItem("conversation-agent", choice.value));
  box.querySelector(".cv-agent").hidden = false;
}

async function older(event) {
  const link = event.target.closest(".cv-older a");
  if (!link || "earlier" in root.dataset) return;
  event.preventDefault();
  const height = log.scrollHeight;
  let answer;
  try {
    answer = await ask(root.dataset.lines + new URL(link.href).search);
  } catch {
    location.assign(link.href);
    return;
  }
  const place = link.parentElement;
  log.querySelector(".cv-day")?.remove();
  const first = log.querySelector(".cv-turn");
  let day = "";
  for (const line of [...answer.lines, first && { day: first.dataset.day }]) {
    if (line && line.day !== day) first.before(dayMark(line.day));
    day = line?.day;
    if (line?.html) first.before(made(line));
  }
  if (answer.older) link.href = `?before=${answer.older}`;
  else place.remove();
  log.scrollTop += log.scrollHeight - height;
}

if (box) {
  restore();
  box.addEventListener("submit", send);
  box.addEventListener("input", typing);
  box.elements.content.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    box.requestSubmit();
  });
  offerAgents().catch(() => {});
}
log.addEventListener("click", older);
setInterval(() => { if (!document.hidden) poll(); }, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
setInterval(count, 1000);
count();
toEnd();
