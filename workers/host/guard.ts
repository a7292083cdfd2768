// The wrapper ("door") around every import. An import either returns a number or ends the interpreter. The only other exceptions that leave
// the host are those that the guest's own code threw (R1). No host code runs once the interpreter has ended, or when the stack is almost
// used up: the door first checks that enough is left (stack-reserve.ts). Owns these rules, the state "ended", and where a door leads.

import { WasmException } from '../web-assembly.js'
import { FsError } from './errno.js'
import type { StackProbe } from './stack-reserve.js'

/** A function as WebAssembly sees it. */
export type ImportFunction = (...parameters: never[]) => unknown

/** Ends the interpreter: thrown through its frames by the import that ends it, and by every import called after that. */
export class InterpreterEnd extends Error {
  override readonly name = 'InterpreterEnd'
  readonly importName: string
  /** A sentence for the caller: what the code did, or what failed. */
  readonly reason: string

  constructor(importName: string, reason: string) {
    super(`${importName}: ${reason}`)
    this.importName = importName
    this.reason = reason
  }
}

/** Also the reason given when V8 detects the overflow first. */
export const STACK_USED_UP = 'the code used up the native stack'

export class Ending {
  /** Why the interpreter has ended; null while it has not. Written only in this class. */
  ended: InterpreterEnd | null = null
  /** @internal */
  stackProbe: StackProbe = () => 0
  // Created in advance: once the stack is exhausted, there is no room to create it.
  readonly #exhausted = new InterpreterEnd('stack', STACK_USED_UP)

  /** From now on, an import runs only if the probe finds enough stack. Otherwise the interpreter ends. */
  requireStack(probe: StackProbe): void {
    this.stackProbe = probe
  }

  exhaust(): never {
    this.ended = this.#exhausted
    throw this.#exhausted
  }

  /** Ends the interpreter in place of an unexpected exception, which must not leave the host. */
  fail(unexpected: InterpreterEnd): never {
    this.ended ??= unexpected
    throw this.ended
  }

  /** Only the first reason counts. */
  end(importName: string, reason: string): never {
    this.ended ??= new InterpreterEnd(importName, reason)
    throw this.ended
  }

  /**
   * Wraps an import.
   *
   * @param onError - turns an error number into the return value that C code expects
   */
  guard(importName: string, run: ImportFunction, onError: (errno: number) => unknown): GuardedImport {
    return {
      ending: this,
      run: run as (...parameters: unknown[]) => unknown,
      onError,
      importName,
    }
  }

  /** An import that ends the interpreter. */
  forbid(importName: string, why: string): GuardedImport {
    return this.guard(
      importName,
      () => this.end(importName, `the code called ${importName}, which sessions do not have: ${why}`),
      () => undefined,
    )
  }
}

/** What an import does for one host. */
export interface GuardedImport {
  readonly ending: Ending
  readonly run: (...parameters: unknown[]) => unknown
  readonly onError: (errno: number) => unknown
  readonly importName: string
}

/** Holds the function that a module is instantiated with. An instance keeps its doors; each lease connects them to a new host (S1). */
export class ImportDoor {
  /** The function that the module imports. */
  readonly enter: ImportFunction
  /** Connects the door to another host's import. */
  readonly leadTo: (guarded: GuardedImport) => void

  constructor(guarded: GuardedImport) {
    // Closure variables instead of fields, because this is the hottest path of a host.
    let { ending, run, onError } = guarded
    // Created in advance, because C code may trap at any stack depth. Created once for all hosts, because it takes microseconds.
    const unexpected = new InterpreterEnd(
      guarded.importName,
      `the import ${guarded.importName} failed unexpectedly`,
    )
    // No working import has more than seven parameters. A fixed parameter list avoids allocating an array per call.
    this.enter = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown) => {
      if (ending.ended !== null) throw ending.ended
      try {
        ending.stackProbe(0)
      } catch {
        ending.exhaust()
      }
      try {
        return run(a, b, c, d, e, f, g)
      } catch (error) {
        if (error instanceof FsError) return onError(error.errno)
        // A C++ exception or a longjmp, from guest code that the import called. A guest frame further up catches it.
        if (error instanceof WasmException) throw error
        return ending.fail(unexpected)
      }
    }
    this.leadTo = (next) => {
      ;({ ending, run, onError } = next)
    }
  }
}
