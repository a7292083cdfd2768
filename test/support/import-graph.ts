// Which source file imports which. Type-only imports, re-exports and `import()` count: a reader has to follow them, too.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The files that each file imports; paths from the repository's root, as `src/session.ts`. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** @throws for a relative import of a file that is not in one of the folders */
export function readImports(...folders: readonly string[]): ImportGraph {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
  const known = new Set(files)
  return new Map(
    files.sort().map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true)
      const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'))
      const targets = relative.map((name) => join(dirname(file), name).replace(/\.js$/, '.ts'))
      const missing = targets.find((target) => !known.has(target))
      if (missing !== undefined) throw new Error(`${file} imports ${missing}, which is not there`)
      return [file, [...new Set(targets)].sort()] as const
    }),
  )
}

/** Groups of files that import each other, directly or through others of the group. */
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
 * Imports that no floor allows, as `a.ts -> b.ts`. `order` names folders and files from the bottom up. A file belongs to the
 * longest name that it is or lies in, and may import what belongs there or further down.
 *
 * @throws for a file that belongs nowhere
 */
export function upwardImports(graph: ImportGraph, order: readonly string[]): string[] {
  const floorOf = (file: string): number => {
    const names = order.filter((name) => file === name || file.startsWith(`${name}/`))
    const longest = names.sort((a, b) => b.length - a.length)[0]
    if (longest === undefined) throw new Error(`${file} has no place in the order of folders`)
    return order.indexOf(longest)
  }
  const arrows = [...graph].flatMap(([file, targets]) => targets.map((target) => [file, target] as const))
  return arrows
    .filter(([file, target]) => floorOf(target) > floorOf(file))
    .map(([file, target]) => `${file} -> ${target}`)
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
