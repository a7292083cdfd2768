// The image as data: what every slot of a manager is made from. Owns the shape only; reading and writing its bytes
// is format.ts, keeping it on disk is src/image/cache.ts's, making it is the builder's (workers/builder).

/** One read-only file, directory or symbolic link that every interpreter of an image starts with. */
export type ImageFile =
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file'
      readonly path: string
      readonly mode: number
      /** Where the contents lie: counted from the first byte of the memory's runs, after which those of all files follow. */
      readonly offset: number
      readonly length: number
    }

/** A package that an image was built with. */
export interface ImagePackage {
  readonly name: string
  readonly version: string
  /** Of its wheel, hex. */
  readonly sha256: string
}

/** A native library whose code is in the image's module. */
export interface ImageLibrary {
  /** Of the empty file that stands for it. */
  readonly path: string
  /** What `dlsym` finds in it: of functions the index in the function table, of data the address. */
  readonly symbols: readonly (readonly [name: string, value: number])[]
}

/** What an image with packages has of native code. */
export interface NativeCode {
  readonly libraries: readonly ImageLibrary[]
  /**
   * A bit for each index of the function table, the lowest first: 1 if the function takes and returns numbers and nothing else. JavaScript
   * may call no other one (R1).
   */
  readonly callable: Uint8Array<ArrayBuffer>
}

/** Addresses in the interpreter's memory that `wipeDeadMemory` goes by; 0 if the builder did not find one. */
export interface Landmarks {
  /** Lowest address of the C stack, which ends at `Image.stackPointer`. */
  readonly stackLow: number
  /** The state of the C library's malloc. */
  readonly mallocState: number
  /** In the thread state: chunk, top and end of the memory for frames of Python functions. */
  readonly dataStack: number
  /** CPython's dictionary of interned strings. */
  readonly internedStrings: number
}

/** The contents of all files, one after the other. */
export interface FileContents {
  readonly length: number
  /** Where the hashes of their blocks lie in the bytes of `Image.dataModule`; see file-blocks.ts. */
  readonly hashes: number
}

/**
 * Where slots read the contents of files. `file`: from the image's file, which stays open for as long as this object is in use in the main
 * thread. `module`: from a module like `Image.dataModule`, where the image is in no file.
 */
export type FileSource =
  | { readonly kind: 'file'; readonly descriptor: number; readonly offset: number }
  | { readonly kind: 'module'; readonly module: WebAssembly.Module }

/**
 * A booted interpreter, ready to be put into any number of slots. Structured-cloneable: the large parts are compiled modules,
 * which all threads share and none can change, so that handing it to a worker copies next to nothing.
 */
export interface Image {
  /** sha-256 of the head of the image's file, hex. The head has the hashes of the rest. */
  readonly id: string
  readonly pyodideVersion: string
  readonly pythonVersion: string
  /**
   * Pyodide's WebAssembly module without data segments (the memory below has it all) and with only the exports the
   * interpreter uses: a fresh instance has all-zero memory and costs a third of the original's time.
   */
  readonly module: WebAssembly.Module
  /** Size of that module. */
  readonly codeBytes: number
  /** Calls any CPython function with the number of arguments it takes; see workers/interpreter/trampoline.ts. */
  readonly trampolineModule: WebAssembly.Module
  /** Tells imports whether there is stack left for them; see stack-probe.ts. The same for every image, and in no file. */
  readonly stackProbeModule: WebAssembly.Module
  /** Compares pages with the image's; see page-xor-module.ts. The same for every image, and in no file. */
  readonly pageXorModule: WebAssembly.Module
  /** Size of the interpreter's memory in bytes, a multiple of 65,536. */
  readonly memoryBytes: number
  /** [offset, length] pairs in bytes, ascending, not touching; everything else is zero. Offsets are multiples of 4096. */
  readonly runs: Uint32Array
  /** Holds the bytes of the runs, one after the other, the table of the files, and the hashes of their blocks; see data-module.ts. */
  readonly dataModule: WebAssembly.Module
  /** Length of the function table at instantiation; the trampoline is put at this index. */
  readonly tableLength: number
  /** `__stack_pointer` at an empty stack (I2). */
  readonly stackPointer: number
  /** Address of the kernel's `dispatch` function object. */
  readonly dispatch: number
  readonly landmarks: Landmarks
  /** Where the table of its files lies in the bytes of `dataModule`; see file-index.ts. */
  readonly fileTable: { readonly offset: number; readonly length: number }
  readonly fileContents: FileContents
  readonly fileSource: FileSource
  /** Those it was built with, sorted by name. */
  readonly packages: readonly ImagePackage[]
  /** Null: only the interpreter's own. */
  readonly native: NativeCode | null
  /** Environment and working directory a session starts with. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Key of the code that made it (src/image/key.ts): a slot of other code cannot run it. Undefined only before it is a file. */
  readonly codeKey?: string
}
