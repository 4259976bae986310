/* Remembers in this browser alone which shared quotes were opened, and offers them for a comparison.
   In: the form [data-compare] of a shared page. What is kept: code, name and total of up to eight quotes, for 90 days. */
"use strict";
(() => {
  const NAME = "wxhub-quotes";
  const MOST = 8;
  const DAYS = 90 * 24 * 3600 * 1000;
  const form = document.querySelector("[data-compare]");
  if (!form) return;
  const { code, mark, title, total } = form.dataset;

  function known() {
    try {
      const list = JSON.parse(localStorage.getItem(NAME));
      const whole = (one) => ["code", "mark", "title", "total"].every((key) => typeof one?.[key] === "string");
      return Array.isArray(list) ? list.filter((one) => whole(one) && Date.now() - one.at < DAYS) : [];
    } catch {
      return []; // nothing can be kept here, or somebody else wrote there
    }
  }

  function remember(others) {
    try {
      localStorage.setItem(NAME, JSON.stringify([{ code, mark, title, total, at: Date.now() }, ...others].slice(0, MOST)));
    } catch {
      // then there is nothing to offer next time
    }
  }

  function choice(one) {
    const label = document.createElement("label");
    label.className = "pick__choice";
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "with", value: one.code });
    const words = Object.assign(document.createElement("span"), { textContent: one.title });
    const price = Object.assign(document.createElement("strong"), { className: "num", textContent: one.total });
    label.append(box, words, price);
    return label;
  }

  // The codes go into the path at once: a question in the address would be one more place where they stand.
  function codesOf(values) {
    const codes = values.map((said) => /(?:\/s\/|^)([\w.-]+)\/?(?:[?#].*)?$/.exec(said.trim())?.[1]).filter(Boolean);
    return [...new Set(codes)];
  }

  const others = known().filter((one) => one.mark !== mark);
  remember(others);
  const most = Number(form.dataset.most);
  const list = form.querySelector("[data-opened]");
  if (others.length) {
    list.append(...others.map(choice));
    list.hidden = false;
    list.querySelector("input").checked = true;
  }

  form.addEventListener("submit", (event) => {
    const codes = codesOf(new FormData(form).getAll("with"));
    const words = codes.length < 2 ? form.dataset.tooFew : codes.length > most ? form.dataset.tooMany : "";
    event.preventDefault();
    form.querySelector("[role=alert]").textContent = words;
    if (!words) location.assign(form.action + codes.map((one) => `${encodeURIComponent(one)}/`).join(""));
  });
})();
