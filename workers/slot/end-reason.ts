// Says why an interpreter ended, in a sentence for the session's caller. Owns the wording for V8's errors. When an import ended the
// interpreter, the host has already worded the reason.
import { InterpreterEnd, STACK_USED_UP } from '../host/guard.js'
import { KernelFault } from '../interpreter/link.js'
import { WasmRuntimeError } from '../web-assembly.js'

export function endReason(error: unknown): string {
  if (error instanceof InterpreterEnd) return error.reason
  if (!(error instanceof Error)) return 'an unknown value was thrown'
  const { name, message } = error
  if (error instanceof RangeError && message.includes('call stack')) return STACK_USED_UP
  if (error instanceof WasmRuntimeError) return `CPython's WebAssembly code crashed: ${message}`
  if (error instanceof KernelFault) return `the code damaged the interpreter's memory (${message})`
  return `${name}: ${message}`
}
