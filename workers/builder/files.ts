// The files of the image: the standard library, the kernel, and the directories that a session starts with. Owns the list and the
// layout; the host serves them in a slot.
import { readFile } from 'node:fs/promises'
import { dataModuleBytes } from '../../src/shared/image/data-module.js'
import { blockHashes } from '../../src/shared/image/file-blocks.js'
import { fileIndexBytes } from '../../src/shared/image/file-index.js'
import type { ImageContents } from '../../src/shared/image/format.js'
import type { ImageFile } from '../../src/shared/image/image.js'
import type { StockFiles } from './realm.js'

export const HOME = '/home/pyodide'
/** Folder of the kernel's packages, on `sys.path`. */
export const KERNEL_PATH = '/lib/brumate'
export const STANDARD_LIBRARY_PATH = '/lib/python314.zip'
/** The `tzdata` package; on `sys.path`, where zoneinfo looks for it. */
export const TIME_ZONE_PATH = '/lib/tzdata.zip'

export interface SourceFile {
  readonly path: string
  readonly bytes: Uint8Array
}

const DIRECTORIES: readonly (readonly [path: string, mode: number])[] = [
  ['/home', 0o755],
  [HOME, 0o755],
  ['/lib', 0o755],
  [KERNEL_PATH, 0o755],
  ['/lib/python3.14', 0o755],
  ['/lib/python3.14/lib-dynload', 0o755],
  ['/lib/python3.14/site-packages', 0o755],
  ['/tmp', 0o1777],
]

/** Reads files to be placed below `target` from a JSON object of paths and texts. Keeps the object's order. */
export async function readSources(file: string, target: string): Promise<SourceFile[]> {
  const texts = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  const encoder = new TextEncoder()
  return Object.entries(texts).map(([path, text]) => ({
    path: `${target}/${path}`,
    bytes: encoder.encode(text),
  }))
}

export function placeFiles(files: StockFiles, sources: readonly SourceFile[]): void {
  for (const [path] of DIRECTORIES) files.mkdirTree(path)
  for (const { path, bytes } of sources) {
    files.mkdirTree(parent(path))
    files.writeFile(path, bytes)
  }
  files.chdir(HOME)
}

/** Makes an image's bytes: memory, the table of files, the hashes of their blocks, and their contents. */
export function imageData(
  runBytes: Uint8Array,
  sources: readonly SourceFile[],
  cwd: string,
  directories: readonly string[] = [],
): Pick<ImageContents, 'dataBytes' | 'fileTable' | 'fileBytes' | 'fileContents'> {
  const index = fileIndexBytes(imageFiles(sources, runBytes.length, directories), cwd)
  const fileBytes = new Uint8Array(sources.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const { bytes } of sources) {
    fileBytes.set(bytes, at)
    at += bytes.length
  }
  return {
    dataBytes: dataModuleBytes([runBytes, index, blockHashes(fileBytes)]),
    fileTable: { offset: runBytes.length, length: index.length },
    fileBytes,
    fileContents: { length: fileBytes.length, hashes: runBytes.length + index.length },
  }
}

/** The image's list of files: sorted by path, parents before children. */
export function imageFiles(
  sources: readonly SourceFile[],
  firstOffset: number,
  directories: readonly string[] = [],
): ImageFile[] {
  const modes = new Map(DIRECTORIES)
  for (const path of directories) modes.set(path, 0o755)
  for (const { path } of sources)
    for (let at = parent(path); at !== '' && !modes.has(at); at = parent(at)) modes.set(at, 0o755)
  const files: ImageFile[] = [...modes].map(([path, mode]) => ({ kind: 'directory', path, mode }))
  let offset = firstOffset
  for (const { path, bytes } of sources) {
    files.push({ kind: 'file', path, mode: 0o644, offset, length: bytes.length })
    offset += bytes.length
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  return files
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
