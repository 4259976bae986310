/* The shared quote: shows the placeholder where an avatar does not load, and WeChat's own hint inside WeChat. */
"use strict";
(() => {
  if (/MicroMessenger/i.test(navigator.userAgent)) document.documentElement.classList.add("in-wechat");

  // Browsers carry this mark of WeChat's consent page along: whoever copies the address need not have it.
  if (location.hash === "#wechat_redirect") history.replaceState(history.state, "", location.pathname + location.search);

  for (const picture of document.querySelectorAll("img[data-fallback]")) {
    const fallBack = () => {
      picture.src = picture.dataset.fallback;
    };
    if (picture.complete && !picture.naturalWidth) fallBack();
    else picture.addEventListener("error", fallBack, { once: true });
  }
})();
