// id: what-main-sent
// title: what the main thread gave the thread reveals no secret, path or variable
// level: L2
// class: thread-seal
// expect: refused ReferenceError
// control: none it walks what there is

/** Looks for a text in everything that can be reached from a value. */
function holds(root, wanted) {
  const seen = new Set()
  const todo = [root]
  while (todo.length > 0 && seen.size < 20_000) {
    const value = todo.pop()
    if (typeof value === 'string' && wanted.some((text) => value.includes(text))) return true
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value))
      continue
    seen.add(value)
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
      continue
    for (const key of Reflect.ownKeys(value)) {
      const { value: member } = Reflect.getOwnPropertyDescriptor(value, key) ?? {}
      todo.push(member, key)
    }
    if (value instanceof Map) todo.push(...value.keys(), ...value.values())
    todo.push(Object.getPrototypeOf(value))
  }
  return false
}

const lookIn = (pick) => (context) => {
  if (!holds(pick(context), [context.canary, 'node_modules', 'BRUMATE_CANARY']))
    throw new ReferenceError('nothing')
  return 'a secret'
}

export const attempts = {
  workerData: lookIn(({ workerData }) => workerData),
  task: lookIn(({ task }) => task),
  imports: lookIn(({ imports }) => imports),
  exports: lookIn(({ instance }) => instance.exports),
}
