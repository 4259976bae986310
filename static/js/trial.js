// "Try a message": shows the boxes of the chosen kind only. Without this script all of them are there.
const form = document.getElementById("trial");
const fields = JSON.parse(form.dataset.fields);

function show() {
  const known = fields[form.elements.kind.value] || [];
  for (const box of form.querySelectorAll("[data-field]")) box.hidden = !known.includes(box.dataset.field);
}

form.elements.kind.addEventListener("change", show);
show();
