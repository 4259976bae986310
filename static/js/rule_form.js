// The form of a reply rule: puts an editor on each of its two boxes with JSON, and keeps the phone beside it up to date.
// The boxes stay what is sent; without this script, or with what it cannot read, they are edited as they are.

import { answersEditor } from "./rule/answers.js";
import { keywordsEditor } from "./rule/keywords.js";
import { livePreview } from "./rule/preview.js";

const EDITORS = { keywords: keywordsEditor, answers: answersEditor };

function read(text) {
  try {
    const items = JSON.parse(text || "[]");
    const documents = Array.isArray(items) && items.every((item) => item !== null && typeof item === "object" && !Array.isArray(item));
    return documents ? items : null;
  } catch {
    return null;
  }
}

function start(box) {
  const items = read(box.value);
  if (!items) return;
  const errors = JSON.parse(box.dataset.errors ?? "{}");
  const changed = () => {
    box.value = JSON.stringify(items);
    box.dispatchEvent(new Event("input", { bubbles: true })); // the phone draws again, and leaving the page is asked about
  };
  box.after(EDITORS[box.dataset.editor](items, errors, changed));
  box.hidden = true;
  if (Object.keys(errors).length) hideRepeated(box);
}

// What stands beside an item need not stand below the field as well.
function hideRepeated(box) {
  const below = box.parentElement.querySelector(".errorlist");
  const placed = Object.values(JSON.parse(box.dataset.errors)).flat().length;
  if (below && below.children.length === placed) below.parentElement.hidden = true;
}

const boxes = document.querySelectorAll("textarea[data-editor]");
if (boxes.length) {
  const form = boxes[0].form;
  const drawAgain = livePreview(form);
  boxes.forEach((box) => {
    start(box);
    box.addEventListener("input", drawAgain);
  });
  for (const name of ["account", "choice"]) form.elements[name]?.addEventListener("change", drawAgain);
  drawAgain();
}
