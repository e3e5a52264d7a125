// Bundle each entry into one self-contained module: anywidget loads every widget's module on its own.
import { context, build } from "esbuild";

const entries = ["hub", "frames", "mosaic", "raster", "panel", "transport"];
const options = {
  entryPoints: [...entries.map((name) => `src/${name}.ts`), "src/convis.css"],
  outdir: "../convis_widgets/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  logLevel: "info",
};

if (process.argv.includes("--watch")) await (await context(options)).watch();
else await build(options);
