// id: thread-blocking-door
// title: overwriting the shared words for blocking calls harms only its own session
// level: L2
// class: thread-harm
// expect: any
// control: none the claim is a typed end
// timeout-ms: 3000

export function attack({ task }) {
  const scribble = (value) => {
    if (value instanceof SharedArrayBuffer) new Uint8Array(value).fill(0xff)
    else if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer).fill(0xff)
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(scribble)
  }
  scribble(task.calls)
}
