// Bundles both components into the directory named on the command line. Same inputs, same bytes.
import { build } from "esbuild";

const outdir = process.argv[2];
if (!outdir) throw new Error("usage: node build.mjs OUTPUT_DIRECTORY");

await build({
  entryPoints: ["src/workspace.ts", "src/countdown.ts"],
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome111", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  loader: { ".css": "text" },
  banner: { js: "/* study-app components (MIT). Bundles CodeMirror and Lezer, (c) Marijn Haverbeke and others, MIT. */" },
});
