/* A page in a frame of the firm's website: tells the page around it how high it is, so that nothing has to scroll.
   The height is no secret, so it may be told to whoever frames this page; who may, the policy says. */
"use strict";
(() => {
  if (window.parent === window) return;
  let told = 0;
  const tell = () => {
    const height = Math.ceil(document.querySelector("main").getBoundingClientRect().height);
    if (height === told) return;
    told = height;
    window.parent.postMessage({ wxhub: "height", height }, "*");
  };
  new ResizeObserver(tell).observe(document.querySelector("main"));
  tell();
})();
