// Leaving a page whose text was edited and not saved: the reader is asked first.

const QUESTION = "The policy has changes that are not saved. Leave without them?";

/** `changed()` says whether there is something to lose. */
export function askBeforeLeaving(changed) {
  window.addEventListener("beforeunload", (event) => {
    if (changed()) event.preventDefault();
  });
  // Links are followed by a script that replaces the page, which the browser does not take for leaving it.
  document.addEventListener("htmx:confirm", (event) => {
    const link = event.detail.elt?.closest?.("a[href]");
    if (!link || !changed()) return;
    event.preventDefault();
    if (window.confirm(QUESTION)) event.detail.issueRequest(true);
  });
}
