// Runs an example by name from what the build compiled: `node examples/run.mjs tour [--json]`, `node examples/run.mjs approval freeze FILE`.
const [name = ''] = process.argv.splice(2, 1)
if (!/^[a-z]+$/.test(name)) {
  console.error('usage: node examples/run.mjs NAME [options]   (NAME: tour, approval, restate)')
  process.exit(2)
}
await import(new URL(`../dist/examples/${name}.js`, import.meta.url).href)
