// The form of a template: counts characters, shows the boxes of the chosen audience, draws the phone after each change.
const form = document.getElementById("template-form");
const place = document.querySelector("[data-preview]");
const PAUSE = 300;
let timer, running;

// Characters as the platform counts them; a placeholder's length is not known here.
function count(box) {
  const label = box.closest(".tp-box").querySelector("[data-count]");
  const length = [...box.value].length;
  label.hidden = !length || box.value.includes("##");
  label.textContent = `${length} / ${box.dataset.most}`;
  label.classList.toggle("tp-over", length > Number(box.dataset.most));
}

function choose() {
  for (const box of form.querySelectorAll("[data-for]")) box.hidden = !box.dataset.for.split(" ").includes(form.elements.to.value);
}

async function draw() {
  running?.abort();
  running = new AbortController();
  try {
    const response = await fetch(form.dataset.previewUrl, { method: "POST", body: new FormData(form), signal: running.signal, headers: { "X-Requested-With": "fetch" } });
    if (!response.ok || response.redirected) return; // the last picture stays
    // The server escaped what people wrote; a document of its own runs no script in it.
    place.replaceChildren(...new DOMParser().parseFromString(await response.text(), "text/html").body.childNodes);
  } catch (error) {
    if (error.name !== "AbortError") place.classList.add("rule-waiting");
  }
}

form.addEventListener("input", (event) => {
  if (event.target.dataset.most) count(event.target);
  clearTimeout(timer);
  timer = setTimeout(draw, PAUSE);
});
form.elements.to.addEventListener("change", choose);
for (const box of form.querySelectorAll("[data-most]")) count(box);
choose();
