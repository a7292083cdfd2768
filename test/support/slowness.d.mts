/** 1 on an idle machine of the kind that CI has, up to 8 on slower or busier ones. */
export const slowness: number

/** A deadline in ms that gives code as much of a processor as `idleMs` do on an idle machine. */
export function scaled(idleMs: number): number
