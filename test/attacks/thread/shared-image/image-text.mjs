// id: image-text
// title: text of the image that one slot changed reaches no other session
// level: L2
// class: shared-image
// expect: any
// control: none the session after reset would say the changed text

/** Finds bytes shared by several threads: the parts of the image in shared memory. */
function sharedViews(root) {
  const seen = new Set()
  const buffers = new Set()
  const todo = [root]
  while (todo.length > 0) {
    const value = todo.pop()
    if (value === null || typeof value !== 'object' || seen.has(value)) continue
    seen.add(value)
    if (value instanceof SharedArrayBuffer) buffers.add(value)
    else if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof SharedArrayBuffer) buffers.add(value.buffer)
    } else todo.push(...(value instanceof Map ? value.values() : Object.values(value)))
  }
  return [...buffers].map((buffer) => Buffer.from(buffer))
}

export function attack({ workerData }) {
  for (const bytes of sharedViews(workerData)) {
    for (let at = bytes.indexOf('Python Software'); at >= 0; at = bytes.indexOf('Python Software', at + 1))
      bytes.write('Pwned! Software', at, 'latin1')
  }
}
