/** A zip archive of stored files with a fixed date. */
export function zip(files: readonly (readonly [name: string, bytes: Uint8Array])[]): Buffer
