// Problems and lines: what the server says of a document, at its place in the text.

/** The lines of a range `12-15` or a single `12`, as far as the document has them. */
export function linesOf(doc, range) {
  const [first, last = first] = (range ?? "").split("-").map(Number);
  if (!Number.isInteger(first) || first < 1) return [];
  const lines = [];
  for (let number = first; number <= Math.min(last, doc.lines); number += 1) lines.push(doc.line(number));
  return lines;
}

/** CodeMirror's diagnostics of an answer `{ problems, warnings }`; lines and columns count characters from 1. */
export function diagnostics(doc, answer) {
  const at = (severity) => ({ line, column, message }) => {
    const where = doc.line(Math.min(Math.max(line, 1), doc.lines));
    // Columns count characters, offsets count UTF-16 units.
    const from = Math.min(where.from + [...where.text].slice(0, column - 1).join("").length, where.to);
    const rest = doc.sliceString(from, where.to).match(/^("(?:[^"\\]|\\.)*"|[^\s,\]}]+)/);
    return { from, to: Math.max(from + (rest?.[0].length ?? 0), Math.min(from + 1, where.to)), severity, message };
  };
  return [...(answer.problems ?? []).map(at("error")), ...(answer.warnings ?? []).map(at("warning"))];
}
