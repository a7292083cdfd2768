// The image as data, from which every slot of a manager is made. Owns the type only; format.ts reads and writes its bytes,
// src/image/cache.ts keeps it on disk, and the builder (workers/builder) makes it.

/** One read-only file, directory or symbolic link that every interpreter of an image starts with. */
export type ImageFile =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly mode: number
      /** Position of the contents, counted from the first byte of the memory's runs, which the contents of all files follow. */
      readonly offset: number
      readonly length: number
    }

/** A package that an image was built with. */
export interface ImagePackage {
  readonly name: string
  readonly version: string
  /** SHA-256 of its wheel, in hex. */
  readonly sha256: string
}

/** A native library whose code is in the image's module. */
export interface ImageLibrary {
  /** Path of the empty file that stands for the library. */
  readonly path: string
  /** The symbols that `dlsym` finds: functions by their index in the function table, data by its address. */
  readonly symbols: readonly (readonly [name: string, value: number])[]
}

/** The native code of an image with packages. */
export interface NativeCode {
  readonly libraries: readonly ImageLibrary[]
  /**
   * A bit for each index of the function table, lowest first: 1 if the function takes and returns only numbers. JavaScript may not call any
   * other (R1).
   */
  readonly callable: Uint8Array<ArrayBuffer>
}

/** Addresses in the interpreter's memory that `wipeDeadMemory` uses; 0 if the builder did not find one. */
export interface Landmarks {
  /** Lowest address of the C stack, which ends at `Image.stackPointer`. */
  readonly stackLow: number
  /** The state of the C library's malloc. */
  readonly mallocState: number
  /** Address in the thread state of the chunk, top and end of the memory for frames of Python functions. */
  readonly dataStack: number
  /** CPython's dictionary of interned strings. */
  readonly internedStrings: number
}

/** The contents of all files, one after another. */
export interface FileContents {
  readonly length: number
  /** Offset of their blocks' hashes in the bytes of `Image.dataModule`; see file-blocks.ts. */
  readonly hashes: number
}

/**
 * Where slots read the contents of files. `file`: from the image's file, which stays open as long as the main thread uses this object.
 * `module`: from a module like `Image.dataModule`, if the image is in no file.
 */
export type FileSource =
  | { readonly kind: 'file'; readonly descriptor: number; readonly offset: number }
  | { readonly kind: 'module'; readonly module: WebAssembly.Module }

/**
 * A booted interpreter, ready for any number of slots. It can be structured-cloned: the large parts are compiled modules,
 * which all threads share and none can change, so passing it to a worker copies almost nothing.
 */
export interface Image {
  /** SHA-256 of the head of the image's file, in hex. The head includes the hashes of the rest. */
  readonly id: string
  readonly pyodideVersion: string
  readonly pythonVersion: string
  /**
   * Pyodide's WebAssembly module without data segments (the memory below has their contents), and with only the exports that the
   * interpreter uses. A new instance has all-zero memory, and takes a third of the original's time.
   */
  readonly module: WebAssembly.Module
  /** Size of that module. */
  readonly codeBytes: number
  /** Calls any CPython function with the number of arguments it takes; see workers/interpreter/trampoline.ts. */
  readonly trampolineModule: WebAssembly.Module
  /** Tells imports whether there is enough stack for them; see stack-probe.ts. The same for every image, and not part of its file. */
  readonly stackProbeModule: WebAssembly.Module
  /** Compares pages with the image's; see page-xor-module.ts. The same for every image, and not part of its file. */
  readonly pageXorModule: WebAssembly.Module
  /** Size of the interpreter's memory in bytes, a multiple of 65,536. */
  readonly memoryBytes: number
  /** [offset, length] pairs in bytes, ascending, not touching; everything else is zero. Offsets are multiples of 4096. */
  readonly runs: Uint32Array
  /** Holds the bytes of the runs, the table of the files, and the hashes of their blocks, one after another; see data-module.ts. */
  readonly dataModule: WebAssembly.Module
  /** Length of the function table at instantiation. The trampoline is stored at this index. */
  readonly tableLength: number
  /** `__stack_pointer` at an empty stack (I2). */
  readonly stackPointer: number
  /** Address of the kernel's `dispatch` function object. */
  readonly dispatch: number
  readonly landmarks: Landmarks
  /** Position of the table of its files in the bytes of `dataModule`; see file-index.ts. */
  readonly fileTable: { readonly offset: number; readonly length: number }
  readonly fileContents: FileContents
  readonly fileSource: FileSource
  /** Packages that it was built with, sorted by name. */
  readonly packages: readonly ImagePackage[]
  /** Null if there is no native code except the interpreter's own. */
  readonly native: NativeCode | null
  /** Environment and working directory that a session starts with. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Key of the code that made it (src/image/key.ts). Slots of other code cannot run it. Undefined only before it is a file. */
  readonly codeKey?: string
}
