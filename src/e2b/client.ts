// `new E2B(options)`: the Sandbox class with options bound to it, as E2B's SDK has it. Owns the binding.
import type { BrumateOpts, ConnectionOpts } from './options.js'
import { Sandbox } from './sandbox.js'

/**
 * Binds a manager, so that the rest of a program need not name it:
 * `const { Sandbox } = new E2B({ manager })`.
 */
export class E2B {
  readonly Sandbox: typeof Sandbox

  constructor(options: ConnectionOpts & BrumateOpts = {}) {
    this.Sandbox = class extends Sandbox {
      static override readonly defaults = options
    }
  }
}
