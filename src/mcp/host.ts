// What all connections of one MCP server share: the tenants, the connected servers, and the tools' descriptions. Owns opening and closing
// these.

import { version } from '../install/version.js'
import { factsOf, type PythonFacts } from '../presentation/describe.js'
import { type ToolCallbacks, withAcceptedSchemas } from '../presentation/tool-callbacks.js'
import { ConnectedServers } from './connect/connected-servers.js'
import type { ResolvedMcpOptions } from './options.js'
import { loadSdk, type Sdk } from './sdk.js'
import { Tenant } from './tenant.js'

export class McpHost {
  readonly sdk: Sdk
  readonly options: ResolvedMcpOptions
  readonly facts: PythonFacts
  readonly #servers: ConnectedServers
  readonly #callbacks: ToolCallbacks
  readonly #tenants = new Map<string, Tenant>()
  /** Compiled once, because over HTTP each request of the 2026 protocol gets a server of its own. */
  readonly #schemas = new Map<string, ReturnType<Sdk['fromJsonSchema']>>()

  private constructor(
    sdk: Sdk,
    options: ResolvedMcpOptions,
    servers: ConnectedServers,
    { facts, callbacks }: Probed,
  ) {
    this.sdk = sdk
    this.options = options
    this.#servers = servers
    this.facts = facts
    this.#callbacks = callbacks
  }

  /**
   * Starts the connected servers, and a session that reports what its Python provides.
   *
   * @throws InstallationError, InvalidOptionError, and what `manager.createSession` throws
   */
  static async open(options: ResolvedMcpOptions): Promise<McpHost> {
    const sdk = await loadSdk()
    const servers = await ConnectedServers.connect(options, version())
    try {
      return new McpHost(sdk, options, servers, await probe(options, servers.callbacks))
    } catch (error) {
      await servers.close()
      throw error
    }
  }

  tenant(name: string): Tenant {
    const { manager, limits, maxSessions } = this.options
    let tenant = this.#tenants.get(name)
    if (tenant === undefined) {
      const sessionOptions = { limits, callbacks: this.#callbacks }
      tenant = new Tenant({ manager, tenant: name, maxSessions, sessionOptions })
      this.#tenants.set(name, tenant)
    }
    return tenant
  }

  /** @param name identifies the schema */
  schema<T>(name: string, schema: Record<string, unknown>): ReturnType<typeof this.sdk.fromJsonSchema<T>> {
    let compiled = this.#schemas.get(name)
    if (compiled === undefined) {
      compiled = this.sdk.fromJsonSchema(schema)
      this.#schemas.set(name, compiled)
    }
    return compiled as ReturnType<typeof this.sdk.fromJsonSchema<T>>
  }

  close(): Promise<void> {
    return this.#servers.close()
  }
}

interface Probed {
  readonly facts: PythonFacts
  readonly callbacks: ToolCallbacks
}

async function probe(options: ResolvedMcpOptions, given: ToolCallbacks): Promise<Probed> {
  const { manager, limits } = options
  const { session, callbacks } = await withAcceptedSchemas(given, async (callbacks) => ({
    session: await manager.createSession({ limits, callbacks }),
    callbacks,
  }))
  try {
    return { facts: factsOf(session), callbacks }
  } finally {
    await session.close()
  }
}
