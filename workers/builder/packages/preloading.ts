// Imports the modules that are preloaded in an image. If one fails, or leaves something behind that an image cannot contain (open files, or
// tasks and timers of the event loop, which would run in every session), names the module and package that caused it. Owns these checks.
import type { FileIndex } from '../../../src/shared/image/file-index.js'
import type { Host } from '../../host/host.js'
import type { Python } from '../python.js'
import { PackageFailure } from './failure.js'
import type { Layer } from './layer.js'

/** Most characters of Python's output in a message. The end says what happened. */
const MAX_SHOWN = 4000

/** A layer with the name of its package. */
export type NamedLayer = Layer & { readonly packageName: string }

export interface PreloadContext {
  readonly python: Python
  readonly host: Host
  /** Index of the image's files. */
  readonly files: FileIndex
  readonly layers: readonly NamedLayer[]
}

export class Preloading {
  readonly #context: PreloadContext
  /** For each descriptor, the module during whose import it was opened. */
  readonly #openedBy = new Map<number, string>()

  constructor(context: PreloadContext) {
    this.#context = context
  }

  /** @throws PackageFailure */
  import(module: string): void {
    try {
      this.#context.python.run(importing(module))
    } catch (cause) {
      throw this.#failure(module, `cannot be preloaded: ${shown(cause)}`, { cause })
    }
    for (const { fd } of this.#openFiles()) if (!this.#openedBy.has(fd)) this.#openedBy.set(fd, module)
  }

  /**
   * Checks that only the standard streams are open, because the image does not contain state of the host.
   *
   * @throws PackageFailure, or Error if no module opened the file
   */
  requireNoOpenFiles(): void {
    const open = this.#openFiles()
    const [first] = open
    if (first === undefined) return
    const names = open.slice(0, 10).map(({ name }) => name)
    const module = this.#openedBy.get(first.fd)
    const what = `keeps files open after its import (${names.join(', ')}), and an image cannot have open files`
    if (module === undefined) throw new Error(`the image ${what}`)
    throw this.#failure(module, `${what}: leave it out of preload; sessions can import it`)
  }

  #openFiles(): { readonly fd: number; readonly name: string }[] {
    const { host, files } = this.#context
    const { descriptors, openFiles } = host.capture().state
    return descriptors.flatMap(([fd, place]) => {
      const [, node = 0] = openFiles[place] ?? []
      const name = files.has(node) ? files.node(node).name : 'a file that it made'
      return fd <= 2 ? [] : [{ fd, name }]
    })
  }

  #failure(module: string, reason: string, options?: ErrorOptions): PackageFailure {
    const owner = ownerOf(module, this.#context.layers)
    const name = owner ?? module.split('.')[0] ?? module
    return new PackageFailure(name, `its module ${module} ${reason}`, { ...options, module })
  }
}

/** The package that contains the module, or else its nearest parent package. Several packages can share a namespace, such as `google`. */
function ownerOf(module: string, layers: readonly NamedLayer[]): string | undefined {
  const parts = module.split('.')
  for (let count = parts.length; count > 0; count -= 1) {
    const path = parts.slice(0, count).join('/')
    const has = ({ files }: NamedLayer) =>
      files.some(({ path: own }) => own.startsWith(`${path}/`) || own.startsWith(`${path}.`))
    const owner = layers.find(has)
    if (owner) return owner.packageName
  }
  return undefined
}

/** The error's last line, which says what happened, then Python's traceback. */
function shown(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  const [first = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  const last = lines.at(-1)
  if (last === undefined) return first.slice(0, MAX_SHOWN)
  return `${last.slice(0, MAX_SHOWN)}\n${lines.join('\n').slice(-MAX_SHOWN)}`
}

function importing(module: string): string {
  return `
import importlib
importlib.import_module(${JSON.stringify(module)})
from _brumate.link import KERNEL
if KERNEL.loop.has_work():
    raise RuntimeError('it leaves tasks or timers on the event loop, which would run in every session')
`
}
