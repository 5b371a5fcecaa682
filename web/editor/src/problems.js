// What the server says of the text, at its place: the source of CodeMirror's diagnostics.
import { treeTo } from "./pointer.js";
import { prose } from "./prose.js";

/** The offset of a line and column, which count characters from 1; offsets count UTF-16 units. */
export function offsetOf(doc, line, column) {
  const where = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(where.from + [...where.text].slice(0, Math.max(column, 1) - 1).join("").length, where.to);
}

/** The end of what begins at `from`: a key, a value, or as much of it as its first line has; a character where nothing does. */
export function endOf(state, from) {
  const line = state.doc.lineAt(from);
  let node = treeTo(state, line.to).resolveInner(from, 1);
  // Of those that begin here the outermost, but not the property or the text around it.
  while (node.parent && node.parent.from === node.from && !/^(Property|JsonText)$/.test(node.parent.name)) node = node.parent;
  const found = node.from === from && !/^(⚠|Property|JsonText)$/.test(node.name) ? Math.min(node.to, line.to) : from;
  return found > from ? found : Math.min(from + 1, state.doc.length);
}

/** CodeMirror's diagnostics of an answer `{ problems, warnings }`. */
export function diagnostics(state, answer) {
  const at = (severity) => ({ line, column, message }) => {
    const start = offsetOf(state.doc, line, column);
    const to = endOf(state, start);
    // Behind the last character there is nothing to underline: the one before it is.
    const from = start === to ? Math.max(start - 1, 0) : start;
    return { from, to, severity, message, renderMessage: () => prose(message) };
  };
  return [...(answer.problems ?? []).map(at("error")), ...(answer.warnings ?? []).map(at("warning"))];
}

/** Asks the server; nothing where it does not answer. */
export async function ask(area, text) {
  const body = new URLSearchParams({ csrf: area.form?.elements.csrf?.value ?? "", document: text });
  const answer = await fetch(area.dataset.check, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const json = answer?.ok && answer.headers.get("content-type")?.startsWith("application/json");
  return json ? answer.json().catch(() => null) : null;
}
