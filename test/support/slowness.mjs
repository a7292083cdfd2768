// Measures how slow this machine is, to scale deadlines that code under test must meet. Measured once, when the process starts.

/** Duration of the work below on an idle core of a CI machine. */
const REFERENCE_MS = 110
const MOST = 8
/** Longer deadlines are generous enough and are not scaled. */
const LONGEST_SCALED_MS = 10_000

/** 1 on an idle CI machine, up to 8 on slower or busier ones. */
export const slowness = Math.min(MOST, Math.max(1, measure() / REFERENCE_MS))

/** A deadline in ms that gives code as much processor time as `idleMs` do on an idle machine. */
export function scaled(idleMs) {
  return Math.max(idleMs, Math.min(LONGEST_SCALED_MS, Math.round(idleMs * slowness)))
}

function measure() {
  const startedMs = performance.now()
  let state = 1
  for (let i = 0; i < 100_000_000; i++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return performance.now() - startedMs + (state === 0 ? 1 : 0)
}
