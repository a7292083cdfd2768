// id: intrinsics
// title: intrinsics that the slot’s own code relies on cannot be replaced
// level: L2
// class: thread-seal
// expect: refused TypeError
// control: none the attempts are the language’s own

const replace = (target, name) => () => {
  target[name] = () => 'poisoned'
  return 'replaced'
}

export const attempts = {
  'Map.prototype.get': replace(Map.prototype, 'get'),
  'Array.prototype.push': replace(Array.prototype, 'push'),
  'Object.prototype.then': replace(Object.prototype, 'then'),
  'Object.prototype.toJSON': replace(Object.prototype, 'toJSON'),
  'Promise.prototype.then': replace(Promise.prototype, 'then'),
  'Function.prototype.call': replace(
    Object.getPrototypeOf(() => {}),
    'call',
  ),
  'Uint8Array.prototype.set': replace(Object.getPrototypeOf(Uint8Array.prototype), 'set'),
  'Uint8Array.prototype.slice': replace(Object.getPrototypeOf(Uint8Array.prototype), 'slice'),
  'DataView.prototype.getUint32': replace(DataView.prototype, 'getUint32'),
  'Atomics.wait': replace(Atomics, 'wait'),
  'Atomics.load': replace(Atomics, 'load'),
  'Math.min': replace(Math, 'min'),
  'Number.isSafeInteger': replace(Number, 'isSafeInteger'),
  'Array iterators': replace(Object.getPrototypeOf([][Symbol.iterator]()), 'next'),
  'Error.prepareStackTrace': replace(Error, 'prepareStackTrace'),
  'Symbol.hasInstance': () => Object.defineProperty(Map, Symbol.hasInstance, { value: () => true }),
  'a getter on Array.prototype': () => Object.defineProperty(Array.prototype, '0', { get: () => 1 }),
  'another prototype of Map': () => Object.setPrototypeOf(Map.prototype, {}) && 'replaced',
}
