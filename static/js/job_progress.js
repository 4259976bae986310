// The page of a job: its numbers anew every two seconds, until it has ended.
const PAUSE = 2000;

async function look() {
  const place = document.querySelector("[data-progress]");
  if (!place) return;
  if (!document.hidden) {
    try {
      const response = await fetch(place.dataset.progress, { headers: { "X-Requested-With": "fetch" } });
      if (response.ok && !response.redirected) {
        // The server escaped what people wrote; a document of its own runs no script in it.
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-progress], [data-ended]");
        if (fresh) place.replaceWith(fresh);
      }
    } catch {
      // the last numbers stay
    }
  }
  setTimeout(look, PAUSE);
}

document.addEventListener("DOMContentLoaded", () => setTimeout(look, PAUSE));
