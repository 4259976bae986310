/* The form of a price plan: what a room area comes to with what stands in the form now, saved or not. */

import { hundredths, reckon, yuan } from "./reckon.js";

const box = document.querySelector("[data-plan-try]");
const form = box?.closest("form");
const price = form?.elements.price;

function items() {
  return [...form.querySelectorAll("[name^=items-][name$=-name]")]
    .map((input) => input.name.replace(/-name$/, ""))
    .filter((prefix) => !prefix.includes("__prefix__") && !form.elements[`${prefix}-DELETE`]?.checked)
    .map((prefix) => ["amount", "market_amount", "per_area"].map((name) => form.elements[`${prefix}-${name}`]))
    .filter(([amount, market]) => amount.value || market.value)
    .map(([amount, market, perArea]) => [amount.value || "0", market.value || "0", perArea.checked]);
}

function show() {
  const area = hundredths(box.querySelector("#try-area").value);
  const prices = { price: price.value, market: form.elements.market_price.value, items: items() };
  const found = area ? reckon(prices, area) : null;
  const saved = box.dataset.labels.split("|")[2];
  box.querySelector("[data-plan-total]").textContent = found ? yuan(found.total) : "–";
  box.querySelector("[data-plan-saved]").textContent = found?.saved ? `${saved} ${yuan(found.saved)}` : "";
}

if (price) {
  // Who may only look has no fields to reckon with.
  box.querySelector("[data-plan-live]").hidden = false;
  box.querySelector("[data-plan-unsaved]")?.remove();
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();
}
