// `npm run site`: builds the documentation as a site, in dist/site. The pages are the repository's; TypeDoc writes the reference from the
// public declarations; VitePress builds both, and fails on a dead link. `--serve` serves the current state on this machine. Needs a build.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'
import { build, createServer } from 'vitepress'
import { pagesOf, sidebarOf, withSiteLinks } from './site/pages.mjs'
import { SUBPATHS } from './subpaths.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'dist/site-source')
const settings = join(source, '.vitepress')

rmSync(source, { recursive: true, force: true })
mkdirSync(settings, { recursive: true })
const titles = writePages()
const reference = await writeReference()
for (const name of ['config.mjs', 'slug.mjs']) cpSync(join(root, 'scripts/site', name), join(settings, name))
writeFileSync(join(settings, 'sidebar.json'), JSON.stringify({ guide: sidebarOf(titles), reference }))
if (process.argv.includes('--serve')) {
  const server = await createServer(source)
  await server.listen()
  server.printUrls()
} else {
  await build(source, { outDir: join(root, 'dist/site') })
  rmSync(source, { recursive: true, force: true })
}

/** Writes the pages. Returns their titles by name. */
function writePages() {
  const pages = pagesOf(root)
  for (const [file, name] of pages)
    writeFileSync(
      join(source, `${name}.md`),
      withSiteLinks(readFileSync(join(root, file), 'utf8'), file, pages),
    )
  // Images of the pages.
  const charts = join(root, 'docs/benchmarks')
  if (existsSync(charts)) cpSync(charts, join(source, 'benchmarks'), { recursive: true })
  return new Map(
    [...pages].map(([file, name]) => {
      const [, title = name] = /^# (.+)$/m.exec(readFileSync(join(root, file), 'utf8')) ?? []
      return [name, name === 'index' ? 'Introduction' : title.replaceAll('`', '')]
    }),
  )
}

/** Writes a reference of the public declarations with their comments, one folder for each sub-path. Returns their order. */
async function writeReference() {
  const names = ['index', ...SUBPATHS]
  const configuration = join(settings, 'tsconfig.json')
  const files = names.map((name) => join(root, `dist/src/${name}.d.ts`))
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    paths: { brumate: [files[0]] },
  }
  writeFileSync(configuration, JSON.stringify({ compilerOptions, files }))
  const app = await Application.bootstrapWithPlugins({
    ...{ name: 'Reference', entryPoints: files, tsconfig: configuration, out: join(source, 'reference') },
    ...{ plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'], docsRoot: source },
    // One page per sub-path: one per name would be hundreds of pages, and take a minute.
    outputFileStrategy: 'modules',
    ...{
      readme: 'none',
      disableSources: true,
      hideGenerator: true,
      excludeInternal: true,
      excludePrivate: true,
    },
    logLevel: 'Warn',
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('the reference cannot be made: see above')
  await app.generateOutputs(project)
  return JSON.parse(readFileSync(join(source, 'reference/typedoc-sidebar.json'), 'utf8'))
}
