// Random numbers for the imports of a real, booted interpreter with its memory, allocator and table. A case is a list of imports with the
// letters of their parameters; its result is a tally of outcomes for each import. With `again`, an interpreter that ended is replaced.
/** Valid pointers, sizes at every edge, open descriptors. */
const EDGES = [
  0,
  1,
  -1,
  2,
  3,
  4,
  7,
  8,
  16,
  100,
  -100,
  255,
  4095,
  4096,
  65_535,
  65_536,
  2 ** 21,
  31_457_279,
  31_457_280,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 30,
]

export async function open({ dist, cacheDir }) {
  const load = (path) => import(new URL(path, dist).href)
  const { openImage } = await load('src/image/open.js')
  const { Host, InterpreterEnd } = await load('workers/host/host.js')
  const { InterruptCell } = await load('workers/host/interrupt.js')
  const { Interpreter } = await load('workers/interpreter/interpreter.js')
  const { readable } = await load('workers/image-bytes.js')
  const shared = await openImage({ cacheDir })

  /** Never sleeps, whatever the arguments. */
  class Sleepless extends InterruptCell {
    wait() {
      return 'timeout'
    }
  }

  const image = readable(shared)

  /** A host that keeps what it exchanges with the interpreter's module. */
  class Spied extends Host {
    constructor() {
      const { files, bytes, cwd } = image
      super({ files, bytes, cwd, interrupt: new Sleepless(), onOutput: () => {} })
    }

    imports(module) {
      this.module = module
      this.given = super.imports(module)
      return this.given
    }

    bind(...exported) {
      this.exported = exported
      super.bind(...exported)
    }
  }

  function configure(host) {
    host.configure({ memoryBytes: 64 * 2 ** 20, outputBytes: 2 ** 20, fileBytes: 2 ** 20 }, 'Europe/Lisbon')
  }

  /** A booted interpreter, and its imports as WebAssembly receives them. */
  function boot() {
    const host = new Spied()
    const interpreter = Interpreter.boot(image, host)
    configure(host)
    return { host, interpreter, imports: host.given }
  }

  /** Another host for the memory of an interpreter that has ended. It is faster than a boot. */
  function hostAgain({ module, exported }) {
    const host = new Spied()
    const imports = host.imports(module)
    host.bind(...exported)
    configure(host)
    return { host, imports }
  }

  let guest

  return ({ list, imports = [], calls, again }) => {
    guest ??= boot()
    if (list) {
      return Object.entries(guest.imports).flatMap(([from, all]) =>
        Object.entries(all).map(
          ([each, value]) =>
            `${from}.${each} ${typeof value === 'function' ? 'function' : value.constructor.name}`,
        ),
      )
    }
    return imports.map(([name, letters]) => tallyOf(name, letters, calls, again))
  }

  function tallyOf(name, letters, calls, again) {
    guest ??= boot()
    const random = numbers([...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7))
    const [from, each] = name.split('.')
    const tally = { numbers: 0, nothing: 0, ended: 0, others: [] }
    const other = (text) => tally.others.length < 5 && tally.others.push(text)
    for (let call = 0; call < calls; call++) {
      const parameters = [...letters].map((letter) => parameter(letter, random))
      try {
        const result = guest.imports[from][each](...parameters)
        if (typeof result === 'number' || typeof result === 'bigint') tally.numbers++
        // C code may also receive a null reference.
        else if (result === undefined || result === null) tally.nothing++
        else other(`${parameters} returned ${typeof result}`)
      } catch (error) {
        if (error instanceof InterpreterEnd) tally.ended++
        else other(`${parameters} threw ${error}`)
        // Calls on an ended interpreter show nothing more.
        if (again && guest.host.ended && tally.ended % 1000 === 0) guest = boot()
      }
    }
    const { fileBytes, memoryBytes } = guest.host.usage
    // The next import starts with an intact interpreter. Imports that always end it change none of its memory.
    if (guest.host.ended && !again) guest = hostAgain(guest.host)
    else if (guest.host.ended || !guest.interpreter?.revert()) guest = undefined
    return { name, ...tally, fileBytes, memoryBytes }
  }
}

function numbers(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function parameter(letter, random) {
  const kind = random()
  const edge = EDGES[Math.floor(random() * EDGES.length)]
  const number =
    kind < 0.4
      ? edge
      : kind < 0.7
        ? Math.floor(random() * 2 ** 16)
        : kind < 0.85
          ? Math.floor(random() * 31_457_280)
          : (random() * 2 ** 32) | 0
  switch (letter) {
    case 'j':
      return BigInt.asIntN(64, BigInt(number) * (random() < 0.3 ? 2n ** 33n : 1n))
    case 'f':
    case 'd':
      return [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e308, number][
        Math.floor(random() * 6)
      ]
    case 'E':
      return null
    // Not an index of the function table.
    case 'O':
      return random() < 0.5 ? -1 - Math.floor(random() * 2 ** 31) : 20_000 + Math.floor(random() * 2 ** 30)
    default:
      return number
  }
}
