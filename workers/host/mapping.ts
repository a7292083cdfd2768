// mmap of files. A mapping is a copy of the file in the interpreter's own memory; the C library keeps the list of mappings. msync and
// munmap copy a shared mapping back; until then nothing else sees its changes (workers/builder/sqlite.ts adapts SQLite to that).
// Owns that copying and no state, so there is nothing to capture (I1).
import { IO_MAX, MAP_PRIVATE, O, PROT_WRITE, WASM_PAGE_BYTES } from './abi.js'
import type { HostContext } from './context.js'
import { fail } from './errno.js'
import type { OpenFile } from './fs/open-file.js'
import type { ImportFunction } from './guard.js'
import { positionOf } from './structs.js'

export function mappingImports(context: HostContext): Readonly<Record<string, ImportFunction>> {
  const { memory } = context

  /** Copies a shared mapping back, except for bytes past the end of the file. */
  const writeBack = (address: number, length: number, flags: number, fd: number, offset: bigint): void => {
    const file = mappable(context, fd)
    if ((flags & MAP_PRIVATE) !== 0) return
    const position = positionOf(offset)
    const start = memory.range(address, length >>> 0)
    const { size } = file.store.status(file.node)
    const count = Math.min(length >>> 0, size - position)
    if (count > 0) file.store.write(file.node, position, memory.bytes, start, start + count)
  }

  return {
    _mmap_js: (
      length: number,
      protection: number,
      flags: number,
      fd: number,
      offset: bigint,
      allocated: number,
      address: number,
    ) => {
      const file = mappable(context, fd)
      const size = length >>> 0
      const position = positionOf(offset)
      const access = file.flags & O.ACCESS_MODE
      if (size === 0 || size > IO_MAX) fail('EINVAL')
      if (access === O.WRONLY) fail('EACCES')
      if ((protection & PROT_WRITE) !== 0 && (flags & MAP_PRIVATE) === 0 && access !== O.RDWR) fail('EACCES')
      memory.range(allocated, 4)
      memory.range(address, 4)
      const rounded = Math.ceil(size / WASM_PAGE_BYTES) * WASM_PAGE_BYTES
      const pointer = allocate(context, rounded)
      memory.bytes.fill(0, pointer, pointer + rounded)
      file.store.read(file.node, position, memory.bytes, pointer, pointer + size)
      memory.setU32(allocated, 1)
      memory.setU32(address, pointer)
      return 0
    },
    _msync_js: (
      address: number,
      length: number,
      _protection: number,
      flags: number,
      fd: number,
      offset: bigint,
    ) => {
      writeBack(address, length, flags, fd, offset)
      return 0
    },
    _munmap_js: (
      address: number,
      length: number,
      protection: number,
      flags: number,
      fd: number,
      offset: bigint,
    ) => {
      if ((protection & PROT_WRITE) !== 0) writeBack(address, length, flags, fd, offset)
      return 0
    },
  }
}

function mappable({ fileSystem }: HostContext, fd: number): OpenFile {
  const file = fileSystem.descriptors.get(fd)
  return file.kind === 'file' ? file : fail('ENODEV')
}

/** Takes memory from the interpreter's own allocator; munmap frees it. Its pointers are as untrusted as any other from the guest. */
function allocate({ exports, memory }: HostContext, bytes: number): number {
  const pointer = exports?.emscripten_builtin_memalign(WASM_PAGE_BYTES, bytes) ?? 0
  return pointer === 0 ? fail('ENOMEM') : memory.range(pointer, bytes)
}
