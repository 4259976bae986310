// Builds elements. What staff or strangers wrote goes in as text, never as markup.

export const config = JSON.parse(document.getElementById("rule-editor").textContent);
export const words = config.words;

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const icon = (name) => el("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);

export const fill = (template, values) => template.replace(/%\((\w+)\)s/g, (_, name) => values[name] ?? "");

let last = 0;
export const newId = () => `rule-${++last}`;

// What happened to a list, for those who do not see it.
const said = el("p", { class: "rule-said", role: "status" });
document.body.append(said);
export const say = (text) => { said.textContent = text; };

export const addButton = (text, symbol, onclick) => el("button", { type: "button", class: "rule-add", onclick }, icon(symbol), text);

// Complaints of the server beside the item they concern; gone as soon as somebody works on it.
export function complaints(element, messages = []) {
  if (!messages.length) return [];
  const shown = messages.map((message) => el("p", { class: "rule-error", role: "alert" }, message));
  element.classList.add("rule-wrong");
  element.addEventListener("input", () => {
    element.classList.remove("rule-wrong");
    shown.forEach((line) => line.remove());
  }, { once: true });
  return shown;
}
