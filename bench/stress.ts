// Sessions that append, rename and remove in one storage at the same time, and a checker of what is left:
// `node bench/stress.mjs [seconds] [sessions] [host directory]`. Owns the programs and the sums; exits with 1 if anything was lost or torn.
import { SessionManager, VfsStorage } from 'brumate'

const [seconds = 60, count = 8] = process.argv.slice(2, 4).map(Number)
const hostPath = process.argv[4]

const work = (who: number) => `
import os, random, time
end = time.monotonic() + ${seconds}
appended = operations = 0; files = {}
while time.monotonic() < end:
    with open('/data/log', 'ab', buffering=0) as f: f.write(b'${who}:%07d\\n' % appended)
    appended += 1
    name = f'/data/${who}-{random.randrange(50)}'
    data = bytes([random.randrange(256)]) * random.randrange(20_000)
    with open(name + '.new', 'wb') as f: f.write(data)
    os.rename(name + '.new', name); files[name] = data
    if random.random() < .3: os.remove(name); del files[name]
    other = f'/data/{random.randrange(${count})}-{random.randrange(50)}'
    try: seen = open(other, 'rb').read(); assert len(set(seen)) <= 1, 'torn'
    except FileNotFoundError: pass
    operations += 4
assert all(open(name, 'rb').read() == data for name, data in files.items()), 'lost'
[appended, sum(map(len, files.values())), len(files), operations]`

await using manager = await SessionManager.create({ slots: count })
await using storage = hostPath === undefined ? new VfsStorage() : VfsStorage.directory(hostPath)
const sessions = await Promise.all(
  Array.from({ length: count }, () => manager.createSession({ vfs: storage, executionTimeoutMs: null })),
)
const results = await Promise.all(sessions.map((session, who) => session.execute(work(who))))
const sum = (i: number) => results.reduce((all, { value }) => all + Number((value as number[])[i]), 0)
const lines = (await storage.readFile('/log', 'utf8')).trimEnd().split('\n')
const expectedBytes = sum(1) + 10 * sum(0)
const report = {
  seconds,
  sessions: count,
  operations: sum(3),
  appended: sum(0),
  linesInLog: lines.length,
  differentLines: new Set(lines).size,
  files: sum(2),
  filesListed: (await storage.list('/')).length - 1,
  usedBytes: await storage.usedBytes,
  expectedBytes,
}
console.log(JSON.stringify(report))
const isWhole =
  report.appended === report.linesInLog &&
  report.appended === report.differentLines &&
  report.files === report.filesListed &&
  report.usedBytes === expectedBytes
process.exitCode = isWhole ? 0 : 1
