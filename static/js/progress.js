// Draws a page anew every three seconds while something on it runs, unless somebody is about to do something there.
addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector("[data-running]")) return;
  setInterval(() => {
    const busy = document.querySelector("dialog[open], [role=dialog]:not([hidden]), input[type=checkbox]:checked");
    if (!document.hidden && !(busy && busy.offsetParent !== null)) location.reload();
  }, 3000);
});
