// Writes web/static/editor.js from src/ and the packages of package-lock.json: `npm ci && npm run build`.
// `npm run check` fails when the file that is committed is not what this would write.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";

const target = new URL("../static/editor.js", import.meta.url);

const { outputFiles } = await build({
  entryPoints: [new URL("src/editor.js", import.meta.url).pathname],
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  write: false,
  banner: { js: "/* Built from web/editor: CodeMirror 6 (MIT, https://codemirror.net) and the policy editor of Tollgate. */" },
});
const made = outputFiles[0].text;

if (process.argv.includes("--check")) {
  const committed = await readFile(target, "utf8").catch(() => "");
  if (committed !== made) {
    console.error("web/static/editor.js is not what web/editor builds: run `npm ci && npm run build` in web/editor");
    process.exit(1);
  }
} else {
  await writeFile(target, made);
}
