// The look's form: a picker beside the colour, and both cards in the colour and with the logo that stand in the form now.
const COLOUR = /^#[0-9a-f]{6}$/i;
const PARTS = { accent: "--accent", soft: "--accent-soft", ink: "--accent-ink" };

document.addEventListener("DOMContentLoaded", () => {
  const side = document.querySelector("[data-shades]");
  if (!side) return;
  const field = document.querySelector("input[name=colour]");
  show(side, field ? field.value : side.dataset.colour);
  showLogo(document.querySelector("img[data-logo]")?.src);
  if (field) addPicker(side, field);
  document.querySelector("input[name=upload]")?.addEventListener("change", ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => showLogo(reader.result));
    reader.readAsDataURL(file);
  });
});

function addPicker(side, field) {
  const picker = Object.assign(document.createElement("input"), { type: "color", value: COLOUR.test(field.value) ? field.value : "#a8481f" });
  picker.setAttribute("aria-label", side.dataset.pick);
  const box = Object.assign(document.createElement("div"), { className: "lk-picker" });
  field.replaceWith(box);
  box.append(picker, field);
  picker.addEventListener("input", () => {
    field.value = picker.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  field.addEventListener("input", () => {
    if (COLOUR.test(field.value)) picker.value = field.value;
    show(side, field.value);
  });
}

let asked = 0;

async function show(side, colour) {
  const mine = ++asked;
  let made = {};
  if (COLOUR.test(colour)) {
    const response = await fetch(`${side.dataset.shades}?colour=${encodeURIComponent(colour)}`);
    if (!response.ok || mine !== asked) return; // a later colour is on its way
    made = await response.json();
  } else if (colour) {
    return; // half typed
  }
  for (const scheme of ["light", "dark"]) {
    const { style } = side.querySelector(`.lk-${scheme}`);
    for (const [part, property] of Object.entries(PARTS)) {
      if (made[scheme]) style.setProperty(property, made[scheme][part]);
      else style.removeProperty(property);
    }
  }
}

function showLogo(address) {
  if (address) for (const image of document.querySelectorAll("img[data-shown]")) image.src = address;
}
