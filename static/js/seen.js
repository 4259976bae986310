/* Tells the site that this page is shown, once, and that somebody shares it (the event wxhub:shared on the document). The
   number that stands for this browser is made up here and means nothing elsewhere. Nobody waits for the answer. */
"use strict";
(() => {
  const NAME = "wxhub-visitor";

  function visitor() {
    try {
      const kept = localStorage.getItem(NAME);
      if (/^[0-9a-f]{32}$/.test(kept)) return kept;
      const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
      localStorage.setItem(NAME, made);
      return made;
    } catch {
      return ""; // nothing can be kept here
    }
  }

  function tell(event) {
    fetch("/seen/", {
      method: "POST",
      body: JSON.stringify({ page: location.pathname, event, visitor: visitor() }),
      headers: { "Content-Type": "application/json" },
      keepalive: true,
    }).catch(() => {});
  }

  let told = false;
  function shown() {
    if (told || document.prerendering || document.visibilityState !== "visible") return;
    told = true;
    tell("shown");
  }

  let shared = false;
  document.addEventListener("wxhub:shared", () => {
    if (!shared) tell("shared");
    shared = true;
  });
  document.addEventListener("visibilitychange", shown);
  document.addEventListener("prerenderingchange", shown);
  if (window.requestIdleCallback) requestIdleCallback(shown, { timeout: 1000 });
  else setTimeout(shown, 200); // what the page itself needs goes first
})();
