// Looks: the page's own colours, so light and dark follow the page.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const tooltip = { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px" };
const field = { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px" };

const look = EditorView.theme({
  "&": { fontSize: "13px", backgroundColor: "var(--sunk)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", minHeight: "340px", maxHeight: "max(480px, 100vh - 240px)", overflow: "auto", borderRadius: "6px" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 12px 0 8px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "32px", padding: "0 4px 0 8px" },
  ".cm-foldGutter .cm-gutterElement": { cursor: "pointer", padding: "0 4px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  // CodeMirror paints the selection in two ways; both are more specific than a theme's plain rule.
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, & > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: "var(--selection)" },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--mark)", outline: "1px solid var(--line-strong)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--mark)", outline: "2px solid var(--limit)" },
  ".cm-line.cm-rule": { backgroundColor: "var(--mark)", boxShadow: "inset 3px 0 var(--limit)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--hover)", border: "1px solid var(--line-strong)", color: "var(--muted)", padding: "0 4px" },
  ".cm-matchingBracket, .cm-nonmatchingBracket": { backgroundColor: "transparent" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--line-strong)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--removed)" },
  ".cm-tooltip": tooltip,
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "240px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", lineHeight: "18px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--accent-ink)" },
  ".cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal" },
  ".cm-tooltip.cm-completionInfo": { ...tooltip, padding: "6px 10px", maxWidth: "320px", fontFamily: "var(--sans)" },
  ".cm-about": { padding: "6px 10px", maxWidth: "360px", fontFamily: "var(--sans)" },
  ".cm-diagnostic": { padding: "6px 10px", maxWidth: "480px", fontFamily: "var(--sans)", fontSize: "13px" },
  ".cm-diagnostic code, .cm-about code": { fontFamily: "var(--mono)", overflowWrap: "anywhere" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--deny)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--limit)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--deny) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--limit) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-active": { backgroundColor: "var(--hover)" },
  ".cm-gutter-lint": { width: "16px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 0 0 4px" },
  ".cm-lint-marker": { width: "10px", height: "10px", margin: "5px 0", content: "none" },
  ".cm-lint-marker-error": { content: "none", borderRadius: "50%", backgroundColor: "var(--deny)" },
  ".cm-lint-marker-warning": { content: "none", borderRadius: "2px", backgroundColor: "var(--limit)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-panels.cm-panels-top, .cm-panels.cm-panels-bottom": { borderColor: "var(--line)" },
  ".cm-panel.cm-search": { padding: "8px", fontFamily: "var(--sans)" },
  ".cm-panel.cm-search [name=close]": { color: "var(--muted)", fontSize: "16px" },
  ".cm-textfield": { ...field, padding: "2px 8px" },
  ".cm-button": { ...field, backgroundImage: "none", padding: "2px 8px" },
  "@media (pointer: coarse)": { "&": { fontSize: "16px" }, ".cm-scroller": { lineHeight: "24px" } },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--allow)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--limit)" },
  { tag: [tags.brace, tags.squareBracket, tags.separator], color: "var(--muted)" },
]);

export const theme = [look, syntaxHighlighting(colours)];
