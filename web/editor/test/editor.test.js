// What of the editor needs no browser: places in the document, and what the schema offers there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "@codemirror/lang-json";
import { CompletionContext } from "@codemirror/autocomplete";
import { EditorState } from "@codemirror/state";
import { diagnostics } from "../src/problems.js";
import { rangeOf } from "../src/pointer.js";
import { about, completions, pathsFor, valuesAt } from "../src/schema.js";

const schema = {
  $defs: {
    entry: { type: "object", properties: { action: { enum: ["allow", "deny"] }, limits: { type: "array", items: { $ref: "#/$defs/limit" } }, require: { type: "array", items: { anyOf: [{ $ref: "#/$defs/test" }] } } } },
    limit: { type: "object", properties: { counter: { type: "string", description: "What is counted." }, scope: { enum: ["grant", "server"] } } },
    test: { type: "object", properties: { path: { type: "string" }, op: { enum: ["eq", "lt"] }, value: {} } },
  },
  type: "object",
  properties: { default: { enum: ["allow", "deny"] }, tools: { type: "object", additionalProperties: { $ref: "#/$defs/entry" } }, hide: { type: "array" } },
};
const tools = { list_runs: ["limit"], get_run: ["run_id", "odd-name"] };
const stateOf = (doc) => EditorState.create({ doc, extensions: [json()] });

/** The answer at `|`. */
function answerAt(text) {
  const pos = text.indexOf("|");
  const state = stateOf(text.replace("|", ""));
  return { state, pos, answer: completions(() => ({ schema, tools }))(new CompletionContext(state, pos, true)) };
}

/** The labels offered at `|`. */
const offered = (text) => answerAt(text).answer?.options.map((option) => option.label) ?? [];

/** The text after the offer `label` is taken at `|`, with `|` where the cursor is then. */
function taken(text, label) {
  const { state, pos, answer } = answerAt(text);
  const option = answer.options.find((one) => one.label === label);
  let after = null;
  option.apply({ state, dispatch: (change) => { after = state.update(change).state; } }, option, answer.from, pos);
  const { head } = after.selection.main;
  return `${after.sliceDoc(0, head)}|${after.sliceDoc(head)}`;
}

test("keys of the document, less those it has", () => {
  assert.deepEqual(offered(`{"default": "deny", "|"}`), ['"tools"', '"hide"']);
});

test("keys of an entry, through $ref and any tool's name", () => {
  assert.deepEqual(offered(`{"tools": {"get_run": {"|"}}}`), ['"action"', '"limits"', '"require"']);
  assert.deepEqual(offered(`{"tools": {"get_run": {"limits": [{"counter": "a", "|"}]}}}`), ['"scope"']);
});

test("the server's tools, as keys and under hide", () => {
  assert.deepEqual(offered(`{"tools": {"list_runs": {}, "|"}}`), ['"get_run"']);
  assert.deepEqual(offered(`{"hide": ["|"]}`), ['"list_runs"', '"get_run"']);
  assert.deepEqual(offered(`{"hide": [|]}`), ['"list_runs"', '"get_run"']);
});

test("values of a key", () => {
  assert.deepEqual(offered(`{"default": |}`), ['"allow"', '"deny"']);
  assert.deepEqual(offered(`{"default": "|"}`), ['"allow"', '"deny"']);
  assert.deepEqual(offered(`{"tools": {"get_run": {"limits": [{"scope": "|"}]}}}`), ['"grant"', '"server"']);
  assert.deepEqual(valuesAt(schema, ["tools", "x", "action"]), ['"allow"', '"deny"']);
});

test("arguments of the tools that an entry is about", () => {
  const paths = offered(`{"tools": {"get_*": {"require": [{"path": "|"}]}}}`);
  assert.deepEqual(paths.slice(0, 3), ['"args.run_id"', JSON.stringify('args["odd-name"]'), '"args"']);
  assert.ok(!paths.includes('"args.limit"'));
  assert.ok(pathsFor(tools, ["all_tools"]).includes("args.limit"));
});

test("what is taken leaves JSON behind", () => {
  assert.equal(taken(`{"|"}`, '"tools"'), `{"tools": {|}}`);
  assert.equal(taken(`{"ho|" "default": "deny"}`, '"hide"'), `{"hide": [|], "default": "deny"}`);
  assert.equal(taken(`{"default": "|"}`, '"deny"'), `{"default": "deny"|}`);
  assert.equal(taken(`{"|": {}}`, '"tools"'), `{"tools"|: {}}`);
});

test("what the schema says of a key", () => {
  const state = stateOf(`{"tools": {"x": {"limits": [{"counter": 1}]}}}`);
  assert.equal(about(state, 31, { schema }).text, "What is counted.");
  assert.equal(about(state, 10, { schema }), null);
});

test("a problem covers its token, counted in characters", () => {
  const state = stateOf('{\n  "🦀": "tru",\n  "a": {\n    "b": 1 }\n}');
  const at = (line, column) => {
    const [{ from, to }] = diagnostics(state, { problems: [{ line, column, message: "no" }] });
    return state.sliceDoc(from, to);
  };
  assert.equal(at(2, 8), '"tru"');
  assert.equal(at(2, 3), '"🦀"');
  assert.equal(at(3, 8), "{", "of an object the part on its first line");
  assert.equal(at(4, 5), '"b"');
  assert.equal(at(9, 9), "}", "behind the end, the last character");
});

test("a rule is found by its pointer", () => {
  const text = `{"tools": {"a/b": {"limits": [{"counter": "x"}, {"counter": "y"}]}}}`;
  const state = stateOf(text);
  const found = (pointer) => {
    const range = rangeOf(state, pointer);
    return range && state.sliceDoc(range.from, range.to);
  };
  assert.equal(found("/tools/a~1b/limits/1"), `{"counter": "y"}`);
  assert.equal(found("/tools/a~1b/limits/1/counter"), `"counter": "y"`);
  for (const none of ["/tools/c", "/tools/a~1b/limits/2", "/tools/a~1b/limits/01", "(default deny)", ""]) assert.equal(found(none), null, none);
});
