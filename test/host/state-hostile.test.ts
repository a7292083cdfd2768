// A state is untrusted data: it is either rejected as a whole and the host stays unchanged, or has no effect that hostile Python code
// could not have had (N1, N2).
import { describe, expect, it } from 'vitest'
import { O } from '../../workers/host/abi.js'
import { FsError } from '../../workers/host/errno.js'
import { type HostLimits, HostStateError } from '../../workers/host/host.js'
import { AT_FDCWD, type Guest, UNBOUNDED } from './guest.js'
import { DATA_BYTES, type Frozen, freeze, newGuest, still, thaw } from './thaw.js'

const CREATE = O.CREAT | O.RDWR
const LIMITS: HostLimits = { ...UNBOUNDED, fileBytes: 1_000_000 }
const MAX = Number.MAX_SAFE_INTEGER

/** Indices in a node's list. */
const ID = 0
const KIND = 1
const MODE = 2
const PARENT = 3
const NAME = 4
const COOKIE = 5
const SECONDS = 6
const NANOSECONDS = 7
/** The first two fields specific to the node's kind. */
const FIRST = 12
const SECOND = 13
const CHARGED = 14
const EXTENTS = 15

interface Draft {
  [field: string]: unknown
  cwd: unknown[]
  removed: unknown[]
  nodes: unknown[][]
  openFiles: unknown[][]
  descriptors: unknown[][]
}

/** A guest with one node of every kind. */
function victim(): Guest {
  const guest = newGuest({ limits: LIMITS })
  guest.mkdir('/tmp/dir')
  guest.put('/tmp/dir/file', 'hello')
  guest.symlink('file', '/tmp/dir/link')
  const held = guest.open('/tmp/held', CREATE)
  guest.write(held, 'held')
  guest.unlink('/tmp/held')
  const pipe = guest.room(8)
  guest.call('__syscall_pipe', pipe)
  guest.write(guest.view.getInt32(pipe + 4, true), 'unread')
  const data = guest.open('/lib/data', O.RDWR)
  guest.seek(data, 150_000)
  guest.write(data, 'changed')
  guest.unlink('/lib/dir/a')
  guest.rename('/lib/link', '/lib/alias')
  guest.call('__syscall_chmod', guest.text('/dev/null'), 0o600)
  guest.call('__syscall_chdir', guest.text('/tmp/dir'))
  guest.entries(guest.open('/tmp', O.DIRECTORY), 60)
  return guest
}

const original = freeze(victim())
/** Index of each in the list of nodes. */
const at = {
  root: 0,
  tmp: named('tmp'),
  data: named('data'),
  lib: named('dir', 0),
  null: named('null'),
  dir: named('dir', 1),
  file: named('file'),
  link: named('link'),
  alias: named('alias'),
  held: original.state.nodes.findIndex((node) => node[PARENT] === 0 && node[KIND] === 0),
  pipe: original.state.nodes.findIndex((node) => node[KIND] === 4),
}

function named(name: string, which = 0): number {
  const found = [...original.state.nodes.entries()].filter(([, node]) => node[NAME] === name)
  return found[which]?.[0] ?? -1
}

function draftOf(frozen: Frozen): Draft {
  return JSON.parse(JSON.stringify(frozen.state)) as Draft
}

function idOf(draft: Draft, index: number): number {
  return draft.nodes[index]?.[ID] as number
}

/** Sets fields of a node. */
function node(index: number, ...fields: readonly (readonly [field: number, value: unknown])[]) {
  return (draft: Draft): void => {
    for (const [field, value] of fields) (draft.nodes[index] as unknown[])[field] = value
  }
}

function field(name: string, value: unknown) {
  return (draft: Draft): void => {
    draft[name] = value
  }
}

function openFile(index: number, place: number, value: unknown) {
  return (draft: Draft): void => {
    ;(draft.openFiles[index] as unknown[])[place] = value
  }
}

function placeOfOpen(index: number): number {
  return original.state.openFiles.findIndex(([, id]) => id === original.state.nodes[index]?.[ID])
}

const harms: readonly (readonly [name: string, harm: (draft: Draft) => unknown])[] = [
  ['a missing field', (draft) => delete draft.umask],
  ['an unknown field', field('more', 1)],
  [
    'a field named __proto__',
    (draft) => Object.defineProperty(draft, '__proto__', { value: 1, enumerable: true }),
  ],
  ...[-1, MAX, Number.NaN, '0', null, 10n, 1e300].flatMap((value) =>
    ['clockMs', 'umask', 'firstOwnId', 'nextId'].flatMap((name) =>
      name === 'clockMs' && value === 10n
        ? []
        : [[`${name} is ${typeof value} ${value}`, field(name, value)] as const],
    ),
  ),
  ...[null, 1, 'x', {}].flatMap((value) =>
    ['cwd', 'removed', 'nodes', 'openFiles', 'descriptors'].map(
      (name) => [`${name} is ${JSON.stringify(value)}`, field(name, value)] as const,
    ),
  ),
  ['an unknown time zone', field('timeZone', 'Mars/Olympus')],
  ['a time zone that is a number', field('timeZone', 1)],
  ['a very long time zone', field('timeZone', 'x'.repeat(1_000_000))],
  ['a umask beyond permission bits', field('umask', 0o1000)],
  ['another image', (draft) => (draft.firstOwnId = (draft.firstOwnId as number) - 1)],
  ['a nextId that was already used', (draft) => (draft.nextId = idOf(draft, draft.nodes.length - 1))],

  ['a cwd that is a file', (draft) => (draft.cwd = [1, idOf(draft, at.file)])],
  ['a cwd that does not exist', (draft) => (draft.cwd = [1, 10_000])],
  ['a cwd in an unknown store', (draft) => (draft.cwd[0] = 2)],
  ['a cwd with a field too many', (draft) => draft.cwd.push(1)],

  ['a removed root', (draft) => draft.removed.unshift(1)],
  ['a removed node that is not of the image', (draft) => draft.removed.push(idOf(draft, at.file))],
  ['a node removed twice', (draft) => draft.removed.push(draft.removed[0])],
  ['a removed node that is also changed', (draft) => (draft.removed = [idOf(draft, at.data)])],
  ['a removed directory that has files', (draft) => draft.removed.unshift(2)],
  ['a removed node that is a string', (draft) => (draft.removed = ['9'])],
  ['a removed node with a fractional id', (draft) => (draft.removed = [9.5])],

  ['a node that is not a list', (draft) => (draft.nodes[at.file] = 1 as unknown as unknown[])],
  ['a node with a field too few', (draft) => draft.nodes[at.file]?.pop()],
  ['a node with a field too many', (draft) => draft.nodes[at.file]?.push(0)],
  ['a node twice', (draft) => draft.nodes.splice(at.file, 0, draft.nodes[at.file] ?? [])],
  ['nodes out of order', (draft) => draft.nodes.reverse()],
  ['more nodes than allowed', (draft) => (draft.nodes = Array(70_000).fill(draft.nodes[at.file]))],
  ['node 0', node(at.root, [ID, 0])],
  ['a node with a fractional id', (draft) => ((draft.nodes[at.root] as unknown[])[ID] = 0.5)],
  [
    'a node with an id that was never assigned',
    (draft) => node(draft.nodes.length - 1, [ID, draft.nextId])(draft),
  ],
  ['an unknown kind of node', node(at.file, [KIND, 5])],
  ['a file of the image that is a directory', (draft) => turned(draft, at.data, 1, [3])],
  ['a directory of the image that is a file', (draft) => turned(draft, at.lib, 0, [0, 0, 0, []])],
  ['a device of the image that is a pipe', (draft) => turned(draft, at.null, 4, [0, 0])],
  ['a device that is not of the image', (draft) => turned(draft, at.file, 3, [])],
  ['a mode beyond permission bits', node(at.file, [MODE, 0o10_000])],
  ['a mode below 0', node(at.file, [MODE, -1])],

  ...['', '.', '..', 'a/b', '/', 'nul\0', '€', 'x'.repeat(256), 1, null].map(
    (name) => [`the name ${JSON.stringify(name).slice(0, 20)}`, node(at.file, [NAME, name])] as const,
  ),
  ['a name that is taken', node(at.file, [NAME, 'link'])],
  ['a cookie that is taken', (draft) => node(at.file, [COOKIE, draft.nodes[at.link]?.[COOKIE]])(draft)],
  ['a cookie reserved for "." and ".."', node(at.file, [COOKIE, 2])],
  ['a cookie that was never assigned', node(at.file, [COOKIE, 1000])],
  [
    'a name taken by a file of the image',
    (draft) => node(at.file, [PARENT, idOf(draft, at.lib)], [NAME, 'b'], [COOKIE, 3])(draft),
  ],
  [
    'a cookie of a file of the image',
    (draft) => node(at.file, [PARENT, idOf(draft, at.lib)], [COOKIE, 4])(draft),
  ],
  ['a parent that is a file', (draft) => node(at.link, [PARENT, idOf(draft, at.file)])(draft)],
  ['a parent that does not exist', node(at.file, [PARENT, 10_000])],
  ['a parent that was removed', (draft) => node(at.file, [PARENT, draft.removed[0]])(draft)],
  ['a directory in itself', (draft) => node(at.dir, [PARENT, idOf(draft, at.dir)])(draft)],
  [
    'directories in one another',
    (draft) =>
      node(
        at.lib,
        [PARENT, idOf(draft, at.dir)],
        [COOKIE, 4],
        [NAME, 'x'],
      )(node(at.dir, [PARENT, idOf(draft, at.lib)], [COOKIE, 3])(draft) ?? draft),
  ],
  ['a file in a directory without a parent', node(at.dir, [PARENT, 0], [NAME, ''], [COOKIE, 0])],
  ['a node without a parent that nothing has open', node(at.link, [PARENT, 0], [NAME, ''], [COOKIE, 0])],
  ['a name without a parent', node(at.held, [NAME, 'x'])],
  ['a cookie without a parent', node(at.held, [COOKIE, 3])],
  ['the root in a directory', (draft) => placeRoot(draft)],
  ['a directory with too small a nextCookie', node(at.tmp, [FIRST, 3])],
  ['a directory of the image with too small a nextCookie', node(at.lib, [FIRST, 4])],
  ['a huge nextCookie', node(at.tmp, [FIRST, MAX])],

  ['fractional seconds', node(at.file, [SECONDS, 0.5])],
  ['seconds beyond 64 bits', node(at.file, [SECONDS, 2 ** 64])],
  ['seconds that are a bigint', node(at.file, [SECONDS, 1n])],
  ['nanoseconds that add up to a second', node(at.file, [NANOSECONDS, 1_000_000_000])],

  ['a size below 0', node(at.file, [FIRST, -1])],
  ['a size beyond exact numbers', node(at.file, [FIRST, 2 ** 53])],
  ['a size that is not a number', node(at.file, [FIRST, Number.NaN])],
  ['bytes of the image in a file that is not of the image', node(at.file, [SECOND, 5])],
  ['more of the image than the file has', node(at.data, [SECOND, DATA_BYTES + 1], [FIRST, DATA_BYTES + 10])],
  ['more of the image than its own size', node(at.data, [SECOND, DATA_BYTES], [FIRST, 150_008])],
  ['contents not charged to the quota', node(at.file, [CHARGED, 0])],
  ["changed contents of an image's file not charged to the quota", node(at.data, [CHARGED, 0])],
  ['a charged field that is 2', node(at.file, [CHARGED, 2])],
  ['half an extent', node(at.file, [EXTENTS, [0]])],
  ['an extent beyond the end', node(at.file, [EXTENTS, [0, 6]])],
  ['an extent in another chunk', node(at.file, [EXTENTS, [1, 5]])],
  ['an extent of negative length', node(at.file, [EXTENTS, [0, -1]])],
  ['an extent at a string', node(at.file, [EXTENTS, ['0', 5]])],
  ['an empty extent in a hole', node(at.file, [EXTENTS, [0, 0]])],
  ['the same extent twice', node(at.data, [EXTENTS, [2, 65_536, 2, 0]])],
  ['extents out of order', node(at.data, [EXTENTS, [2, 65_536, 1, 0]])],
  ['extents that overlap', node(at.data, [EXTENTS, [1, 65_536, 1, 0]])],
  ['contents that are missing', node(at.data, [EXTENTS, [0, 150_007]])],
  ['contents that no extent uses', node(at.file, [EXTENTS, []])],

  ['a link to nothing', node(at.link, [FIRST, ''])],
  ['a link longer than a path', node(at.link, [FIRST, 'x'.repeat(4096)])],
  ['a link with NUL', node(at.link, [FIRST, 'a\0b'])],
  ['a link of the image that leads elsewhere', node(at.alias, [FIRST, 'dir'])],
  [
    'a pipe in a directory',
    (draft) => node(at.pipe, [PARENT, idOf(draft, at.tmp)], [NAME, 'pipe'], [COOKIE, 4])(draft),
  ],
  ['a pipe that holds too much', node(at.pipe, [FIRST, 65_537])],
  ['more unread bytes than the pipe contains', node(at.pipe, [FIRST, 5])],
  ['a pipe that is not open', (draft) => closeAll(draft, idOf(draft, at.pipe))],

  ['an open file in an unknown store', openFile(0, 0, 2)],
  ['an open file in store 0', openFile(0, 0, 0)],
  ['an open file that does not exist', openFile(0, 1, 10_000)],
  ['an open file that was removed', (draft) => openFile(0, 1, draft.removed[0])(draft)],
  ['an open link', (draft) => openFile(0, 1, idOf(draft, at.link))(draft)],
  ...[O.CREAT, O.EXCL, O.TRUNC, O.CLOEXEC, O.TMPFILE, 3, 2 ** 31, 0.5, '0'].map(
    (flags) => [`flags ${flags}`, openFile(placeOfOpen(at.data), 2, flags)] as const,
  ),
  ['a directory open for writing', openFile(placeOfOpen(at.tmp), 2, O.WRONLY)],
  ['a pipe open for both', openFile(placeOfOpen(at.pipe), 2, O.RDWR)],
  ['a position below 0', openFile(placeOfOpen(at.data), 3, -1)],
  ['a position beyond exact numbers', openFile(placeOfOpen(at.data), 3, 2 ** 53)],
  ['a position in a pipe', openFile(placeOfOpen(at.pipe), 3, 1)],
  ['a position in a device', openFile(0, 3, 1)],
  ['a listing of a file', openFile(placeOfOpen(at.data), 4, 1)],
  ['a listing position beyond all entries', openFile(placeOfOpen(at.tmp), 4, 1000)],
  ['an open file without descriptor', (draft) => draft.openFiles.push(draft.openFiles[0] ?? [])],
  ['more open files than allowed', (draft) => (draft.openFiles = Array(2000).fill(draft.openFiles[0]))],
  ['a descriptor twice', (draft) => draft.descriptors.push(draft.descriptors.at(-1) ?? [])],
  ['descriptors out of order', (draft) => draft.descriptors.reverse()],
  ['a descriptor above the maximum', (draft) => ((draft.descriptors.at(-1) as unknown[])[0] = 1024)],
  ['a descriptor below 0', (draft) => ((draft.descriptors[0] as unknown[])[0] = -1)],
  ['a descriptor of no open file', (draft) => ((draft.descriptors[0] as unknown[])[1] = 100)],
  ['a close-on-exec flag that is 2', (draft) => ((draft.descriptors[0] as unknown[])[2] = 2)],
]

describe('a state is rejected, and the host unchanged, when it has', () => {
  const guest = newGuest({ limits: LIMITS })
  guest.put('/tmp/mine', 'x')
  const before = still(freeze(guest))
  const usage = guest.host.usage

  it.each(harms)('%s', (_, harm) => {
    const draft = draftOf(original)
    harm(draft)
    expect(refusal(guest, draft, original.contents)).toBe('corrupt')
    expect(still(freeze(guest))).toEqual(before)
    expect(guest.host.usage).toEqual(usage)
  })

  it('nothing wrong: then it is accepted', () => {
    expect(refusal(newGuest(), draftOf(original), original.contents)).toBe('none')
    expect(Math.min(...Object.values(at))).toBeGreaterThanOrEqual(0)
  })

  it.each([undefined, null, 1, 'state', [], new Map(), () => {}, Symbol('x'), [[]]])(
    '%s instead of a state',
    (state) => {
      expect(refusal(guest, state, original.contents)).toBe('corrupt')
    },
  )

  it('contents that are cut, too long, or not bytes', () => {
    const { contents } = original
    const longer = Buffer.concat([contents, Buffer.of(0)])
    for (const bad of [contents.subarray(1), longer, new Uint8Array(0), 'bytes', null, new ArrayBuffer(5)]) {
      expect(refusal(guest, draftOf(original), bad as Uint8Array)).toBe('corrupt')
    }
  })

  it('a nextId that the image already uses', () => {
    const draft = draftOf(freeze(newGuest()))
    draft.nextId = 5
    expect(refusal(guest, draft, new Uint8Array(0))).toBe('corrupt')
  })

  it('a __proto__ key in a Map: without one, a Map is accepted', () => {
    const state = new Map(Object.entries(draftOf(original)))
    expect(refusal(newGuest(), state, original.contents)).toBe('none')
    state.set('__proto__', 1)
    expect(refusal(newGuest(), state, original.contents)).toBe('corrupt')
  })
})

describe('a state is too large when it has', () => {
  it('one byte more than the limit', () => {
    const { fileBytes } = thaw(original).host.usage
    const guest = newGuest()
    expect(refusal(guest, original.state, original.contents, fileBytes)).toBe('none')
    expect(refusal(guest, original.state, original.contents, fileBytes - 1)).toBe('too-large')
  })

  it('more bytes than the limit, after subtracting what was removed from the image', () => {
    const guest = newGuest()
    const { fileBytes } = guest.host.usage
    expect(fileBytes).toBe(4)
    guest.unlink('/lib/link')
    guest.symlink('four', '/tmp/link')
    const { state, contents } = freeze(guest)
    expect(refusal(newGuest(), state, contents, 4)).toBe('none')
    expect(refusal(newGuest(), state, contents, 3)).toBe('too-large')
  })

  it('a hole beyond the limit, or several that add up to more', () => {
    const draft = draftOf(original)
    node(at.file, [FIRST, 2 ** 42])(draft)
    expect(refusal(newGuest(), draft, original.contents, 2 ** 42)).toBe('too-large')
    expect(refusal(newGuest(), draft, original.contents, 2 ** 43)).toBe('none')
  })

  it('more nodes than allowed, including those of the image', () => {
    const draft = draftOf(freeze(newGuest()))
    const first = draft.nextId as number
    const count = 65_536 - first + 2
    const tmp = newGuest()
    tmp.put('/tmp/x', '')
    const [directory, file] = draftOf(freeze(tmp)).nodes as [unknown[], unknown[]]
    draft.nextId = first + count
    draft.nodes = [directory.with(FIRST, 100_000)]
    for (let index = 0; index < count; index += 1) {
      draft.nodes.push(
        file
          .with(ID, first + index)
          .with(NAME, `${index}`)
          .with(COOKIE, 3 + index),
      )
    }
    expect(refusal(newGuest(), draft, new Uint8Array(0))).toBe('too-large')
    draft.nodes.pop()
    const guest = newGuest()
    // Throws if the state is rejected.
    thaw({ state: draft as unknown as Frozen['state'], contents: new Uint8Array(0) }, {}, guest)
    expect(guest.mkdir('/tmp/more')).toBeLessThan(0)
  })
})

describe('a randomly damaged state', () => {
  it.each([1, 2])('is rejected, or gives files that work (seed %d)', (seed) => {
    const random = numbers(seed)
    const guest = newGuest({ limits: LIMITS })
    let taken = 0
    for (let round = 0; round < 400; round += 1) {
      guest.recycle()
      const draft = draftOf(original)
      const times = 1 + Math.floor(random() * 3)
      for (let time = 0; time < times; time += 1) mutate(draft, random)
      const result = refusal(guest, draft, original.contents, LIMITS.fileBytes)
      if (result !== 'none') continue
      taken += 1
      guest.host.install(guest.host.prepare(draft, original.contents, LIMITS))
      // A state that was accepted must be accepted again after a capture, except for the clock, which may have reached its maximum.
      const again = freeze(guest)
      const state = { ...again.state, clockMs: 0 }
      expect(refusal(guest, state, again.contents, LIMITS.fileBytes), JSON.stringify(draft)).toBe('none')
      exercise(guest, random)
      expect(guest.host.ended, JSON.stringify(draft)).toBeNull()
      expect(guest.host.usage.fileBytes).toBeLessThanOrEqual(LIMITS.fileBytes ?? 0)
    }
    expect(taken).toBeGreaterThan(20)
    expect(taken).toBeLessThan(380)
  })
})

/** @returns why the state is rejected, or 'none'. Any error other than HostStateError is a bug in the host */
function refusal(
  guest: Guest,
  state: unknown,
  contents: Uint8Array,
  fileBytes: number | null = null,
): string {
  try {
    guest.host.prepare(state, contents, { ...UNBOUNDED, fileBytes })
    return 'none'
  } catch (error) {
    if (!(error instanceof HostStateError)) throw error
    expect(error.message.length).toBeLessThan(300)
    return error.reason
  }
}

/** Changes a node's kind, with the fields of the new kind. */
function turned(draft: Draft, index: number, kind: number, fields: unknown[]): void {
  const common = (draft.nodes[index] ?? []).slice(0, FIRST)
  draft.nodes[index] = [...common.with(KIND, kind), ...fields]
}

/** Puts the root into /tmp, whether or not the state already contains it. */
function placeRoot(draft: Draft): void {
  const tmp = draft.nodes[at.tmp] ?? []
  const root = tmp.with(ID, 1).with(PARENT, tmp[ID]).with(NAME, 'root').with(COOKIE, 3).with(FIRST, 100)
  draft.nodes = [root, ...draft.nodes.filter(([id]) => id !== 1)]
}

function closeAll(draft: Draft, id: number): void {
  draft.openFiles.forEach((file, index) => {
    if (file[1] === id) draft.openFiles[index] = file.with(1, 1).with(2, 0)
  })
}

/** Uses every file and descriptor with every call that takes one. All must return numbers, whatever the state contains. */
function exercise(guest: Guest, random: () => number): void {
  const paths = walk(guest)
  for (const path of paths) {
    guest.recycle()
    guest.stat(path)
    const fd = guest.open(path, random() < 0.5 ? O.RDWR : 0)
    if (fd >= 0) use(guest, fd)
  }
  for (const [fd] of freeze(guest).state.descriptors) use(guest, fd)
  guest.call('__syscall_getcwd', guest.room(4096), 4096)
  guest.put('new', 'x')
  for (const path of paths.reverse()) {
    guest.recycle()
    if (random() < 0.3) guest.rename(path, paths[Math.floor(random() * paths.length)] ?? '/')
    if (random() < 0.3)
      guest.call('__syscall_truncate64', guest.text(path), BigInt(Math.floor(random() * 100_000)))
    if (guest.unlink(path) < 0) guest.rmdir(path)
  }
  for (const [fd] of freeze(guest).state.descriptors) if (random() < 0.5) guest.call('fd_close', fd)
  guest.call('__syscall_chdir', guest.text('/'))
  freeze(guest)
}

function use(guest: Guest, fd: number): void {
  guest.recycle()
  const buffer = guest.room(512)
  guest.read(fd, 100)
  guest.write(fd, 'x')
  guest.entries(fd, 300)
  guest.seek(fd, 0, 2)
  guest.read(fd, 10)
  guest.write(fd, 'y')
  guest.call('__syscall_fstat64', fd, buffer)
  guest.call('__syscall_fcntl64', fd, 3, buffer)
  guest.call('__syscall_fstatfs64', fd, 88, buffer)
  guest.call('__syscall_dup', fd)
  guest.call('__syscall_newfstatat', fd, guest.text('..'), buffer, 0)
  guest.call('__syscall_unlinkat', AT_FDCWD, guest.text('nothing'), 0)
}

/** Lists all paths. Ends because every node is in only one place. */
function walk(guest: Guest): string[] {
  const found: string[] = ['/']
  for (const path of found) {
    if (found.length > 1000) throw new Error('the walk does not end')
    guest.recycle()
    const fd = guest.open(path, O.DIRECTORY)
    if (fd < 0) continue
    guest.call('fd_close', fd)
    for (const name of listed(guest, path)) found.push(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  return found
}

function listed(guest: Guest, path: string): string[] {
  try {
    return guest.list(path)
  } catch (error) {
    if (error instanceof FsError) throw error
    return []
  }
}

/** Damages the draft at random, often with values close to valid ones. */
function mutate(draft: Draft, random: () => number): void {
  const lists: unknown[][] = []
  collect(draft.cwd, lists)
  for (const name of ['removed', 'nodes', 'openFiles', 'descriptors']) collect(draft[name], lists)
  const pick = (limit: number): number => Math.floor(random() * limit)
  const scalars = ['clockMs', 'umask', 'nextId', 'timeZone']
  if (random() < 0.05) {
    const name = scalars[pick(scalars.length)] ?? ''
    draft[name] = changed(draft[name], random, lists)
    return
  }
  const list = lists[pick(lists.length)] ?? []
  const place = pick(list.length)
  const kind = random()
  if (kind < 0.75) list[place] = changed(list[place], random, lists)
  else if (kind < 0.8) list.splice(place, 1)
  else if (kind < 0.85) list.splice(place, 0, structuredClone(list[place]))
  else if (kind < 0.9) list.push(structuredClone(list[place]))
  else if (kind < 0.95) list[place] = structuredClone(lists[pick(lists.length)])
  else {
    const other = pick(list.length)
    ;[list[place], list[other]] = [list[other], list[place]]
  }
}

const EDGES: readonly unknown[] = [
  0,
  1,
  2,
  3,
  4,
  12,
  255,
  4096,
  65_535,
  65_536,
  2 ** 31,
  2 ** 42,
  2 ** 48,
  MAX,
]
const ODD: readonly unknown[] = [
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  true,
  '',
  '.',
  'x',
  [],
  {},
  5n,
]

function changed(value: unknown, random: () => number, lists: readonly unknown[][]): unknown {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)]
  const kind = random()
  if (kind < 0.15) return pick(ODD)
  if (kind < 0.35) return pick(EDGES)
  if (kind < 0.5) return structuredClone(pick(pick(lists) ?? []))
  if (typeof value === 'number') return value + Math.floor(random() * 7) - 3
  if (typeof value === 'string') return random() < 0.5 ? `${value}x` : value.slice(1)
  return value
}

function collect(value: unknown, lists: unknown[][]): void {
  if (!Array.isArray(value)) return
  lists.push(value)
  for (const inner of value) collect(inner, lists)
}

/** Numerical Recipes' generator. The same seed reproduces a failure. */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
