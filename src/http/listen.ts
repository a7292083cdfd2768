// Listening on a port. Owns the error for a port that is in use, and the format of the origin.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidOptionError } from '../shared/errors.js'

/**
 * Starts listening. Resolves to the origin at which clients reach the server, such as `http://127.0.0.1:41234`.
 *
 * @param onError called with the server's later errors, once it listens
 * @throws InvalidOptionError when it cannot listen there
 */
export function listen(
  server: Server,
  port: number,
  host: string,
  onError: (error: Error) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const message = `port: cannot listen on ${host}, port ${port}: ${cause.message}`
      const error = new InvalidOptionError('port', 'a port that is free', port, message)
      error.cause = cause
      reject(error)
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      server.on('error', onError)
      const { address, family, port: bound } = server.address() as AddressInfo
      resolve(`http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`)
    })
  })
}
