// Says at once that a file is too large, before it travels; the server checks again.
addEventListener("change", ({ target }) => {
  const form = target.closest?.("form");
  const file = form?.querySelector("input[type=file][data-limits]");
  if (!file) return;
  const limits = file.dataset.limits.split(" ").map(Number);
  const kind = ["image", "voice", "video", "thumb"].indexOf(form.elements.kind?.value);
  const most = limits[kind] ?? Math.max(...limits);
  const size = file.files[0]?.size ?? 0;
  file.setCustomValidity(size > most ? `${(size / 1048576).toFixed(1)} MB > ${most >= 1048576 ? `${most / 1048576} MB` : "64 KB"}` : "");
  file.reportValidity();
});
