// Runs an example by name from what the build compiled: `node examples/run.mjs tour [--json]`.
const [name = ''] = process.argv.splice(2, 1)
if (!/^[a-z]+$/.test(name)) {
  console.error('usage: node examples/run.mjs NAME [options]   (NAME: tour)')
  process.exit(2)
}
await import(new URL(`../dist/examples/${name}.js`, import.meta.url).href)
