/* Shows a quote's code, or the form of the instant quote, on any page of the firm's website:
     <script src="https://quotes.example.com/embed.js" data-quote="KEY" async></script>
     <script src="https://quotes.example.com/embed.js" data-account="SLUG" async></script>
   Puts a frame in the script's place and gives it the height that the page in it asks for. Loads nothing else, stores
   nothing. The website has to be named in the account's settings (Web pages), or the frame stays empty. */
(() => {
  "use strict";
  const script = document.currentScript;
  const { quote, account, title, channel } = script.dataset;
  const base = new URL(script.src);
  const path = quote ? `/quotes/${encodeURIComponent(quote)}/embed/` : `/quotes/new/${encodeURIComponent(account || "")}/embed/`;
  const address = new URL(path, base);
  if (!quote && channel) address.searchParams.set("c", channel);

  const frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = title || (quote ? "WeChat QR code" : "Instant quote");
  frame.referrerPolicy = "no-referrer";
  Object.assign(frame.style, {
    display: "block",
    width: "100%",
    maxWidth: quote ? "420px" : "760px",
    height: quote ? "560px" : "820px",
    border: "0",
    colorScheme: "light dark",
  });
  frame.allow = "clipboard-write";
  // Whoever sent the form stands at its end: what comes in its place is seen from the top.
  let pages = 0;
  frame.addEventListener("load", () => {
    pages += 1;
    if (pages > 1) frame.scrollIntoView({ block: "start" });
  });
  script.after(frame);

  window.addEventListener("message", ({ source, origin, data }) => {
    if (source !== frame.contentWindow || origin !== base.origin || data?.wxhub !== "height") return;
    if (Number.isFinite(data.height) && data.height > 0) frame.style.height = `${Math.min(data.height, 10000)}px`;
  });
})();
