// A page of parts: asks for one after the other and puts each in its place. Without this script the form asks for all at once.
const form = document.getElementById("parts");
const bar = form.querySelector("progress");
const button = form.querySelector("[type=submit]");

async function fetchPart(box) {
  box.classList.add("ap-busy");
  const body = new FormData(form);
  body.set("part", box.dataset.part);
  body.set("anew", "1");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) throw new Error(String(answer.status));
    box.innerHTML = await answer.text(); // rendered and escaped by the server
  } catch {
    const said = document.createElement("p");
    said.className = "rp-card rp-section";
    said.textContent = form.dataset.failed;
    box.replaceChildren(said);
  }
  box.classList.remove("ap-busy");
}

async function run(event) {
  event?.preventDefault();
  button.disabled = true;
  const boxes = [...document.querySelectorAll("[data-part]")];
  if (bar) Object.assign(bar, { hidden: false, value: 0 });
  for (const box of boxes) {
    await fetchPart(box);
    if (bar) bar.value += 1;
  }
  if (bar) bar.hidden = true;
  button.disabled = false;
}

form.addEventListener("submit", run);
if ("auto" in form.dataset) run();
