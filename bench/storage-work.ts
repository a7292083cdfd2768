// Sessions that append, rename and remove files in one storage at the same time, and checksums of the files that must be left. Owns the
// program and the comparison; stress.ts runs it for a minute, test/vfs/sharing.test.ts for a moment.
import type { Session, VfsStorage } from 'brumate'

export interface StorageWork {
  readonly seconds: number
  /** Number of file names that each session uses, and the maximum size of a file in bytes. */
  readonly names: number
  readonly fileBytes: number
}

/** What the sessions did, and what is in the storage; `expected…` is what must be there. */
export interface StorageSums {
  readonly operations: number
  readonly appended: number
  readonly linesInLog: number
  readonly differentLines: number
  readonly expectedFiles: number
  readonly files: number
  readonly expectedBytes: number
  readonly usedBytes: number
}

/** All sessions have mounted the storage, which must be empty, at /data. @throws PythonError when one of them saw a torn or lost file */
export async function workInStorage(
  storage: VfsStorage,
  sessions: readonly Session[],
  work: StorageWork,
): Promise<StorageSums> {
  const results = await Promise.all(
    sessions.map((session, who) => session.execute(program(who, sessions.length, work))),
  )
  const sum = (i: number) => results.reduce((all, { value }) => all + Number((value as number[])[i]), 0)
  const lines = (await storage.readFile('/log', 'utf8')).trimEnd().split('\n')
  return {
    operations: sum(3),
    appended: sum(0),
    linesInLog: lines.length,
    differentLines: new Set(lines).size,
    expectedFiles: sum(2),
    files: (await storage.list('/')).length - 1,
    expectedBytes: sum(1) + LINE_BYTES * sum(0),
    usedBytes: await storage.usedBytes,
  }
}

export function isWhole(sums: StorageSums): boolean {
  return (
    sums.linesInLog === sums.appended &&
    sums.differentLines === sums.appended &&
    sums.files === sums.expectedFiles &&
    sums.usedBytes === sums.expectedBytes
  )
}

/** "0:0000000" with its line end. */
const LINE_BYTES = 10

const program = (who: number, count: number, { seconds, names, fileBytes }: StorageWork) => `
import os, random, time
end = time.monotonic() + ${seconds}
appended = operations = 0; files = {}
while time.monotonic() < end:
    with open('/data/log', 'ab', buffering=0) as f: f.write(b'${who}:%07d\\n' % appended)
    appended += 1
    name = f'/data/${who}-{random.randrange(${names})}'
    data = bytes([random.randrange(256)]) * random.randrange(${fileBytes})
    with open(name + '.new', 'wb') as f: f.write(data)
    os.rename(name + '.new', name); files[name] = data
    if random.random() < .3: os.remove(name); del files[name]
    other = f'/data/{random.randrange(${count})}-{random.randrange(${names})}'
    try: seen = open(other, 'rb').read(); assert len(set(seen)) <= 1, 'torn'
    except FileNotFoundError: pass
    operations += 4
assert all(open(name, 'rb').read() == data for name, data in files.items()), 'lost'
[appended, sum(map(len, files.values())), len(files), operations]`
