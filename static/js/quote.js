/* Watches what becomes of the QR code on the quote page and swaps the code panel when its state changes.
   In: the data-* attributes of the panel (templates/orders/_code.html). Out: a fresh panel, and a word to screen readers.
   Asks only while the page is seen, ever more rarely after errors, and stops a while after the last thing has happened. */
"use strict";
(() => {
  const IN_WECHAT = /MicroMessenger/i.test(navigator.userAgent);
  const SECOND = 1000;
  const MOMENT = 2 * SECOND;
  const MINUTE = 60 * SECOND;
  const LONGEST_PAUSE = MINUTE;
  // A scan in the code's last second may still arrive.
  const WATCH_AFTER_THE_END = { sent: 2 * MINUTE, failed: 15 * MINUTE, follow: 15 * MINUTE, owed: 15 * MINUTE, expired: MINUTE };

  const live = document.querySelector("[data-code-live]");
  let panel = document.querySelector("[data-code]");
  if (!panel) return;

  let timer = 0; // the next look
  let request = null; // the one under way
  let failures = 0; // in a row
  let since = Date.now(); // when this state was first seen, or the page came back into view
  let deadline = 0; // when the code runs out
  let nextTry = 0; // when to ask again for a code that WeChat did not give

  function setUp() {
    const left = Number(panel.dataset.expiresIn);
    deadline = left > 0 ? Date.now() + left * SECOND : Infinity;
    if (IN_WECHAT) showPicture();
    showTimeLeft();
    const copy = panel.querySelector("[data-copy]");
    if (copy && navigator.clipboard) copy.hidden = false;
  }

  // WeChat recognises a long press on a picture only, not on inline SVG and not on a link.
  function showPicture() {
    const link = panel.querySelector("[data-qr]");
    if (!link) return;
    const picture = new Image();
    picture.alt = panel.dataset.pngAlt;
    picture.addEventListener("load", () => {
      const frame = document.createElement("div");
      frame.className = link.className;
      frame.append(picture);
      link.replaceWith(frame);
    });
    picture.src = `${panel.dataset.pngUrl}?${Date.now()}`;
  }

  function showTimeLeft() {
    const line = panel.querySelector("[data-countdown]");
    if (!line) return;
    const left = deadline - Date.now();
    const text = left < MINUTE ? panel.dataset.lastMinute : panel.dataset.minutes.replace("{n}", Math.round(left / MINUTE));
    if (line.textContent !== text) line.textContent = text;
  }

  async function get(url, accept) {
    request?.abort();
    const mine = (request = new AbortController());
    const limit = setTimeout(() => mine.abort(), 10 * SECOND);
    try {
      const answer = await fetch(url, {
        headers: { Accept: accept },
        credentials: "same-origin",
        cache: "no-store",
        signal: mine.signal,
      });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      return await (accept === "text/html" ? answer.text() : answer.json());
    } finally {
      clearTimeout(limit);
      if (request === mine) request = null;
    }
  }

  // `looking`: a code that has run out is shown as such, and a new one is made when the visitor asks for it.
  async function renew(looking = false) {
    const { fragmentUrl, state, reason, typed } = panel.dataset;
    const html = await get(looking ? `${fragmentUrl}?look` : fragmentUrl, "text/html");
    const next = new DOMParser().parseFromString(html, "text/html").querySelector("[data-code]");
    if (!next) throw new Error("no code panel in the answer");
    const changed = next.dataset.state !== state || next.dataset.reason !== reason;
    if (!changed && next.dataset.state === "unavailable" && next.dataset.typed === typed) return; // no flicker
    const hadFocus = panel.contains(document.activeElement);
    const fresh = document.importNode(next, true);
    panel.replaceWith(fresh);
    panel = fresh;
    setUp();
    if (hadFocus) panel.querySelector("h2").focus({ preventScroll: true });
    if (!changed) return;
    since = Date.now();
    if (live) live.textContent = panel.dataset.announce;
  }

  function tryForCode() {
    if (Date.now() < nextTry) return;
    nextTry = Date.now() + Math.min(2 * MOMENT + (Date.now() - since) / 10, MINUTE / 2);
    return renew();
  }

  async function look() {
    const { state, reason, statusUrl } = panel.dataset;
    const now = await get(statusUrl, "application/json");
    if (state === "unavailable" && ["waiting", "expired"].includes(now.state)) return tryForCode();
    if (state === "expired" && now.state === "waiting") return renew(true); // a new code, made on another page
    if (now.state !== state || (now.reason ?? "") !== reason) return renew(true);
    const shown = panel.querySelector("[data-qr]");
    if (!shown) return;
    if (now.expires_in > 0) deadline = Date.now() + now.expires_in * SECOND;
    else if (Date.now() >= deadline) return renew(true);
    showTimeLeft();
  }

  function pause() {
    const { state, pollSeconds } = panel.dataset;
    const base = Math.max(SECOND, Number(pollSeconds) * SECOND || MOMENT);
    const age = Date.now() - since;
    if (failures) return Math.min(base * 2 ** failures, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
    if (state in WATCH_AFTER_THE_END) return age > WATCH_AFTER_THE_END[state] ? null : base * 3;
    return base; // however long it takes him: 200 such pages cost the server two queries a second (orders.watching)
  }

  function schedule() {
    clearTimeout(timer);
    const wait = pause();
    if (wait !== null && !document.hidden) timer = setTimeout(tick, wait);
  }

  async function tick() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await look();
      failures = 0;
    } catch {
      if (!document.hidden) failures += 1;
    }
    schedule();
  }

  function resume() {
    clearTimeout(timer);
    if (document.hidden) {
      request?.abort();
      return;
    }
    since = Date.now();
    failures = 0;
    tick();
  }

  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("[data-renew]")) return;
    event.preventDefault();
    clearTimeout(timer);
    const button = event.target.querySelector("button");
    const label = button.textContent;
    button.setAttribute("aria-disabled", "true");
    button.textContent = panel.dataset.busy;
    try {
      await renew();
      failures = 0;
      since = Date.now();
    } catch {
      failures += 1;
    }
    if (button.isConnected) {
      button.removeAttribute("aria-disabled");
      button.textContent = label;
      if (live) live.textContent = panel.dataset.announce;
    }
    schedule();
  });
  document.addEventListener("click", async (event) => {
    if (!event.target.matches("[data-copy]")) return;
    await navigator.clipboard.writeText(panel.querySelector("[data-typed-text]").textContent);
    event.target.textContent = panel.dataset.copied;
  });
  document.addEventListener("visibilitychange", resume);
  window.addEventListener("online", resume);
  window.addEventListener("pageshow", (event) => event.persisted && resume());

  if (IN_WECHAT) document.documentElement.classList.add("in-wechat");
  setUp();
  schedule();
})();
