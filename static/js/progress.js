// Draws what runs anew every two seconds until it has ended: each [data-live] for its twin on the page as it is by then.
const PAUSE = 2000;
const running = (page) => page.querySelector("[data-live][data-running]");

async function look() {
  if (!running(document)) return;
  if (!document.hidden) {
    try {
      const response = await fetch(location.href);
      // The server escaped what people wrote; a document of its own runs no script in it.
      if (response.ok && !response.redirected) draw(new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      // the last numbers stay
    }
  }
  setTimeout(look, PAUSE);
}

function draw(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const twin = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
    if (twin) old.replaceWith(twin);
  }
  // With its end other buttons make sense; not while somebody is about to press one.
  const busy = document.querySelector("dialog[open], [role=dialog]:not([hidden]), input[type=checkbox]:checked");
  if (!running(fresh) && !(busy && busy.offsetParent !== null)) location.reload();
}

document.addEventListener("DOMContentLoaded", () => setTimeout(look, PAUSE));
