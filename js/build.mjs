// Builds the front end into ../clusterwidget/static: one ES module and one style sheet, nothing else to fetch.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { shield } from "./shield.mjs";

const outdir = new URL("../clusterwidget/static/", import.meta.url).pathname;

const shielding = {
  name: "shield",
  setup(build) {
    build.onLoad({ filter: /src\/style\/.*\.css$/ }, async ({ path }) => ({
      contents: shield(await readFile(path, "utf8")),
      loader: "css",
    }));
  },
};

const options = {
  entryPoints: [
    "src/widget.ts",
    "src/page.ts",
    "src/served.ts",
    "src/widget.css",
    "src/served.css",
  ],
  outdir,
  bundle: true,
  format: "esm",
  target: ["es2022", "chrome110", "firefox115", "safari16"],
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: true,
  plugins: [shielding],
  legalComments: "none",
  logLevel: "info",
  absWorkingDir: new URL(".", import.meta.url).pathname,
};

async function printSizes() {
  for (const [what, files] of [
    ["widget", ["widget.js", "widget.css"]],
    ["page", ["page.js", "widget.css"]],
    ["served page", ["served.js", "widget.css", "served.css"]],
  ]) {
    const read = await Promise.all(files.map((name) => readFile(`${outdir}${name}`)));
    const bytes = read.map((file) => gzipSync(file, { level: 9 }).length);
    const parts = files.map((name, i) => `${name} ${bytes[i]}`).join(", ");
    console.log(`${what}  ${bytes.reduce((a, b) => a + b)} bytes gzipped (${parts})`);
  }
}

if (process.argv.includes("--size")) {
  await printSizes();
} else if (process.argv.includes("--watch")) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
