// The phone beside the form: drawn by the server for what stands in the form now, 300 ms after the last change.

const PAUSE = 300;

export function livePreview(form) {
  const place = document.querySelector("[data-preview]");
  const stale = document.querySelector("[data-stale]");
  let timer, running;

  async function draw() {
    running?.abort();
    running = new AbortController();
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "account", "keywords", "answers", "choice"]) body.set(name, form.elements[name]?.value ?? "");
    try {
      const response = await fetch(place.dataset.preview, { method: "POST", body, signal: running.signal, headers: { "X-Requested-With": "fetch" } });
      if (!response.ok || response.redirected) throw new Error(response.statusText);
      show(await response.text());
      stale.hidden = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      stale.hidden = false; // the last picture stays
    }
    place.classList.remove("rule-waiting");
  }

  // The server escaped what people wrote; a document of its own runs no script in it.
  function show(html) {
    const scrolled = place.querySelector(".wx-lines")?.scrollTop ?? 0;
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    place.querySelector(".wx-lines")?.scrollTo(0, scrolled);
  }

  // The way to the phone, on a screen where it stands below the form and is not seen.
  const jump = document.querySelector(".rule-jump");
  new IntersectionObserver(([entry]) => { jump.hidden = entry.isIntersecting; }).observe(place);

  return function changed() {
    clearTimeout(timer);
    place.classList.add("rule-waiting");
    timer = setTimeout(draw, PAUSE);
  };
}
