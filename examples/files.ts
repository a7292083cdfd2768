// Files: a session's private files, and a storage that two sessions and the host share.
//
// In a clone, after `npm run build`: `node examples/run.mjs files`
import { SessionManager, VfsStorage } from 'brumate'

await using manager = await SessionManager.create({ slots: 2 })
await using shared = new VfsStorage({ maxBytes: 16 * 2 ** 20 })
await using writer = await manager.createSession({ vfs: shared, vfsMountPath: '/shared' })
await using reader = await manager.createSession({ vfs: shared, vfsMountPath: '/shared' })

// Write a file, read one back. The home directory, where code runs, is private to the session.
await writer.files.writeFile('/home/pyodide/orders.csv', 'id,cents\n1,1950\n2,700\n')
const { files } = await writer.execute(`
import csv
with open('orders.csv') as file:
    total = sum(int(row['cents']) for row in csv.DictReader(file))
with open('total.txt', 'w') as file:
    file.write(f'{total / 100:.2f}')`)
console.log(files.map(({ change, path }) => `${change} ${path}`).join(', '))
console.log('total.txt:', await writer.files.readFile('/home/pyodide/total.txt', 'utf8'))

// Other sessions and the host see at once what a session writes to the storage.
await writer.execute(`
import sqlite3
with sqlite3.connect('/shared/shop.db') as db:
    db.execute('create table orders (id integer, cents integer)')
    db.executemany('insert into orders values (?, ?)', [(1, 1950), (2, 700)])`)
const { value } = await reader.execute(`
import sqlite3
sqlite3.connect('/shared/shop.db').execute('select count(*), sum(cents) from orders').fetchone()`)
console.log('the other session read', value)
console.log('the host lists', (await shared.list('/')).join(', '))
