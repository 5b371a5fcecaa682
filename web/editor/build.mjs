// Writes web/static/editor.js from src/ and the packages of package-lock.json; with `--check`, fails when the file that is
// committed is not what this would write. `make editor` runs it.
//
// The first line of the file names what it was made from and what it is: the SHA-256 of the sources (this file, package.json,
// package-lock.json and src/, by name: a name, a zero byte, the text, a zero byte) and of everything behind that line.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";

const here = new URL("./", import.meta.url);
const target = new URL("../static/editor.js", here);
const sha256 = (text) => createHash("sha256").update(text).digest("hex");

async function sources() {
  const modules = (await readdir(new URL("src/", here))).map((name) => `src/${name}`);
  const names = ["build.mjs", "package-lock.json", "package.json", ...modules].sort();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, here), "utf8")));
  return names.map((name, at) => `${name}\0${texts[at]}\0`).join("");
}

const { outputFiles: [{ text }] } = await build({
  entryPoints: [new URL("src/editor.js", here).pathname],
  bundle: true,
  format: "iife",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  write: false,
});
const made = `/* Built from web/editor by \`make editor\`: CodeMirror 6 (MIT, editor.LICENSE) and Tollgate's policy editor. sources ${sha256(await sources())} code ${sha256(text)} */\n${text}`;

if (process.argv.includes("--check")) {
  const committed = await readFile(target, "utf8").catch(() => "");
  if (committed !== made) {
    console.error("web/static/editor.js is not what web/editor builds: run `make editor` and commit the result");
    process.exit(1);
  }
} else {
  await writeFile(target, made);
}
