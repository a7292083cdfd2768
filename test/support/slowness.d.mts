/** 1 on an idle CI machine, up to 8 on slower or busier ones. */
export const slowness: number

/** A deadline in ms that gives code as much processor time as `idleMs` do on an idle machine. */
export function scaled(idleMs: number): number
