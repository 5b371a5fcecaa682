// Makes a CodeMirror editor of every `textarea[data-editor]`. The textarea stays what the form sends, so that the page works
// the same without this file. Attributes of the textarea:
//   data-check    where the text is checked: a POST of `csrf` and `document`, answered with problems and warnings
//   data-schema   the JSON Schema of the language
//   data-tools    the server's tools with the names of their arguments, `{"get_run": ["run_id"]}`
//   data-rule     JSON Pointer of a rule to mark and to scroll to; may be set at any time
// An element with `data-line` (a number) or `data-pointer` (a JSON Pointer) leads to that place when it is clicked.
import { pathTokens } from "./pointer.js";
import { askBeforeLeaving } from "./leave.js";
import { showProblems } from "./list.js";
import { jumpToLine, jumpToRule, makeView, replaceText } from "./view.js";

/** Editors by the address that their form goes to: one whose form was replaced goes on in the new one, history and all. */
const editors = new Map();

function hostFor(area) {
  const host = document.createElement("div");
  host.className = "editor-host";
  host.attachShadow({ mode: "open" });
  return host;
}

function adopt(editor, area) {
  const { host, view } = editor;
  editor.area = area;
  const focused = view.hasFocus || editor.hadFocus;
  const plain = area.closest(".editor") ?? area;
  plain.after(host);
  plain.hidden = true;
  // What leads to the field leads to the editor.
  area.focus = () => view.focus();
  area.addEventListener("click", () => view.focus());
  replaceText(view, area.value);
  area.value = view.state.doc.toString();
  if (focused) view.focus();
  const mark = () => jumpToRule(view, area.dataset.rule ?? "", false);
  if (area.dataset.rule) mark();
  new MutationObserver(mark).observe(area, { attributeFilter: ["data-rule"] });
}

function enhance(area) {
  const key = area.form?.action ?? location.href;
  const known = editors.get(key);
  if (known && !document.contains(known.area)) {
    adopt(known, area);
    return;
  }
  const host = hostFor(area);
  const editor = { area, host, hadFocus: false, saved: area.value };
  editor.view = makeView({
    root: host.shadowRoot,
    text: area.value,
    readOnly: area.readOnly,
    label: area.labels?.[0]?.textContent.trim() || area.getAttribute("aria-label") || "Policy, JSON",
    area: () => editor.area,
    changed: (text) => { editor.area.value = text; },
    checked: (answer) => showProblems(editor.area, answer),
  });
  editors.set(key, editor);
  adopt(editor, area);
}

/** Editors whose page is gone are let go of. */
function sweep() {
  for (const [key, editor] of editors) {
    if (document.contains(editor.area)) continue;
    editor.view.destroy();
    editors.delete(key);
  }
}

function enhanceAll() {
  document.querySelectorAll("textarea[data-editor]").forEach((area) => {
    const editor = [...editors.values()].find((one) => one.area === area);
    if (!editor) enhance(area);
  });
  sweep();
}

const first = () => [...editors.values()].find((editor) => document.contains(editor.area));

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-line], [data-pointer]");
  const editor = link && first();
  if (!editor) return;
  const { line, pointer } = link.dataset;
  if (line ? jumpToLine(editor.view, Number(line), Number(link.dataset.column ?? 1)) : pathTokens(pointer) && jumpToRule(editor.view, pointer, true)) {
    event.preventDefault();
    editor.host.scrollIntoView({ block: "nearest" });
  }
});
askBeforeLeaving(() => {
  const editor = first();
  return Boolean(editor) && !editor.area.readOnly && editor.area.value !== editor.saved;
});
// A part of the page that is taken out loses its focus: it is given back when the editor goes on in the new part.
document.addEventListener("htmx:beforeSwap", () => {
  for (const editor of editors.values()) editor.hadFocus = editor.view.hasFocus;
});
document.addEventListener("htmx:afterSwap", (event) => {
  const before = new Set(editors.values());
  enhanceAll();
  const { target, xhr, requestConfig } = event.detail;
  for (const editor of editors.values()) {
    editor.hadFocus = false;
    if (target !== document.body) continue;
    // A page that was asked for shows what is saved, and so does one that says so; any other shows what was sent.
    const saved = requestConfig?.verb === "get" || /[?&]saved=/.test(xhr?.responseURL ?? "");
    if (saved) editor.saved = editor.area.value;
    else if (!before.has(editor)) editor.saved = null;
  }
});
enhanceAll();
