// The form of a channel code shows what belongs to its kind: days of a temporary one, the confirmation of a permanent one.
function row(name) {
  const field = document.querySelector(`[name="${name}"]`);
  return field && field.closest(".field-line, .form-row, [class*=field-]");
}

function show() {
  const kind = document.querySelector('select[name="kind"]');
  if (!kind) return;
  const permanent = kind.value === "permanent";
  for (const [name, wanted] of [["days", !permanent], ["renew", !permanent], ["confirm", permanent]]) {
    const place = row(name);
    if (place) place.hidden = !wanted;
  }
}

addEventListener("DOMContentLoaded", show);
addEventListener("change", (event) => event.target.name === "kind" && show());
