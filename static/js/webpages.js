/* The self-check of web pages inside WeChat: has this page signed, shows both addresses, and asks WeChat itself where it runs.
   In: the data-* attributes of #check and the list of WeChat's answers. Out: notes in words. */
"use strict";
(() => {
  const box = document.getElementById("check");
  const answers = JSON.parse(document.getElementById("answers").textContent);
  const notes = box.querySelector("[data-notes]");
  const shown = location.href.split("#")[0];
  const ICONS = { ok: "check_circle", warn: "warning", bad: "error" };
  const inWechat = /MicroMessenger/i.test(navigator.userAgent) || window.name === "MicroMessenger";

  function say(level, text, remedy = "") {
    const sign = Object.assign(document.createElement("span"), { className: "material-symbols-outlined", textContent: ICONS[level] });
    sign.setAttribute("aria-hidden", "true");
    const words = document.createElement("div");
    words.append(text);
    if (remedy) words.append(Object.assign(document.createElement("div"), { className: "ap-remedy", textContent: remedy }));
    const note = document.createElement("div");
    note.className = `ap-finding ap-${level}`;
    note.append(sign, words);
    notes.append(note);
  }

  function explain(errMsg) {
    const { part, text, remedy } = answers.find((one) => errMsg.includes(one.part));
    say(part === "config:ok" ? "ok" : "bad", `${text} (${errMsg})`, remedy);
  }

  function askWechat(config) {
    const script = document.createElement("script");
    script.src = box.dataset.sdkUrl;
    script.addEventListener("error", () => say("bad", box.dataset.noScript));
    script.addEventListener("load", () => {
      let failed = false;
      window.wx.error(({ errMsg }) => { failed = true; explain(errMsg); });
      window.wx.ready(() => failed || explain("config:ok"));
      window.wx.config({ debug: false, ...config, jsApiList: ["updateAppMessageShareData", "updateTimelineShareData"] });
    });
    document.head.append(script);
  }

  async function check() {
    box.querySelector("[data-shown]").textContent = shown;
    const answer = await fetch(`${box.dataset.signUrl}&url=${encodeURIComponent(shown)}`, { cache: "no-store" });
    const { url, config, notes: found } = await answer.json();
    for (const { level, text, remedy } of found) say(level, text, remedy);
    if (!config) return;
    box.querySelector("[data-signed]").textContent = url;
    if (inWechat) askWechat(config);
    else say("warn", box.dataset.elsewhere, box.dataset.elsewhereRemedy);
  }

  check().catch(() => say("bad", box.dataset.failed));
})();
