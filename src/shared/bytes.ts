/**
 * A `Uint8Array` whose memory is not shared with other threads, so `new Response(…)` and `new Blob([…])` accept it. Its type is
 * `Uint8Array<ArrayBuffer>`, which TypeScript before 5.7 calls `Uint8Array`.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>
