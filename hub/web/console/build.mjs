// Bundles the console into ../static, or with --tests its unit tests into .tests.
// What it writes is committed, and the same for the same sources and lock file.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  charset: "utf8",
  logLevel: "warning",
};

if (process.argv.includes("--tests")) {
  const tests = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
  await build({
    ...shared,
    entryPoints: tests.map((name) => `test/${name}`),
    outdir: ".tests",
    platform: "node",
    target: "node20",
  });
} else {
  await build({
    ...shared,
    entryPoints: { console: "src/main.tsx", style: "src/style.css" },
    outdir: "../static",
    minify: true,
    legalComments: "none",
    // Phones of five years ago.
    target: ["chrome87", "firefox91", "safari14.1"],
  });
}
