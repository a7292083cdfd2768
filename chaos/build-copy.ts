// A copy of the build in a temporary directory, for tests and chaos runs that change its code. Owns which files a copy has: those that a manager loads or
// reads. The rest of the build is four times as large.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Folders of the library's modules, which the bundle contains. */
const LIBRARY = [
  ...['callbacks', 'image', 'install', 'manager', 'memory', 'options', 'packages', 'session', 'shared'],
  ...['slots', 'store', 'telemetry', 'vfs'],
]

export class BuildCopy {
  readonly directory = mkdtempSync(join(tmpdir(), 'brumate-copy-'))
  readonly #root: string
  readonly #dist = join(this.directory, 'dist')

  /** @param root the package's root */
  constructor(root: string) {
    this.#root = root
    writeFileSync(join(this.directory, 'package.json'), '{"type":"module"}')
    symlinkSync(join(this.#root, 'node_modules'), join(this.directory, 'node_modules'), 'junction')
    this.#copy('workers', ['.cjs', '.json'])
    this.#copy('packages', ['.cjs'])
    this.#copy('src/bundle', ['.js'])
    writeFileSync(this.path('src/index.js'), "export * from './bundle/index.js'\n")
  }

  /** Makes `src/index.js` load separate modules instead of the bundle. */
  loadModules(): void {
    this.#copy('src', ['.js'])
    for (const folder of LIBRARY)
      cpSync(join(this.#root, 'dist/src', folder), this.path(join('src', folder)), {
        recursive: true,
        filter: (source) => !source.endsWith('.d.ts'),
      })
    writeFileSync(this.path('src/index.js'), "export * from './modules.js'\n")
  }

  /** Path of a file of the copy. */
  path(file: string): string {
    return join(this.#dist, file)
  }

  /** URL to pass to a child as its `dist`. */
  get url(): string {
    return `${pathToFileURL(this.#dist).href}/`
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Copies the files of a folder that have one of the extensions, but no folders in it. */
  #copy(folder: string, extensions: readonly string[]): void {
    mkdirSync(this.path(folder), { recursive: true })
    for (const name of readdirSync(join(this.#root, 'dist', folder)))
      if (extensions.includes(extname(name)))
        cpSync(join(this.#root, 'dist', folder, name), this.path(join(folder, name)))
  }
}
