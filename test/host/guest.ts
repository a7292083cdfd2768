// A guest without an interpreter: 2 MiB of WebAssembly memory, a bump allocator, and all imports callable by name. Owns laying out C
// arguments for tests; asserts nothing.
import { FileIndex } from '../../src/shared/image/file-index.js'
import type { ImageFile, NativeCode } from '../../src/shared/image/image.js'
import { STAT } from '../../workers/host/abi.js'
import { Host, type HostLimits } from '../../workers/host/host.js'
import type { HostCallDoor } from '../../workers/host/host-calls.js'
import { FUNCTION_GLOBALS, IMPORT_ROWS } from '../../workers/host/imports.js'
import { InterruptCell } from '../../workers/host/interrupt.js'
import { type ImageReader, NO_IMAGE } from '../../workers/image-bytes.js'

export const UNBOUNDED: HostLimits = { memoryBytes: null, outputBytes: null, fileBytes: null }
export const AT_FDCWD = -100
const FIRST_ADDRESS = 4096

type Import = (...parameters: unknown[]) => unknown

export interface GuestOptions {
  readonly files?: readonly ImageFile[]
  readonly bytes?: ImageReader
  readonly limits?: Partial<HostLimits>
  readonly timeZone?: string
  readonly interrupt?: InterruptCell
  /** Default: new memory of 2 MiB. */
  readonly memory?: WebAssembly.Memory
  readonly door?: HostCallDoor
  readonly native?: NativeCode
}

export class Guest {
  readonly memory: WebAssembly.Memory
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 4 })
  readonly interrupt: InterruptCell
  readonly stackPointer = new WebAssembly.Global({ value: 'i32', mutable: true }, 65_536)
  /** The message that dlerror would return. */
  dlError = ''
  readonly host: Host
  /** Output of descriptors 1 and 2. */
  readonly output: { stream: 1 | 2; text: string; bytes: number }[] = []
  readonly #imports: ReadonlyMap<string, Import>
  #free = FIRST_ADDRESS

  constructor({
    files = [],
    bytes = NO_IMAGE,
    limits = {},
    timeZone = 'UTC',
    interrupt,
    memory = new WebAssembly.Memory({ initial: 32, maximum: 1024 }),
    door,
    native,
  }: GuestOptions = {}) {
    this.interrupt = interrupt ?? new InterruptCell()
    this.memory = memory
    this.host = new Host({
      files: FileIndex.of(files, '/home/user'),
      bytes,
      cwd: '/home/user',
      interrupt: this.interrupt,
      onOutput: (stream, from, start, end) => {
        const text = Buffer.from(from.subarray(start, end)).toString()
        this.output.push({ stream, text, bytes: end - start })
      },
      ...(door === undefined ? {} : { door }),
      ...(native === undefined ? {} : { native }),
    })
    importing ??= new WebAssembly.Module(importingModule())
    const imports = this.host.imports(importing)
    this.#imports = new Map(
      ['env', 'wasi_snapshot_preview1'].flatMap(
        (module) => Object.entries(imports[module] ?? {}) as unknown as [string, Import][],
      ),
    )
    this.host.bind({
      memory: this.memory,
      __indirect_function_table: this.table,
      emscripten_builtin_memalign: (alignment, size) => this.#allocate(alignment >>> 0, size >>> 0),
      free: () => {},
      __stack_pointer: this.stackPointer,
      __dl_seterr: (format, values) => {
        const text = (at: number) => this.bytes.toString('utf8', at, this.bytes.indexOf(0, at))
        this.dlError = text(format).replace('%s', text(this.view.getUint32(values, true)))
      },
    })
    this.host.configure({ ...UNBOUNDED, ...limits }, timeZone)
  }

  get importNames(): readonly string[] {
    return [...this.#imports.keys()]
  }

  get bytes(): Buffer {
    return Buffer.from(this.memory.buffer)
  }

  get view(): DataView {
    return new DataView(this.memory.buffer)
  }

  call(name: string, ...parameters: unknown[]): unknown {
    const run = this.#imports.get(name)
    if (run === undefined) throw new Error(`no import ${name}`)
    return run(...parameters)
  }

  number(name: string, ...parameters: unknown[]): number {
    return this.call(name, ...parameters) as number
  }

  /** Allocates zeroed memory. `recycle` frees all memory allocated so far. */
  room(size: number): number {
    const address = this.#allocate(8, size)
    if (address === 0) throw new Error('the guest is out of memory')
    this.bytes.fill(0, address, address + size)
    return address
  }

  recycle(): void {
    this.#free = FIRST_ADDRESS
  }

  text(value: string | Uint8Array): number {
    const bytes = Buffer.from(value as string)
    const address = this.room(bytes.length + 1)
    this.bytes.set(bytes, address)
    return address
  }

  /** Stores an i32 in memory, as the argument of a variadic call. */
  word(value: number): number {
    const address = this.room(4)
    this.view.setInt32(address, value, true)
    return address
  }

  open(path: string, flags = 0, mode = 0o666, dirfd = AT_FDCWD): number {
    return this.number('__syscall_openat', dirfd, this.text(path), flags, this.word(mode))
  }

  write(fd: number, data: string | Uint8Array): number {
    const bytes = Buffer.from(data as string)
    return this.#transfer('fd_write', fd, this.text(bytes), bytes.length).result
  }

  /** @returns the bytes, or a negative error number */
  read(fd: number, size: number): string | number {
    const address = this.room(size)
    const { error, result } = this.#transfer('fd_read', fd, address, size)
    return error === 0 ? this.bytes.toString('latin1', address, address + result) : result
  }

  seek(fd: number, offset: number | bigint, whence = 0): number {
    const result = this.room(8)
    const error = this.number('fd_seek', fd, BigInt(offset), whence, result)
    return error === 0 ? Number(this.view.getBigInt64(result, true)) : -error
  }

  stat(path: string): { error: number; mode: number; size: number; links: number } {
    const buffer = this.room(STAT.BYTES)
    const error = this.number('__syscall_lstat64', this.text(path), buffer)
    return {
      error,
      mode: this.view.getUint32(buffer + STAT.mode, true),
      size: Number(this.view.getBigInt64(buffer + STAT.size, true)),
      links: this.view.getUint32(buffer + STAT.nlink, true),
    }
  }

  /** @returns the entries of one getdents64 call, or a negative error number */
  entries(fd: number, size = 4096): { name: string; cookie: number; type: number }[] | number {
    const buffer = this.room(size)
    const length = this.number('__syscall_getdents64', fd, buffer, size)
    if (length < 0) return length
    const found = []
    for (let at = buffer; at < buffer + length; at += this.view.getUint16(at + 16, true)) {
      const end = this.bytes.indexOf(0, at + 19)
      found.push({
        name: this.bytes.toString('utf8', at + 19, end),
        cookie: Number(this.view.getBigInt64(at + 8, true)),
        type: this.view.getUint8(at + 18),
      })
    }
    return found
  }

  /** @returns all names in a directory, sorted, without "." and ".." */
  list(path: string): string[] {
    const fd = this.open(path, 0o200000)
    const names: string[] = []
    for (;;) {
      const found = this.entries(fd)
      if (typeof found === 'number') throw new Error(`getdents64: ${found}`)
      if (found.length === 0) break
      names.push(...found.map(({ name }) => name).filter((name) => name !== '.' && name !== '..'))
    }
    this.call('fd_close', fd)
    return names.sort()
  }

  put(path: string, data: string): void {
    const fd = this.open(path, 0o1101)
    this.write(fd, data)
    this.call('fd_close', fd)
  }

  get(path: string): string | number {
    const fd = this.open(path)
    if (fd < 0) return fd
    const data = this.read(fd, 65_536)
    this.call('fd_close', fd)
    return data
  }

  mkdir(path: string): number {
    return this.number('__syscall_mkdirat', AT_FDCWD, this.text(path), 0o777)
  }

  symlink(target: string, path: string): number {
    return this.number('__syscall_symlinkat', this.text(target), AT_FDCWD, this.text(path))
  }

  unlink(path: string): number {
    return this.number('__syscall_unlinkat', AT_FDCWD, this.text(path), 0)
  }

  rmdir(path: string): number {
    return this.number('__syscall_rmdir', this.text(path))
  }

  rename(from: string, to: string): number {
    return this.number('__syscall_renameat', AT_FDCWD, this.text(from), AT_FDCWD, this.text(to))
  }

  #transfer(name: string, fd: number, address: number, size: number): { error: number; result: number } {
    const iovec = this.room(12)
    this.view.setUint32(iovec, address, true)
    this.view.setUint32(iovec + 4, size, true)
    const error = this.number(name, fd, iovec, 1, iovec + 8)
    return { error, result: error === 0 ? this.view.getUint32(iovec + 8, true) : -error }
  }

  #allocate(alignment: number, size: number): number {
    const address = Math.ceil(this.#free / Math.max(1, alignment)) * Math.max(1, alignment)
    if (address + size > this.memory.buffer.byteLength) return 0
    this.#free = address + size
    return address
  }
}

/** Compiled with the first guest. */
let importing: WebAssembly.Module | undefined

/** A module with all imports of the interpreter. It is never instantiated, so their types do not matter. */
function importingModule(): Uint8Array {
  const text = (value: string) => [...length(value.length), ...Buffer.from(value)]
  const functions = IMPORT_ROWS.map(({ module, name }) => [...text(module), ...text(name), 0x00, 0x00])
  const globals = FUNCTION_GLOBALS.map((name) => [...text('GOT.func'), ...text(name), 0x03, 0x7f, 0x01])
  const imports = [...functions, ...globals]
  const body = [...length(imports.length), ...imports.flat()]
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  const types = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00]
  return Uint8Array.from([...header, ...types, 0x02, ...length(body.length), ...body])
}

/** LEB128. */
function length(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...length(value >>> 7)]
}
