// Which source file imports which. Type-only imports, re-exports and `import()` count, because a reader has to follow them, too.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The files that each file imports. Paths are relative to the repository's root, such as `src/session.ts`. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/**
 * Only TypeScript files count, not `.mjs` and the like.
 *
 * @throws for a relative import of a file that is not in one of the folders
 */
export function readImports(...folders: readonly string[]): ImportGraph {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => join(folder, name)),
  )
  const known = new Set(files)
  return new Map(
    files.sort().map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true)
      const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => /^\..*\.js$/.test(name))
      const targets = relative.map((name) => join(dirname(file), name).replace(/\.js$/, '.ts'))
      const missing = targets.find((target) => !known.has(target))
      if (missing !== undefined) throw new Error(`${file} imports ${missing}, which is not there`)
      return [file, [...new Set(targets)].sort()] as const
    }),
  )
}

/** Groups of files that import each other, directly or through other files of the group. */
export function circlesOf(graph: ImportGraph): string[][] {
  const reached = new Map([...graph.keys()].map((file) => [file, reachableFrom(graph, file)] as const))
  const circles = new Map<string, string[]>()
  for (const [file, targets] of reached) {
    if (!targets.has(file)) continue
    const circle = [...targets].filter((target) => reached.get(target)?.has(file)).sort()
    circles.set(circle.join(), circle)
  }
  return [...circles.values()]
}

/**
 * The files and folders of the source, in lists ordered from the lowest up. A file belongs to the longest name that equals it or contains
 * it. It may import files of the same name, of earlier names in its list, and of any name in the first list.
 */
export type ImportOrder = readonly (readonly string[])[]

/**
 * The imports that the order forbids, as `a.ts -> b.ts`.
 *
 * @throws for a file that matches no name
 */
export function forbiddenImports(graph: ImportGraph, order: ImportOrder): string[] {
  const places = order.flatMap((names, list) => names.map((name, floor) => ({ name, list, floor })))
  const placeOf = (file: string) => {
    const fitting = places.filter(({ name }) => file === name || file.startsWith(`${name}/`))
    const place = fitting.sort((a, b) => b.name.length - a.name.length)[0]
    if (place === undefined) throw new Error(`${file} has no place in the order of folders`)
    return place
  }
  const isForbidden = (file: string, target: string): boolean => {
    const from = placeOf(file)
    const to = placeOf(target)
    return to.list === from.list ? to.floor > from.floor : to.list !== 0
  }
  return [...graph].flatMap(([file, targets]) =>
    targets.filter((target) => isForbidden(file, target)).map((target) => `${file} -> ${target}`),
  )
}

function reachableFrom(graph: ImportGraph, start: string): Set<string> {
  const reached = new Set<string>()
  const queue = [start]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const target of graph.get(file) ?? []) {
      if (reached.has(target)) continue
      reached.add(target)
      queue.push(target)
    }
  }
  return reached
}
