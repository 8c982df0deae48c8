// Bundles the components into the directory named on the command line. Same inputs, same bytes.
import { build } from "esbuild";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const outdir = process.argv[2];
if (!outdir) throw new Error("usage: node build.mjs OUTPUT_DIRECTORY");

const { metafile } = await build({
  entryPoints: ["src/workspace.ts", "src/form.ts", "src/code.ts", "src/countdown.ts", "src/top.ts", "src/actions.ts"],
  outdir,
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: ["chrome111", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  loader: { ".css": "text" },
  banner: { js: "/* study-app; the licences of bundled packages are in LICENSES.txt */" },
});

// Each bundled package's licence asks to go wherever its code goes.
const bundled = Object.keys(metafile.inputs).flatMap((path) => /^node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path) ?? []);
const packages = [...new Set(bundled.filter((name) => name.startsWith("node_modules/")))].sort();
const notices = packages.map((path) => {
  const { name, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const file = readdirSync(path).find((each) => /^licen[cs]e/i.test(each));
  if (!file) throw new Error(`${name} ships no licence file`);
  return `${name} ${version}\n\n${readFileSync(join(path, file), "utf8").trim()}\n`;
});
writeFileSync(join(outdir, "LICENSES.txt"), notices.join("\n----\n\n"));
