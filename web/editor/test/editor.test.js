// What of the editor needs no browser: places in the document, and what the schema offers there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "@codemirror/lang-json";
import { CompletionContext } from "@codemirror/autocomplete";
import { EditorState, Text } from "@codemirror/state";
import { diagnostics, linesOf } from "../src/problems.js";
import { completions, valuesAt } from "../src/schema.js";

const schema = {
  $defs: { entry: { type: "object", properties: { action: { enum: ["allow", "deny"] }, limits: { type: "array", items: { $ref: "#/$defs/limit" } } } },
    limit: { type: "object", properties: { counter: { type: "string" }, scope: { enum: ["grant", "server"] } } } },
  type: "object",
  properties: { default: { enum: ["allow", "deny"] }, tools: { type: "object", additionalProperties: { $ref: "#/$defs/entry" } }, hide: { type: "array" } },
};

/** The labels offered at `|`. */
function offered(text) {
  const pos = text.indexOf("|");
  const state = EditorState.create({ doc: text.replace("|", ""), extensions: [json()] });
  const answer = completions(() => ({ schema, tools: ["list_runs", "get_run"] }))(new CompletionContext(state, pos, true));
  return answer?.options.map((option) => option.label) ?? [];
}

test("keys of the document, less those it has", () => {
  assert.deepEqual(offered(`{"default": "deny", "|"}`), ['"tools"', '"hide"']);
});

test("keys of an entry, through $ref and any tool's name", () => {
  assert.deepEqual(offered(`{"tools": {"get_run": {"|"}}}`), ['"action"', '"limits"']);
  assert.deepEqual(offered(`{"tools": {"get_run": {"limits": [{"counter": "a", "|"}]}}}`), ['"scope"']);
});

test("the server's tools, as keys and under hide", () => {
  assert.deepEqual(offered(`{"tools": {"list_runs": {}, "|"}}`), ['"get_run"']);
  assert.deepEqual(offered(`{"hide": ["|"]}`), ['"list_runs"', '"get_run"']);
});

test("values of a key", () => {
  assert.deepEqual(offered(`{"default": |}`), ['"allow"', '"deny"']);
  assert.deepEqual(offered(`{"tools": {"get_run": {"limits": [{"scope": "|"}]}}}`), ['"grant"', '"server"']);
  assert.deepEqual(valuesAt(schema, ["tools", "x", "action"]), ['"allow"', '"deny"']);
});

test("a problem covers its token, counted in characters", () => {
  const doc = Text.of(["{", '  "🦀": "tru"', "}"]);
  const [found] = diagnostics(doc, { problems: [{ line: 2, column: 8, message: "no" }] });
  assert.equal(doc.sliceString(found.from, found.to), '"tru"');
  assert.equal(found.severity, "error");
});

test("lines of a rule stay inside the document", () => {
  const doc = Text.of(["a", "b", "c"]);
  assert.deepEqual(linesOf(doc, "2-9").map((line) => line.number), [2, 3]);
  assert.deepEqual(linesOf(doc, "0"), []);
  assert.deepEqual(linesOf(doc, undefined), []);
});
