// The targets of an attack: a secret in globals, environment, stdin and a file of the main process, a place to leave a marker, and a server
// that must not be contacted. Owns them, and reports whether any was reached.
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

export class Witness {
  readonly canary = `canary-${randomUUID()}`
  readonly directory = mkdtempSync(join(tmpdir(), 'brumate-witness-'))
  readonly secretPath = join(this.directory, 'secret.txt')
  readonly #server: Server
  #connections = 0

  private constructor() {
    writeFileSync(this.secretPath, this.canary)
    this.#server = createServer((socket) => {
      this.#connections++
      socket.on('error', () => {})
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi')
    })
  }

  static async open(): Promise<Witness> {
    const witness = new Witness()
    await new Promise<void>((resolve) => witness.#server.listen(0, '127.0.0.1', resolve))
    return witness
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Number of connections that the server has received. */
  get connections(): number {
    return this.#connections
  }

  /** Path of a file that only code outside the sandbox can create. */
  marker(name: string): string {
    return join(this.directory, name)
  }

  marked(name: string): boolean {
    return existsSync(this.marker(name))
  }

  /** Secrets of the host that the text contains: the canary, or a path of this machine. */
  leaksOf(text: string): string[] {
    const home = homedir()
    const secrets = [this.canary, ROOT, process.execPath, ...(home.split('/').length > 2 ? [home] : [])]
    return secrets.filter((secret) => text.includes(secret))
  }

  close(): void {
    this.#server.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
