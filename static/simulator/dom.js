// Builds elements. Whatever persons or the account wrote goes in as text, never as markup.

export const texts = JSON.parse(document.getElementById("texts").textContent);
export const photos = JSON.parse(document.getElementById("photos").textContent);
export const avatars = JSON.parse(document.getElementById("avatars").textContent);
const SVG = "http://www.w3.org/2000/svg";

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

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function button(label, content, onclick, className = "") {
  return el("button", { type: "button", class: className, "aria-label": label, title: label, onclick }, content);
}

// A portrait; one that cannot be loaded is replaced by the visitor's.
export function portrait(source, className = "avatar") {
  const image = el("img", { class: className, alt: "", src: source });
  image.addEventListener("error", () => { image.src = "/static/simulator/avatars/visitor.svg"; }, { once: true });
  return image;
}

// Names hold raw control characters at times: shown, they are nothing.
export const clean = (text) => String(text ?? "").replace(/[\u0000-\u0008\u000b-\u001f]/g, "");

export function fill(template, values) {
  return template.replace(/%\((\w+)\)s/g, (_, name) => values[name] ?? "");
}

export function clockTime(seconds, { full = false } = {}) {
  const when = new Date(seconds * 1000);
  const time = when.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", second: full ? "2-digit" : undefined, hour12: false });
  const today = new Date().toDateString() === when.toDateString();
  return today || full ? time : `${when.getMonth() + 1}/${when.getDate()} ${time}`;
}
