// Makes a CodeMirror editor of every `textarea[data-editor]`. The textarea stays what the form sends, so that the page works
// the same without this file. Addresses come from the textarea's data attributes:
//   data-check    POST of the text; answers {"problems": [{line, column, message}], "warnings": [...]}
//   data-csrf     sent along as `X-CSRF-Token`
//   data-schema   the JSON Schema of the language
//   data-tools    names of the server's tools, separated by blanks
//   data-rule     the lines to mark, `12-15`
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { diagnostics, linesOf } from "./problems.js";
import { completions } from "./schema.js";
import { theme } from "./theme.js";

/** Marks the lines of a rule. They move with the text as it is edited. */
function marked(lines) {
  const marks = (doc) => Decoration.set(linesOf(doc, lines).map((line) => Decoration.line({ class: "cm-rule" }).range(line.from)));
  return StateField.define({
    create: (state) => marks(state.doc),
    update: (set, change) => set.map(change.changes),
    provide: (field) => EditorView.decorations.from(field),
  });
}

function check(area) {
  return linter(async (view) => {
    const text = view.state.doc.toString();
    const answer = await fetch(area.dataset.check, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": area.dataset.csrf ?? "" },
      body: text,
    }).catch(() => null);
    return answer?.ok ? diagnostics(view.state.doc, await answer.json()) : [];
  }, { delay: 400 });
}

function enhance(area) {
  const known = { schema: null, tools: (area.dataset.tools ?? "").split(" ").filter(Boolean) };
  if (area.dataset.schema) fetch(area.dataset.schema).then((answer) => answer.json()).then((schema) => { known.schema = schema; }, () => {});
  const label = area.labels?.[0]?.textContent.trim() ?? area.getAttribute("aria-label") ?? "Policy";
  const view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
        autocompletion({ override: [completions(() => known)] }), highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        json(), theme, EditorState.tabSize.of(2), EditorView.lineWrapping,
        EditorState.readOnly.of(area.readOnly),
        EditorView.contentAttributes.of({ "aria-label": label, ...(area.getAttribute("aria-describedby") && { "aria-describedby": area.getAttribute("aria-describedby") }) }),
        marked(area.dataset.rule),
        area.dataset.check ? [lintGutter(), check(area)] : [],
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  area.hidden = true;
  area.after(view.dom);
  const [first] = linesOf(view.state.doc, area.dataset.rule);
  if (first) view.dispatch({ effects: EditorView.scrollIntoView(first.from, { y: "center" }) });
}

document.querySelectorAll("textarea[data-editor]").forEach(enhance);
