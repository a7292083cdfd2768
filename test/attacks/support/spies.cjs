// Watches for what no attack may cause: processes, connections, listeners, opened files, loaded native code, signals. Owns the list of
// watched functions; the caller decides who is notified and when a call counts. Works in the main thread and in slots.
'use strict'

const WATCHED = {
  child_process: ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'],
  fs: [
    ...['open', 'openSync', 'readFile', 'readFileSync', 'writeFile', 'writeFileSync', 'appendFile'],
    ...['appendFileSync', 'createReadStream', 'createWriteStream', 'mkdir', 'mkdirSync', 'rm', 'rmSync'],
    ...['unlink', 'unlinkSync', 'rename', 'renameSync', 'symlink', 'symlinkSync', 'opendir', 'opendirSync'],
  ],
  'fs/promises': [
    'open',
    'readFile',
    'writeFile',
    'appendFile',
    'mkdir',
    'rm',
    'unlink',
    'rename',
    'symlink',
  ],
  dgram: ['createSocket'],
  dns: ['lookup', 'resolve'],
  inspector: ['open'],
}
const WATCHED_METHODS = [
  ['net', 'Socket', 'connect'],
  ['net', 'Server', 'listen'],
]
const WATCHED_OF_PROCESS = ['dlopen', 'kill', 'chdir', 'binding', 'setuid']

/** Calls `onCall(name, firstArgument)` for every call of a watched function from now on. */
exports.install = function install(onCall) {
  const watch = (target, method, name) => {
    const original = target[method]
    if (typeof original !== 'function') return
    const spy = function (...args) {
      onCall(name, typeof args[0] === 'string' ? args[0].slice(0, 200) : typeof args[0])
      return Reflect.apply(original, this, args)
    }
    // Some functions have a property that `util.promisify` uses, so copy properties.
    Object.defineProperties(spy, Object.getOwnPropertyDescriptors(original))
    target[method] = spy
  }
  for (const [module, methods] of Object.entries(WATCHED)) {
    const target = require(`node:${module}`)
    for (const method of methods) watch(target, method, `${module}.${method}`)
  }
  for (const [module, type, method] of WATCHED_METHODS)
    watch(require(`node:${module}`)[type].prototype, method, `${module}.${type}.${method}`)
  for (const method of WATCHED_OF_PROCESS) watch(process, method, `process.${method}`)
  require('node:module').syncBuiltinESMExports()
}
