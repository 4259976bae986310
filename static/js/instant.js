/* The instant quote: shows the total while a visitor types; the server reckons again and decides. */

import { hundredths, reckon, yuan } from "./reckon.js";

const form = document.querySelector("[data-instant]");
const area = form.elements.room_area;
const result = form.querySelector("[data-result]");
const range = form.querySelector("[data-range]");
const savedLine = form.querySelector("[data-saved-line]");
const button = form.querySelector("[type=submit]");

function show() {
  const chosen = form.querySelector("[name=plan]:checked");
  const size = hundredths(area.value);
  const prices = chosen && JSON.parse(chosen.dataset.prices);
  const fits = prices && size >= hundredths(prices.smallest) && size <= hundredths(prices.largest);
  const found = size && fits ? reckon(prices, size) : null;
  result.hidden = !found;
  range.hidden = !size || !prices || Boolean(fits) || Boolean(document.getElementById("room-area-error"));
  if (!range.hidden) {
    const limits = { smallest: Number(prices.smallest), largest: Number(prices.largest) };
    range.textContent = range.dataset.text.replace(/\{(\w+)\}/g, (_all, name) => limits[name]);
  }
  if (!found) return;
  form.querySelector("[data-total]").textContent = yuan(found.total);
  savedLine.hidden = !found.saved;
  form.querySelector("[data-saved]").textContent = yuan(found.saved);
}

function send(event) {
  if (button.getAttribute("aria-disabled")) return event.preventDefault();
  button.dataset.label = button.textContent;
  button.textContent = button.dataset.busy;
  button.setAttribute("aria-disabled", "true");
}

/* Back from the quote: the browser shows this page as it was left. */
function wake() {
  if (button.dataset.label) button.textContent = button.dataset.label;
  button.removeAttribute("aria-disabled");
  show();
}

form.addEventListener("input", () => {
  document.getElementById("room-area-error")?.remove(); // it was about what stood there before
  area.removeAttribute("aria-invalid");
  show();
});
form.addEventListener("submit", send);
window.addEventListener("pageshow", wake);
document.querySelector("[data-problem]")?.focus();
show();
