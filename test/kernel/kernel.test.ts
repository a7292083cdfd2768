// The kernel in stock Pyodide. One interpreter serves all of these: it boots, and V8 optimizes its code, once.
import { describe } from 'vitest'

// `values` looks at what a fresh interpreter has.
describe.each([
  ['values', () => import('./stock/values.js')],
  ['execution', () => import('./stock/execution.js')],
  ['awaiting', () => import('./stock/awaiting.js')],
  ['callbacks', () => import('./stock/callbacks.js')],
  ['describe', () => import('./stock/describe.js')],
  ['restored', () => import('./stock/restored.js')],
  ['interrupts', () => import('./stock/interrupts.js')],
] as const)('%s', async (_, load: () => Promise<unknown>) => {
  await load()
})
