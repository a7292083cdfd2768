// id: thread-throw-proxy
// title: a proxy that throws on every access, thrown below guest frames, ends the interpreter
// level: L2
// class: thread-harm
// expect: crash | python
// control: outcome

export function attack() {
  const trap = () => {
    throw new TypeError('a trap')
  }
  throw new Proxy(new Error('x'), {
    get: trap,
    getPrototypeOf: trap,
    has: trap,
    ownKeys: trap,
    getOwnPropertyDescriptor: trap,
  })
}
