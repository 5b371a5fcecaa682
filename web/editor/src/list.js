// The list of problems beside the editor: the same as the page has, kept up to date as the text is edited.
import { prose } from "./prose.js";

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function item(warning) {
  return ({ line, column, pointer, message }) => {
    const link = element("a", { href: "#document", "data-line": line, "data-column": column }, `Line ${line}`);
    const at = element("span", { class: "at" }, element("span", { class: "mono" }, pointer || "the document"));
    if (warning) at.append(" · a warning, it can be saved");
    return element("li", warning ? { class: "warn" } : {}, link, prose(message), at);
  };
}

/** Writes what the server said into `#problems`, and has the table read anew when it no longer says what the text does. */
export function showProblems(area, answer) {
  const place = document.getElementById("problems");
  if (!place) return;
  if (!answer) {
    place.replaceChildren(element("p", { class: "muted small" }, "The text could not be checked just now. Saving checks it too."));
    return;
  }
  const items = [...answer.problems.map(item(false)), ...answer.warnings.map(item(true))];
  area.setAttribute("aria-invalid", String(answer.problems.length > 0));
  if (items.length) {
    place.replaceChildren(element("ul", { class: "problems", "aria-label": "Problems" }, ...items));
  } else if (place.querySelector(".problems, p.muted")) {
    place.replaceChildren();
  }
  // While the text can't be read, the table stays what it was; the form of one tool is none.
  const table = document.getElementById("tools");
  const stale = answer.effects != null && table?.dataset.effects !== undefined && table.dataset.effects !== answer.effects;
  if (stale && !table.contains(document.activeElement)) document.getElementById("refresh")?.click();
}
