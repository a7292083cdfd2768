import { beforeEach, describe, expect, it } from 'vitest'
import { errno } from '../../workers/host/errno.js'
import { Guest } from './guest.js'

const CREATE = 0o101
const EXCLUSIVE = 0o301
const DIRECTORY = 0o200000
const NOFOLLOW = 0o400000
const TMPFILE = 0o20200001

let guest: Guest

beforeEach(() => {
  guest = new Guest()
  guest.mkdir('/w')
  guest.put('/w/file', 'text')
  guest.mkdir('/w/dir')
  guest.number('__syscall_chdir', guest.text('/w'))
})

describe('open', () => {
  it.each([
    ['a missing file', 'nope', 0, errno.ENOENT],
    ['a file below a file', 'file/x', 0, errno.ENOTDIR],
    ['a file with a slash', 'file/', 0, errno.ENOTDIR],
    ['an empty path', '', 0, errno.ENOENT],
    ['a directory for writing', 'dir', 1, errno.EISDIR],
    ['a directory with O_CREAT', 'dir', CREATE, errno.EISDIR],
    ['a new file with a slash', 'new/', CREATE, errno.EISDIR],
    ['a file with O_DIRECTORY', 'file', DIRECTORY, errno.ENOTDIR],
    ['a file with O_EXCL', 'file', EXCLUSIVE, errno.EEXIST],
    ['with O_TMPFILE', 'dir', TMPFILE, errno.EOPNOTSUPP],
    ['with access mode 3', 'file', 3, errno.EINVAL],
    ['a name of 256 bytes', 'n'.repeat(256), CREATE, errno.ENAMETOOLONG],
    ['a path of 4,096 bytes', './'.repeat(2048), 0, errno.ENAMETOOLONG],
  ])('rejects %s', (_, path, flags, expected) => {
    expect(guest.open(path, flags)).toBe(-expected)
  })

  it('truncates with O_TRUNC', () => {
    guest.open('file', 0o1001)
    expect(guest.stat('file').size).toBe(0)
  })

  it('subtracts the umask from the mode of a new file', () => {
    expect(guest.number('__syscall_umask_js', 0o027)).toBe(0o022)
    guest.open('new', CREATE, 0o777)
    expect(guest.stat('new').mode).toBe(0o100750)
  })

  it('allows at most 1,024 descriptors', () => {
    const opened = Array.from({ length: 1100 }, () => guest.open('file')).filter((fd) => fd >= 0)
    expect(opened).toHaveLength(1021)
    expect(guest.open('file')).toBe(-errno.EMFILE)
  })

  it('creates no file if there is no free descriptor', () => {
    for (let fd = 0; fd < 1100; fd += 1) guest.open('file')
    expect(guest.open('new', CREATE)).toBe(-errno.EMFILE)
    expect(guest.stat('new').error).toBe(-errno.ENOENT)
  })

  it('accepts names that are not UTF-8', () => {
    const path = guest.text(Uint8Array.from([0xff, 0xfe, 0x2f, 0x2e, 0x2e, 0x2f, 0xff, 0xfe]))
    guest.number('__syscall_mkdirat', -100, guest.text(Uint8Array.from([0xff, 0xfe])), 0o777)
    const buffer = guest.room(96)
    expect(guest.number('__syscall_stat64', path, buffer)).toBe(0)
  })
})

describe('symbolic links', () => {
  it('are followed up to 40 times', () => {
    guest.symlink('file', 'l0')
    for (let i = 1; i <= 41; i += 1) guest.symlink(`l${i - 1}`, `l${i}`)
    expect(guest.get('l39')).toBe('text')
    expect(guest.open('l40')).toBe(-errno.ELOOP)
  })

  it('that form a cycle give ELOOP', () => {
    guest.symlink('b', 'a')
    guest.symlink('a', 'b')
    expect(guest.open('a')).toBe(-errno.ELOOP)
  })

  it('that expand to extremely long paths fail quickly', () => {
    const long = `${'./'.repeat(1900)}`
    guest.symlink(`${long}x1/${'y/'.repeat(50)}`, 'x0')
    for (let i = 1; i < 40; i += 1) guest.symlink(`${long}x${i + 1}/${'y/'.repeat(50)}`, `x${i}`)
    expect([-errno.ENAMETOOLONG, -errno.ELOOP, -errno.ENOENT]).toContain(guest.open('x0'))
  })

  it('are rejected with O_NOFOLLOW as the last component only', () => {
    guest.symlink('file', 'link')
    guest.symlink('.', 'here')
    expect(guest.open('link', NOFOLLOW)).toBe(-errno.ELOOP)
    expect(guest.open('here/file', NOFOLLOW)).toBeGreaterThan(2)
  })

  it('to missing files create their target, except with O_EXCL', () => {
    guest.symlink('target', 'link')
    expect(guest.open('link', EXCLUSIVE)).toBe(-errno.EEXIST)
    expect(guest.open('link', CREATE)).toBeGreaterThan(2)
    expect(guest.stat('target').error).toBe(0)
  })

  it('return their target, truncated to the buffer', () => {
    guest.symlink('a/target', 'link')
    const buffer = guest.room(16)
    expect(guest.number('__syscall_readlinkat', -100, guest.text('link'), buffer, 3)).toBe(3)
    expect(guest.bytes.toString('latin1', buffer, buffer + 4)).toBe('a/t\0')
    expect(guest.number('__syscall_readlinkat', -100, guest.text('file'), buffer, 16)).toBe(-errno.EINVAL)
  })
})

describe('directories', () => {
  it.each([
    ['that is not empty', 'full', errno.ENOTEMPTY],
    ['that is a file', 'file', errno.ENOTDIR],
    ['that is missing', 'nope', errno.ENOENT],
    ['that is the root', '/', errno.EBUSY],
    ['by "."', '.', errno.EINVAL],
    ['by ".."', 'full/..', errno.ENOTEMPTY],
  ])('rmdir rejects one %s', (_, path, expected) => {
    guest.mkdir('full')
    guest.put('full/x', '')
    expect(guest.rmdir(path)).toBe(-expected)
  })

  it('can be removed while they are the working directory', () => {
    guest.number('__syscall_chdir', guest.text('dir'))
    expect(guest.rmdir('/w/dir')).toBe(0)
    const buffer = guest.room(100)
    expect(guest.number('__syscall_getcwd', buffer, 100)).toBe(-errno.ENOENT)
    expect(guest.open('new', CREATE)).toBe(-errno.ENOENT)
    expect(guest.open('..')).toBe(-errno.ENOENT)
  })

  it('can be at most 1,024 deep', () => {
    let made = 0
    while (made < 2000) {
      guest.recycle()
      if (guest.mkdir('d') !== 0) break
      guest.number('__syscall_chdir', guest.text('d'))
      made += 1
    }
    expect(made).toBeGreaterThan(1000)
    expect(made).toBeLessThanOrEqual(1024)
    expect(guest.mkdir('d')).toBe(-errno.ENAMETOOLONG)
  })

  it('getcwd returns the working directory, or ERANGE if it does not fit', () => {
    guest.number('__syscall_chdir', guest.text('dir'))
    const buffer = guest.room(16)
    expect(guest.number('__syscall_getcwd', buffer, 7)).toBe(7)
    expect(guest.bytes.toString('latin1', buffer, buffer + 7)).toBe('/w/dir\0')
    expect(guest.number('__syscall_getcwd', buffer, 6)).toBe(-errno.ERANGE)
  })

  it('are the base of *at calls, even after they were moved', () => {
    guest.put('dir/inside', 'x')
    const fd = guest.open('dir', DIRECTORY)
    guest.rename('dir', 'moved')
    expect(guest.open('inside', 0, 0, fd)).toBeGreaterThan(fd)
    expect(guest.open('inside', 0, 0, guest.open('file'))).toBe(-errno.ENOTDIR)
    expect(guest.open('inside', 0, 0, 999)).toBe(-errno.EBADF)
    expect(guest.open('/w/file', 0, 0, 999)).toBeGreaterThan(fd)
  })
})

describe('listing a directory', () => {
  const fill = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      guest.recycle()
      guest.put(`dir/f${i}`, '')
    }
  }

  it('returns every entry once, with buffers of any size', () => {
    fill(100)
    for (const size of [280, 300, 2048, 32_768]) {
      guest.recycle()
      const fd = guest.open('dir', DIRECTORY)
      const seen: string[] = []
      for (let found = guest.entries(fd, size); typeof found !== 'number' && found.length > 0; ) {
        seen.push(...found.map(({ name }) => name))
        guest.recycle()
        found = guest.entries(fd, size)
      }
      expect(new Set(seen).size).toBe(102)
      expect(seen).toHaveLength(102)
    }
  })

  it('is complete even if listed entries are removed meanwhile', () => {
    fill(200)
    const fd = guest.open('dir', DIRECTORY)
    let removed = 0
    for (let found = guest.entries(fd, 1000); typeof found !== 'number' && found.length > 0; ) {
      for (const { name } of found) if (guest.unlink(`dir/${name}`) === 0) removed += 1
      found = guest.entries(fd, 1000)
    }
    expect(removed).toBe(200)
    expect(guest.rmdir('dir')).toBe(0)
  })

  it('ends even if every entry is renamed as it is found', () => {
    fill(50)
    const fd = guest.open('dir', DIRECTORY)
    let found = 0
    for (let part = guest.entries(fd, 500); typeof part !== 'number' && part.length > 0; ) {
      for (const { name } of part) guest.rename(`dir/${name}`, `dir/${name}+`)
      found += part.length
      guest.recycle()
      part = guest.entries(fd, 500)
    }
    expect(found).toBe(52)
  })

  it('sees entries created after an earlier listing', () => {
    expect(guest.list('dir')).toEqual([])
    fill(3)
    expect(guest.list('dir')).toEqual(['f0', 'f1', 'f2'])
  })

  it('restarts at position 0, and continues from any position it returned', () => {
    fill(10)
    const fd = guest.open('dir', DIRECTORY)
    const all = guest.entries(fd) as { name: string; cookie: number }[]
    guest.seek(fd, all[4]?.cookie ?? 0)
    expect((guest.entries(fd) as { name: string }[]).map(({ name }) => name)).toEqual(
      all.slice(5).map(({ name }) => name),
    )
    fill(11)
    guest.seek(fd, 0)
    expect(guest.entries(fd)).toHaveLength(13)
  })

  it('gives EINVAL if the buffer is too small for an entry', () => {
    expect(guest.entries(guest.open('dir', DIRECTORY), 8)).toBe(-errno.EINVAL)
  })

  it('takes no more time per entry in a large directory', () => {
    fill(20_000)
    guest.recycle()
    const fd = guest.open('dir', DIRECTORY)
    let seen = 0
    for (let found = guest.entries(fd, 2048); typeof found !== 'number' && found.length > 0; ) {
      seen += found.length
      guest.recycle()
      found = guest.entries(fd, 2048)
    }
    expect(seen).toBe(20_002)
    // If each call restarted the listing, this would take minutes and exceed the test's time limit.
  })
})

describe('rename', () => {
  it.each([
    ['a directory over a file', 'dir', 'file', errno.ENOTDIR],
    ['a file over a directory', 'file', 'dir', errno.EISDIR],
    ['a directory over a full one', 'dir', '/tmp', errno.ENOTEMPTY],
    ['a directory into itself', 'dir', 'dir/sub', errno.EINVAL],
    ['a file to a name with a slash', 'file', 'new/', errno.ENOTDIR],
    ['what is missing', 'nope', 'new', errno.ENOENT],
    ['to below nothing', 'file', 'nope/new', errno.ENOENT],
    ['"."', '.', 'new', errno.EBUSY],
    ['the root', '/', 'new', errno.EBUSY],
  ])('rejects %s', (_, from, to, expected) => {
    guest.put('/tmp/x', '')
    expect(guest.rename(from, to)).toBe(-expected)
  })

  it('replaces an open file, whose old contents stay readable', () => {
    guest.put('other', 'new')
    const fd = guest.open('file')
    expect(guest.rename('other', 'file')).toBe(0)
    expect(guest.read(fd, 10)).toBe('text')
    expect(guest.get('file')).toBe('new')
  })
})

describe('permission bits', () => {
  const chmod = (path: string, mode: number) => guest.number('__syscall_chmod', guest.text(path), mode)

  it('are enforced for reading, writing, listing, searching and changing', () => {
    chmod('file', 0o222)
    expect(guest.open('file', 0)).toBe(-errno.EACCES)
    chmod('file', 0o444)
    expect(guest.open('file', 1)).toBe(-errno.EACCES)
    expect(guest.number('__syscall_truncate64', guest.text('file'), 0n)).toBe(-errno.EACCES)
    guest.put('dir/x', '')
    chmod('dir', 0o444)
    expect(guest.stat('dir/x').error).toBe(-errno.EACCES)
    chmod('dir', 0o555)
    expect(guest.unlink('dir/x')).toBe(-errno.EACCES)
    expect(guest.mkdir('dir/y')).toBe(-errno.EACCES)
    expect(guest.rename('dir/x', 'x')).toBe(-errno.EACCES)
    chmod('dir', 0o333)
    expect(guest.open('dir', DIRECTORY)).toBe(-errno.EACCES)
  })

  it('are reported by access', () => {
    chmod('file', 0o444)
    const access = (path: string, mode: number) =>
      guest.number('__syscall_faccessat', -100, guest.text(path), mode, 0)
    expect([
      access('file', 0),
      access('file', 4),
      access('file', 2),
      access('file', 8),
      access('no', 0),
    ]).toEqual([0, 0, -errno.EACCES, -errno.EINVAL, -errno.ENOENT])
  })
})
