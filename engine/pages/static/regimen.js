// What links do as well: the slider goes to its step when it is let go, and arrow keys go on and back.
"use strict";

for (const form of document.querySelectorAll("form[data-slider]")) {
  const range = form.querySelector("input[type=range]");
  form.classList.add("live");
  range.addEventListener("change", () => form.requestSubmit());
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, [tabindex='0']")) {
    return;
  }
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = way && document.querySelector(`a[rel="${way}"]`);
  if (link) {
    link.click();
  }
});
