// The wrapper ("door") around every import. An import either returns a number or ends the interpreter; no other exception leaves the
// host but those that the guest's own code threw (R1). No host code runs after that, nor when the stack is almost used up: the door first checks that enough is left
// (stack-reserve.ts). Owns these rules, the state "ended", and which host a door belongs to.

import { WasmException } from '../web-assembly.js'
import { FsError } from './errno.js'
import type { StackProbe } from './stack-reserve.js'

/** A function as WebAssembly sees it. */
export type ImportFunction = (...parameters: never[]) => unknown

/** The interpreter is over: thrown through it by an import that ends it, and by every import called after that. */
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

/** Also what is said where V8 notices first. */
export const STACK_USED_UP = 'the code used up the native stack'

export class Ending {
  /** Why it is over, if it is. Written here only. */
  ended: InterpreterEnd | null = null
  /** @internal */
  stackProbe: StackProbe = () => 0
  // Made now: where the stack is exhausted, there is no room to make it.
  readonly #exhausted = new InterpreterEnd('stack', STACK_USED_UP)

  /** From now on an import runs only where the probe finds enough stack, and ends the interpreter elsewhere. */
  requireStack(probe: StackProbe): void {
    this.stackProbe = probe
  }

  exhaust(): never {
    this.ended = this.#exhausted
    throw this.#exhausted
  }

  /** Something happened that no import may let out. */
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
   * @param onError - the return value that tells C code an error number
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

/** The function that a module is instantiated with. An instance keeps its doors; each lease connects them to a new host (S1). */
export class ImportDoor {
  /** For the module. */
  readonly enter: ImportFunction
  /** Connects the door to another host's import. */
  readonly leadTo: (guarded: GuardedImport) => void

  constructor(guarded: GuardedImport) {
    // Variables of a closure: this is the hottest path of a host.
    let { ending, run, onError } = guarded
    // Created in advance, as above, because a trap of C code may come at any depth. Once for all hosts, because it takes microseconds.
    const unexpected = new InterpreterEnd(
      guarded.importName,
      `the import ${guarded.importName} failed unexpectedly`,
    )
    // Seven is the most parameters a working import has; one fixed shape keeps the call free of allocation.
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
        // Thrown by C++ code, or a longjmp, that the import called for the guest: it is on its way to a frame of the guest's.
        if (error instanceof WasmException) throw error
        return ending.fail(unexpected)
      }
    }
    this.leadTo = (next) => {
      ;({ ending, run, onError } = next)
    }
  }
}
