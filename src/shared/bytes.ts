/**
 * A `Uint8Array` whose memory no other thread shares, so that it fits `new Response(…)` and `new Blob([…])`: `Uint8Array<ArrayBuffer>`,
 * which TypeScript before 5.7 writes as `Uint8Array`.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>
