// What may stand at a place of the document, by the JSON Schema of the policy language.
import { syntaxTree } from "@codemirror/language";

/** Follows `$ref` and offers every alternative of `anyOf`, `oneOf` and `allOf`. */
export function alternatives(schema, root, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > 16) return [];
  if (schema.$ref) {
    const target = schema.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], root);
    return alternatives(target, root, depth + 1);
  }
  const nested = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...nested.flatMap((one) => alternatives(one, root, depth + 1))];
}

/** The schemas of the value at `path`, a list of keys (texts) and indices (numbers). */
export function schemasAt(root, path) {
  let here = alternatives(root, root);
  for (const step of path) {
    here = here.flatMap((schema) => {
      const next = typeof step === "number"
        ? schema.items
        : schema.properties?.[step] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
      return alternatives(next, root);
    });
  }
  return here;
}

/** The keys that an object at `path` may have: `{ label, detail, info }`, without those in `present`. */
export function keysAt(root, path, present) {
  const found = new Map();
  for (const schema of schemasAt(root, path)) {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      const first = alternatives(value, root)[0] ?? {};
      if (!present.includes(key)) found.set(key, { label: key, detail: kind(first), info: first.description ?? value?.description });
    }
  }
  return [...found.values()];
}

/** The texts and literals that a value at `path` may be, as JSON. */
export function valuesAt(root, path) {
  const found = new Set();
  for (const schema of schemasAt(root, path)) {
    for (const value of schema.enum ?? []) found.add(JSON.stringify(value));
    if ("const" in schema) found.add(JSON.stringify(schema.const));
    if (schema.type === "boolean") ["true", "false"].forEach((text) => found.add(text));
  }
  return [...found];
}

function kind(schema) {
  if (schema.enum || "const" in schema) return "";
  return Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type ?? "";
}

const unquote = (text) => { try { return JSON.parse(text); } catch { return text.replace(/^"|"$/g, ""); } };

/** The path to `node`, and, where it is an object, the keys it has. */
export function pathTo(state, node) {
  const text = (part) => state.sliceDoc(part.from, part.to);
  const path = [];
  for (let at = node; at?.parent; at = at.parent) {
    if (at.name === "Property") {
      const name = at.getChild("PropertyName");
      if (name && node !== at) path.unshift(unquote(text(name)));
    } else if (at.parent.name === "Array") {
      let index = 0;
      for (let before = at.prevSibling; before; before = before.prevSibling) if (/^[A-Z]/.test(before.name) && before.name !== "⚠") index += 1;
      path.unshift(index);
    }
  }
  return path;
}

/** The keys that the object `node` has already. */
export function keysOf(state, node) {
  return node.getChildren("Property").flatMap((property) => {
    const name = property.getChild("PropertyName");
    return name ? [unquote(state.sliceDoc(name.from, name.to))] : [];
  });
}

/** Offers keys and values where the cursor stands. `known()` gives `{ schema, tools }` once they are loaded. */
export function completions(known) {
  return (context) => {
    const { schema, tools } = known();
    if (!schema) return null;
    const { state, pos } = context;
    const node = syntaxTree(state).resolveInner(pos, -1);
    const word = context.matchBefore(/"[^"\n]*|[A-Za-z_]*/);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const object = node.name === "Object" ? node : node.name === "PropertyName" || (node.name === "⚠" && node.parent?.name === "Object") ? closest(node, "Object") : null;
    if (object && !afterColon(state, word.from)) {
      const path = pathTo(state, object);
      const present = keysOf(state, object).filter((key) => key !== unquote(word.text));
      const names = path.length === 1 && path[0] === "tools" ? tools.filter((tool) => !present.includes(tool)).map((label) => ({ label })) : [];
      return {
        from: word.from,
        options: [...keysAt(schema, path, present), ...names].map((option) => ({ ...option, type: "property", label: JSON.stringify(option.label), apply: `${JSON.stringify(option.label)}: ` })),
        validFor: /^"[^"\n]*$/,
      };
    }
    const path = valuePath(state, node);
    const texts = path[0] === "hide" ? tools.map((tool) => JSON.stringify(tool)) : valuesAt(schema, path);
    return texts.length ? { from: word.from, options: texts.map((label) => ({ label, type: "enum" })), validFor: /^"?[^"\n]*$/ } : null;
  };
}

function closest(node, name) {
  let at = node;
  while (at && at.name !== name) at = at.parent;
  return at;
}

function afterColon(state, pos) {
  return /:\s*$/.test(state.sliceDoc(Math.max(0, pos - 40), pos));
}

function valuePath(state, node) {
  const property = closest(node, "Property");
  if (node.name === "Property") return [...pathTo(state, node.parent), unquote(state.sliceDoc(node.firstChild.from, node.firstChild.to))];
  return property || closest(node, "Array") ? pathTo(state, node) : [];
}
