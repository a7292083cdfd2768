// id: code-from-text
// title: text cannot become code in any way that the language offers
// level: L2
// class: thread-seal
// expect: refused EvalError ReferenceError TypeError
// control: none the attempts are the language’s own

const asyncFunction = (async () => {}).constructor
const generator = function* () {}.constructor
const asyncGenerator = async function* () {}.constructor
const plain = (() => {}).constructor

export const attempts = {
  eval: () => globalThis['ev' + 'al']('1'),
  Function: () => globalThis.Function('return 1')(),
  'a kept Function': () => plain.prototype.constructor('return 1')(),
  'a kept async function': () => asyncFunction.prototype.constructor('return 1')(),
  'a kept generator': () => generator.prototype.constructor('return 1')(),
  'a kept async generator': () => asyncGenerator.prototype.constructor('return 1')(),
  'an import’s constructor': ({ imports }) => imports.env.__syscall_openat.constructor('return 1')(),
  'an export’s constructor': ({ instance }) => instance.exports.malloc.constructor('return 1')(),
  'the port’s constructor': ({ task }) => task.port.postMessage.constructor('return 1')(),
  'a timer of text': () => setTimeout('1', 0),
  'an error of an exhausted stack': () => {
    const dive = () => dive()
    try {
      dive()
    } catch (error) {
      return error.constructor.constructor('return 1')()
    }
  },
  'an error of Node’s': () => {
    try {
      Buffer.from(Symbol('x'))
    } catch (error) {
      return error.constructor.constructor('return 1')()
    }
  },
  'Reflect.construct': () => Reflect.construct((() => {}).constructor, ['return 1'])(),
  'another WebAssembly module': () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
}
