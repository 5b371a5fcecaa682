// What may stand at a place of the document, by the JSON Schema of the policy language.
import { keysOf, pathTo, placeAt } from "./place.js";
import { treeTo, unquote } from "./pointer.js";

/** Paths of conditions that lead to no argument. */
const CONTEXT = ["args", "grant.label", "grant.identity", "client.name", "client.version", "server.name", "tool.name"];

/** Follows `$ref` and offers every alternative of `anyOf`, `oneOf` and `allOf`. */
export function alternatives(schema, root, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > 16) return [];
  if (schema.$ref) {
    const target = schema.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], root);
    return [...alternatives(target, root, depth + 1), ...(schema.description ? [{ description: schema.description }] : [])];
  }
  const nested = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...nested.flatMap((one) => alternatives(one, root, depth + 1))];
}

function next(schema, step) {
  if (typeof step === "number") return schema.items;
  return schema.properties?.[step] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
}

/** The schemas of the value at `path`, a list of keys (texts) and indices (numbers). */
export function schemasAt(root, path) {
  return path.reduce((here, step) => here.flatMap((schema) => alternatives(next(schema, step), root)), alternatives(root, root));
}

/** The keys that an object at `path` may have: `{ label, detail, info, shell }`, without those in `present`. */
export function keysAt(root, path, present) {
  const found = new Map();
  for (const schema of schemasAt(root, path)) {
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      const all = alternatives(value, root);
      const first = all[0] ?? {};
      const info = value?.description ?? all.find((one) => one.description)?.description;
      if (!present.includes(key) && !found.has(key)) found.set(key, { label: key, detail: kind(first), info, shell: shellOf(all) });
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

/** What is written for a value of a type, with `|` where the cursor goes on. */
function shellOf(schemas) {
  const types = schemas.flatMap((schema) => schema.type ?? []);
  if (schemas.some((schema) => schema.enum || "const" in schema)) return "|";
  if (types[0] === "array") return "[|]";
  if (types[0] === "object") return "{|}";
  return types[0] === "string" ? '"|"' : "|";
}

/** Writes `text`, whose `|` is where the cursor goes on, over what was typed and the quote that was closed behind it. */
function applied(text) {
  return (view, _, from, to) => {
    const { state } = view;
    const behind = state.sliceDoc(to, to + 1) === '"' && state.sliceDoc(from, from + 1) === '"' ? 1 : 0;
    const [before, after] = text.split("|");
    view.dispatch({ changes: { from, to: to + behind, insert: before + after }, selection: { anchor: from + before.length }, userEvent: "input.complete" });
  };
}

function keyOption(state, to) {
  const rest = state.sliceDoc(to, to + 200).replace(/^"/, "");
  const named = /^\s*:/.test(rest);
  const comma = /^\s*"/.test(rest) ? "," : "";
  return ({ label, detail, info, shell = "{|}" }) => ({
    label: JSON.stringify(label), detail, info, type: "property",
    apply: applied(named ? `${JSON.stringify(label)}|` : `${JSON.stringify(label)}: ${shell}${comma}`),
  });
}

/** The names under `tools` that a pattern of the language means. */
function matching(tools, pattern) {
  const source = [...pattern].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c.replace(/[\\^$.|+()[\]{}]/g, "\\$&"))).join("");
  const expression = new RegExp(`^${source}$`, "s");
  return Object.keys(tools).filter((tool) => expression.test(tool));
}

/** The paths of conditions and costs, for the tools that the entry at `path` is about. */
export function pathsFor(tools, path) {
  const about = path[0] === "tools" ? matching(tools, path[1]) : Object.keys(tools);
  const names = new Set(about.flatMap((tool) => tools[tool]));
  const step = (name) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `args.${name}` : `args[${JSON.stringify(name)}]`);
  return [...[...names].map(step), ...CONTEXT];
}

const PATHS = ["path", "key", "increment_from"];

function valueOptions(schema, tools, path) {
  const last = path[path.length - 1];
  if (path[0] === "hide" && path.length === 2) return Object.keys(tools).map((tool) => JSON.stringify(tool));
  if (PATHS.includes(last) && path.length > 3) return pathsFor(tools, path).map((text) => JSON.stringify(text));
  return valuesAt(schema, path);
}

/** Offers keys and values where the cursor stands. `known()` gives `{ schema, tools }` once they are loaded. */
export function completions(known) {
  return (context) => {
    const { schema, tools } = known();
    const word = context.matchBefore(/"[^"\n]*|[A-Za-z_]*/);
    if (!schema || !word || (word.from === word.to && !context.explicit)) return null;
    const place = placeAt(context.state, context.pos, word.from);
    if (place?.object) {
      const path = pathTo(context.state, place.object);
      const present = keysOf(context.state, place.object).filter((key) => key !== unquote(word.text));
      const names = path.length === 1 && path[0] === "tools" ? Object.keys(tools).filter((tool) => !present.includes(tool)).map((label) => ({ label })) : [];
      const options = [...keysAt(schema, path, present), ...names].map(keyOption(context.state, context.pos));
      return options.length ? { from: word.from, options, validFor: /^"?[^"\n]*$/ } : null;
    }
    const texts = place ? valueOptions(schema, tools, place.path) : [];
    const options = texts.map((label) => ({ label, type: "enum", apply: applied(`${label}|`) }));
    return options.length ? { from: word.from, options, validFor: /^"?[^"\n]*$/ } : null;
  };
}

/** What the schema says of the key at `pos`. */
export function about(state, pos, { schema }) {
  const node = treeTo(state, pos).resolveInner(pos, 0);
  if (!schema || node.name !== "PropertyName") return null;
  const path = pathTo(state, node.parent.parent);
  const key = unquote(state.sliceDoc(node.from, node.to));
  const text = keysAt(schema, path, []).find((one) => one.label === key)?.info;
  return text ? { from: node.from, to: node.to, text } : null;
}
