// What the OpenAPI document says about the server as a whole.
import { version } from '../install/version.js'

export function openApiInfo(needsKey: boolean) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'brumate',
      version: version(),
      description: 'Sessions of Python that keep their variables. See docs/server.md of the package brumate.',
    },
    ...(needsKey ? { security: [{ key: [] }] } : {}),
  }
}
