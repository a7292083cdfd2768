// The kernel in stock Pyodide. All suites share one interpreter, so that it boots, and V8 optimizes its code, only once.
import { describe } from 'vitest'

// `values` is first because it inspects a fresh interpreter.
describe.each([
  ['values', () => import('./stock/values.js')],
  ['execution', () => import('./stock/execution.js')],
  ['awaiting', () => import('./stock/awaiting.js')],
  ['callbacks', () => import('./stock/callbacks.js')],
  ['describe', () => import('./stock/describe.js')],
  ['restored', () => import('./stock/restored.js')],
  ['interrupts', () => import('./stock/interrupts.js')],
  ['files', () => import('./stock/files.js')],
] as const)('%s', async (_, load: () => Promise<unknown>) => {
  await load()
})
