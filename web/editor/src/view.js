// One editor: its extensions, and what the page asks of it.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { forceLinting, linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { ask, diagnostics, offsetOf } from "./problems.js";
import { rangeOf } from "./pointer.js";
import { prose } from "./prose.js";
import { about, completions } from "./schema.js";
import { theme } from "./theme.js";

const HELP = "Tab indents. Press Escape, then Tab, to leave the editor. Control and Space complete; F8 goes to the next problem.";
/** How long a text rests before it is checked, in milliseconds. */
const REST = 400;

const markRule = StateEffect.define();

/** The lines of a rule are marked. They move with the text as it is edited. */
const marks = StateField.define({
  create: () => Decoration.none,
  update(set, change) {
    let next = set.map(change.changes);
    for (const effect of change.effects) if (effect.is(markRule)) next = decorated(change.state.doc, effect.value);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function decorated(doc, range) {
  if (!range) return Decoration.none;
  const lines = [];
  for (let number = doc.lineAt(range.from).number; number <= doc.lineAt(range.to).number; number += 1) {
    lines.push(Decoration.line({ class: "cm-rule" }).range(doc.line(number).from));
  }
  return Decoration.set(lines);
}

function save(area) {
  const button = area().form?.querySelector('button[name="do"][value="save"]');
  button?.click();
  return Boolean(button);
}

function checking({ area, checked }) {
  return linter(async (view) => {
    const { state } = view;
    const answer = await ask(area(), state.doc.toString());
    // What was typed in the meantime is checked next; an editor that is gone says nothing.
    if (view.state.doc !== state.doc || !document.contains(area())) return [];
    checked(answer);
    return answer ? diagnostics(state, answer) : [];
  }, { delay: REST });
}

/** Typing over a selection. Browsers keep the looks of what they replace by inline styles, which the page's policy refuses. */
function typeOver(event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== "insertText" || event.data === null || empty || view.composing || view.state.readOnly) return false;
  const typed = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  const handled = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, typed));
  if (!handled) view.dispatch(typed());
  event.preventDefault();
  return true;
}

function knowledge(area) {
  const known = { schema: null, tools: {} };
  if (area().dataset.schema) {
    fetch(area().dataset.schema).then((answer) => answer.json()).then((schema) => { known.schema = schema; }, () => {});
  }
  return () => {
    try {
      known.tools = JSON.parse(area().dataset.tools || "{}");
    } catch {
      known.tools = {};
    }
    return known;
  };
}

function explained(known) {
  return hoverTooltip((view, pos) => {
    const found = about(view.state, pos, known());
    if (!found) return null;
    const create = () => {
      const dom = prose(found.text);
      dom.className = "cm-about";
      return { dom };
    };
    return { pos: found.from, end: found.to, above: true, create };
  });
}

/** The editor of a text, in a shadow root: there its styles are adopted, where the page's policy takes none that are inline. */
export function makeView(options) {
  const { root, text, readOnly, label, area, changed } = options;
  const help = document.createElement("p");
  help.id = "help";
  help.hidden = true;
  help.textContent = HELP;
  const known = knowledge(area);
  const extensions = [
    lintGutter(), lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(),
    autocompletion({ override: [completions(known)], icons: false }), highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(),
    keymap.of([
      { key: "Mod-s", preventDefault: true, run: () => save(area) },
      ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab,
    ]),
    json(), theme, marks, explained(known), EditorState.tabSize.of(2), EditorView.lineWrapping, EditorState.readOnly.of(readOnly),
    EditorView.domEventHandlers({ beforeinput: typeOver }),
    EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": "help" }),
    area().dataset.check ? checking(options) : [],
    EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
  ];
  const view = new EditorView({ root, state: EditorState.create({ doc: text, extensions }) });
  root.append(view.dom, help);
  return view;
}

/** Makes the text another one by the smallest change that does: what is undone is the change, and the cursor stays where it was. */
export function replaceText(view, text) {
  const before = view.state.doc.toString();
  if (before === text) return;
  let from = 0;
  while (from < Math.min(before.length, text.length) && before[from] === text[from]) from += 1;
  let kept = 0;
  while (kept < Math.min(before.length, text.length) - from && before[before.length - 1 - kept] === text[text.length - 1 - kept]) kept += 1;
  view.dispatch({
    changes: { from, to: before.length - kept, insert: text.slice(from, text.length - kept) },
    effects: EditorView.scrollIntoView(Math.min(from, text.length), { y: "nearest", yMargin: 60 }),
    userEvent: "input.choice",
  });
  forceLinting(view);
}

/** Puts the cursor on a line. */
export function jumpToLine(view, line, column) {
  const at = offsetOf(view.state.doc, line, column);
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  view.focus();
  return true;
}

/** Marks the rule at a pointer and scrolls to it; `go` moves the cursor there too. False where there is no such rule. */
export function jumpToRule(view, pointer, go) {
  const range = rangeOf(view.state, pointer);
  const effects = [markRule.of(range)];
  if (range) effects.push(EditorView.scrollIntoView(range.from, { y: "center" }));
  view.dispatch(range && go ? { selection: { anchor: range.from }, effects } : { effects });
  if (range && go) view.focus();
  return Boolean(range);
}
