// JSON Pointers (RFC 6901): the place of a value in the text.
import { ensureSyntaxTree, syntaxTree } from "@codemirror/language";

/** The text's tree up to a place, read now if it has not been yet; what there is of it where that takes too long. */
export function treeTo(state, pos) {
  return ensureSyntaxTree(state, pos, 200) ?? syntaxTree(state);
}

/** The keys and indices of a pointer; nothing for what is none, such as `(default deny)`. */
export function pathTokens(pointer) {
  if (!pointer?.startsWith("/")) return null;
  return pointer.slice(1).split("/").map((token) => token.replace(/~1/g, "/").replace(/~0/g, "~"));
}

/** A text of the document, unquoted. */
export function unquote(text) {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.replace(/^"|"$/g, "");
  }
}

const isValue = (node) => /^[A-Z]/.test(node.name);

/** The values in an array or at the top of the document. */
export function valuesIn(node) {
  const values = [];
  for (let child = node.firstChild; child; child = child.nextSibling) if (isValue(child)) values.push(child);
  return values;
}

/** The property of an object by its key. */
export function propertyOf(state, object, key) {
  return object.getChildren("Property").find((property) => {
    const name = property.getChild("PropertyName");
    return name && unquote(state.sliceDoc(name.from, name.to)) === key;
  });
}

/** From where to where the value at `pointer` stands, its key included; nothing where there is none. */
export function rangeOf(state, pointer) {
  const tokens = pathTokens(pointer);
  if (!tokens) return null;
  let [node] = valuesIn(treeTo(state, state.doc.length).topNode);
  let range = null;
  for (const token of tokens) {
    if (node?.name === "Object") {
      range = propertyOf(state, node, token);
      node = range?.lastChild;
    } else if (node?.name === "Array" && /^(0|[1-9][0-9]*)$/.test(token)) {
      range = node = valuesIn(node)[Number(token)];
    } else {
      return null;
    }
    if (!range) return null;
  }
  return { from: range.from, to: range.to };
}
