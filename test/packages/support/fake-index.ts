// A local Python package index. Owns the server; each test provides its wheels.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { canonicalName } from '../../../src/packages/names.js'
import { sha256, type TestWheel } from './pure-wheel.js'

export class FakeIndex implements AsyncDisposable {
  readonly #server: Server
  readonly #wheels = new Map<string, TestWheel>()
  /** Paths of all requests, in order. */
  readonly requests: string[] = []
  /** Can answer a request in its own way: returns whether it did. */
  intercept: (path: string, response: ServerResponse, request: IncomingMessage) => boolean = () => false
  /** Whether METADATA is served separately from the wheel (PEP 658). */
  hasMetadata = true
  /** Additional entries for a project's page, by project. */
  readonly others = new Map<string, readonly object[]>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(wheels: readonly TestWheel[] = []): Promise<FakeIndex> {
    const server = createServer((request, response) => index.#answer(request, response))
    const index = new FakeIndex(server)
    index.add(...wheels)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return index
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `${this.origin}/simple`
  }

  add(...wheels: readonly TestWheel[]): void {
    for (const wheel of wheels) this.#wheels.set(wheel.file, wheel)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? '')
    this.requests.push(path)
    if (this.intercept(path, response, request)) return
    const [, project] = /^\/simple\/([^/]+)\/$/.exec(path) ?? []
    if (project !== undefined) return this.#page(project, response)
    const file = path.replace('/files/', '')
    const wheel = this.#wheels.get(file.replace(/\.metadata$/, ''))
    if (wheel === undefined) response.writeHead(404).end()
    else response.end(file.endsWith('.metadata') ? wheel.metadata : wheel.bytes)
  }

  #page(project: string, response: ServerResponse): void {
    const wheels = [...this.#wheels.values()].filter(({ name }) => canonicalName(name) === project)
    const others = this.others.get(project) ?? []
    if (wheels.length === 0 && others.length === 0) {
      response.writeHead(404).end()
      return
    }
    const files = wheels.map((wheel) => ({
      filename: wheel.file,
      url: `../../files/${wheel.file}`,
      hashes: { sha256: wheel.sha256 },
      size: wheel.bytes.length,
      yanked: wheel.yanked,
      ...(wheel.requiresPython === undefined ? {} : { 'requires-python': wheel.requiresPython }),
      ...(this.hasMetadata ? { 'core-metadata': { sha256: sha256(wheel.metadata) } } : {}),
    }))
    response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json')
    response.end(
      JSON.stringify({ meta: { 'api-version': '1.1' }, name: project, files: [...files, ...others] }),
    )
  }
}
