// Connecting an account: copies a value, and asks every two seconds whether WeChat has called.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const box = document.getElementById(button.dataset.copy);
    box.select();
    // Without https the clipboard of the page is closed; the old way still works.
    if (navigator.clipboard) await navigator.clipboard.writeText(box.value).catch(() => document.execCommand("copy"));
    else document.execCommand("copy");
    button.textContent = button.dataset.copied;
  });
}

const box = document.getElementById("handshake");
const ICONS = { waiting: "progress_activity", seen: "check_circle", wrong: "error" };

async function look() {
  try {
    const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
    const said = await answer.json();
    const [icon, text] = box.children;
    if (box.dataset.state !== said.state || text.textContent !== said.text) {
      box.dataset.state = said.state;
      icon.textContent = ICONS[said.state];
      text.textContent = said.text;
    }
  } catch {
    // the next look may reach us again
  }
  if (box.dataset.state !== "seen") setTimeout(look, 2000);
}

if (box) look();
