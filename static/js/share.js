/* Passing a shared quote on. Inside WeChat: the share card behind ···, through WeChat's own script, which is loaded there only.
   Elsewhere: a button that shares or copies an address. Each address is a new one that we are asked for (orders/sharing.py).
   In: the data-* attributes of the section [data-share]. Without any of it the page is the same but for this. */
"use strict";
(() => {
  const SECOND = 1000;
  const CARD = ["updateAppMessageShareData", "updateTimelineShareData"];
  const section = document.querySelector("[data-share]");
  if (!section) return;
  const { onwardUrl, wechatUrl, sdkUrl } = section.dataset;
  // The simulator's phone is a frame of that name: a browser cannot take on another user agent there.
  const inWechat = /MicroMessenger/i.test(navigator.userAgent) || window.name === "MicroMessenger";

  async function ask(url) {
    const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  const whenSeen = (act) => {
    if (document.visibilityState === "visible" && !document.prerendering) return act();
    return document.addEventListener("visibilitychange", () => whenSeen(act), { once: true });
  };

  // Inside WeChat.

  function loadSdk() {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = sdkUrl;
      script.addEventListener("load", () => (window.wx ? resolve(window.wx) : reject(new Error("no wx"))), { once: true });
      script.addEventListener("error", () => reject(new Error("WeChat's script did not load")), { once: true });
      document.head.append(script);
    });
  }

  function setCard(wx, { title, desc, link, picture }) {
    wx.updateAppMessageShareData({ title, desc, link, imgUrl: picture });
    wx.updateTimelineShareData({ title, link, imgUrl: picture });
  }

  async function prepareCard(again = true) {
    try {
      // WeChat checks the address that it shows, with what it has added to it.
      const asked = ask(`${wechatUrl}?url=${encodeURIComponent(location.href.split("#")[0])}`);
      const [config, wx] = await Promise.all([asked, loadSdk()]);
      const { appId, timestamp, nonceStr, signature } = config;
      wx.ready(() => {
        setCard(wx, config);
        document.addEventListener("visibilitychange", () => whenSeen(() => ask(onwardUrl).then((card) => setCard(wx, card), () => {})));
      });
      wx.config({ debug: false, appId, timestamp, nonceStr, signature, jsApiList: CARD });
    } catch {
      if (again) setTimeout(() => prepareCard(false), 5 * SECOND); // without a card WeChat passes on the page as a link
    }
  }

  // Elsewhere.

  const button = section.querySelector("button");
  const said = section.querySelector("[role=status]");
  let ready = null; // the next address, fetched before it is wanted: a browser shares only at once after a tap

  function prepare() {
    ready = ask(onwardUrl);
    ready.catch(() => {});
  }

  async function copy(link) {
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = section.dataset.copied;
    } catch {
      const box = document.createElement("input");
      Object.assign(box, { readOnly: true, value: link, className: "share__link" });
      box.setAttribute("aria-label", section.dataset.copyThis);
      said.replaceChildren(section.dataset.copyThis, box);
      box.select();
    }
  }

  async function share() {
    button.setAttribute("aria-disabled", "true");
    try {
      const { title, desc, link } = await ready;
      if (navigator.share) await navigator.share({ title, text: desc, url: link });
      else await copy(link);
      document.dispatchEvent(new Event("wxhub:shared"));
      prepare();
    } catch (error) {
      if (error.name === "AbortError") return; // the visitor changed his mind: the address is still unused
      said.textContent = section.dataset.failed;
      prepare();
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  if (inWechat) {
    document.documentElement.classList.add("in-wechat");
    whenSeen(prepareCard);
  } else {
    if (!navigator.share) button.textContent = section.dataset.copy;
    section.hidden = false;
    button.addEventListener("click", () => button.getAttribute("aria-disabled") || share());
    whenSeen(prepare);
  }
})();
