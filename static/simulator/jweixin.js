/* Stands in for WeChat's own script (jweixin-1.6.0.js) on pages that the simulator's phone shows: the same calls, the same
   errMsg, checked by the simulator with the ticket that it gave. A card that was set is told to the phone around the page. */
"use strict";
(() => {
  const own = new URL(document.currentScript.src).origin;
  const waiting = new Map();
  const whenReady = [];
  const whenWrong = [];
  let key = "";
  let state = null; // the answer to config
  let count = 0;

  const tellPhone = (card) => window.parent !== window && window.parent.postMessage({ wxCard: card, call: "updateAppMessageShareData" }, own);
  tellPhone(null); // a new page has no card yet

  window.wxSimulatorAnswers = ({ number, ...answer }) => {
    waiting.get(number)?.(answer);
    waiting.delete(number);
  };

  // The page's policy lets it load scripts from here and nothing else, so an answer is a script.
  function call(name, values) {
    return new Promise((resolve) => {
      const number = String((count += 1));
      const script = document.createElement("script");
      const query = new URLSearchParams({ ...values, call: name, number });
      const done = (answer) => { script.remove(); resolve(answer); };
      waiting.set(number, done);
      script.addEventListener("error", () => done({ errMsg: `${name}:fail` }), { once: true });
      script.src = `${own}/open/js/bridge?${query}`;
      document.head.append(script);
    });
  }

  function finish(options, answer) {
    (answer.errMsg.endsWith(":ok") ? options.success : options.fail)?.(answer);
    options.complete?.(answer);
  }

  async function setCard(name, options) {
    const fields = Object.fromEntries(["title", "desc", "link", "imgUrl"].filter((one) => one in options).map((one) => [one, options[one]]));
    const { card, ...answer } = await call(name, { ...fields, key });
    if (card && name === "updateAppMessageShareData") tellPhone(card);
    finish(options, answer);
  }

  window.wx = {
    async config({ appId, timestamp, nonceStr, signature, debug }) {
      const url = location.href.split("#")[0];
      state = await call("config", { appid: appId, timestamp, nonceStr, signature, url });
      key = state.key ?? "";
      const { errMsg } = state;
      if (debug) alert(JSON.stringify({ errMsg }));
      if (errMsg !== "config:ok") whenWrong.forEach((act) => act({ errMsg }));
      whenReady.forEach((act) => act()); // WeChat calls both when the configuration failed
    },
    ready(act) { if (state) act(); else whenReady.push(act); },
    error(act) { whenWrong.push(act); },
    checkJsApi(options) { finish(options, { errMsg: "checkJsApi:ok", checkResult: Object.fromEntries(options.jsApiList.map((name) => [name, name in window.wx])) }); },
    updateAppMessageShareData: (options) => setCard("updateAppMessageShareData", options),
    updateTimelineShareData: (options) => setCard("updateTimelineShareData", options),
  };
})();
